import { useTranslation } from 'react-i18next';

import type { Facets } from '../live/frames';
import styles from './Causes.module.css';
import type { PodQuery } from './query';

/** How many owners are named. A broken Deployment is many rows with one cause: this says it once. */
const OWNERS = 3;

interface CausesProps {
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery) => void;
  readonly facets: Facets;
}

/** What is wrong, grouped by cause and by owner. A click filters, another one takes the filter back. */
export function Causes({ query, onQuery, facets }: CausesProps) {
  const { t, i18n } = useTranslation();
  const number = new Intl.NumberFormat(i18n.language);
  const codes = [...(facets['reasonCode'] ?? [])].sort((a, b) => badness(a.value) - badness(b.value));
  const owners = (facets['owner'] ?? []).filter(({ count }) => count > 1).slice(0, OWNERS);
  if (codes.length === 0) return null;
  const toggle = (name: 'reasonCode' | 'owner', value: string) => {
    const has = query[name].includes(value);
    onQuery({ ...query, [name]: has ? query[name].filter((one) => one !== value) : [value] });
  };
  return (
    <div className={styles.causes} role="group" aria-label={t('causes.label')}>
      <span className={styles.label}>{t('causes.label')}</span>
      {codes.map(({ value, count }) => (
        <button
          key={value}
          type="button"
          className={styles.cause}
          aria-pressed={query.reasonCode.includes(value)}
          onClick={() => {
            toggle('reasonCode', value);
          }}
        >
          {causeWord(value, t)} <b>{number.format(count)}</b>
        </button>
      ))}
      {owners.length > 0 && <span className={styles.line} />}
      {owners.map(({ value, count }) => {
        const [kind, name] = value.split('/');
        return (
          <button
            key={value}
            type="button"
            className={styles.cause}
            aria-pressed={query.owner.includes(value)}
            onClick={() => {
              toggle('owner', value);
            }}
          >
            <span className={styles.kind}>{kind}</span> {name} <b>{number.format(count)}</b>
          </button>
        );
      })}
    </div>
  );
}

const CAUSES = [
  'OutOfMemory',
  'CannotStart',
  'Image',
  'Crash',
  'PodFailed',
  'Unscheduled',
  'Warning',
  'NodeLost',
  'Waiting',
  'NotStarted',
  'NotReady',
  'Gate',
  'ContainersReady',
] as const;

/** Returns the place of a cause, worst first, so that counts never change the order. */
function badness(code: string): number {
  const place = CAUSES.findIndex((one) => one === code);
  return place < 0 ? CAUSES.length : place;
}

/** Returns the words for a cause; a code that the page does not know stands for itself. */
export function causeWord(code: string, t: ReturnType<typeof useTranslation>['t']): string {
  const known = CAUSES.find((one) => one === code);
  return known === undefined ? code : t(`causes.${known}`);
}
