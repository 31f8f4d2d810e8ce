import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { useTicking } from '../app/clock';
import { Icon } from '../app/icons';
import { useTimes } from '../app/times';
import { clean } from '../lines/clean';
import { short } from '../pods/age';
import { shortImage } from '../pods/pod';
import { classOfWord, type StatusClass } from '../pods/status';
import { Word } from '../pods/StatusWord';
import type { ContainerView } from './containers';
import styles from './ContainerRow.module.css';
import type { Spot } from './place';

/** A container: its image, how it is, and what its spec says when it is unfolded. */
export function ContainerRow({ container, onSpot }: { container: ContainerView; onSpot: (spot: Spot) => void }) {
  const { t } = useTranslation();
  const { exact } = useTimes();
  const [isOpen, setOpen] = useState(false);
  const { name, kind, image, restarts, limits, requests, since, facts } = container;
  const age = useTicking((now) => (since === '' ? '' : short(now - Date.parse(since))));
  const amounts = (resources: Readonly<Record<string, string>>) =>
    Object.entries(resources)
      .map(([resource, amount]) => `${amount} ${resource}`)
      .join(', ');
  return (
    <li className={styles.container}>
      <div>
        <div className={styles.name}>
          <button
            type="button"
            className={styles.unfold}
            aria-expanded={isOpen}
            disabled={facts.length === 0}
            onClick={() => {
              setOpen(!isOpen);
            }}
          >
            {facts.length > 0 && <Icon name={isOpen ? 'down' : 'right'} size="small" />}
            {name}
          </button>{' '}
          {kind !== 'regular' && <span className={styles.tag}>{t(`pod.kind_${kind}`)}</span>}
        </div>
        <code className={styles.small} title={image}>
          {shortImage(image)}
        </code>
      </div>
      <div>
        <Word {...stateOf(container, t)} />
        <span className={styles.small} title={since === '' ? undefined : exact(since)}>
          {endOf(container, t)} {age !== '' && t('pod.since', { age })}
        </span>
      </div>
      <div className={styles.small}>{t('row.restarts', { count: restarts })}</div>
      <div className={styles.small}>
        {amounts(limits) === '' ? t('pod.noLimits') : amounts(limits)}
        {amounts(requests) !== '' && <div>{t('pod.asks', { amounts: amounts(requests) })}</div>}
      </div>
      <div className={styles.rowTools}>
        <Button
          look="quiet"
          isIcon
          aria-label={t('pod.logOf', { name })}
          title={t('pod.logOf', { name })}
          onClick={() => {
            onSpot({ tab: 'logs', container: name });
          }}
        >
          <Icon name="logs" />
        </Button>
      </div>
      {isOpen && (
        <dl className={styles.more}>
          {facts.map(({ name: heading, values }) => (
            <div key={heading} className={styles.moreFact}>
              <dt>{t(`pod.fact_${heading}`)}</dt>
              <dd lang="en">
                {values.map((value, place) => (
                  <code key={place}>{clean(value).text}</code>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

type Translate = ReturnType<typeof useTranslation>['t'];

function stateOf({ state, reason, isReady, kind }: ContainerView, t: Translate): { shape: StatusClass; text: string } {
  if (state === 'running') return { shape: isReady || kind === 'init' ? 'ok' : 'warn', text: t('pod.running') };
  if (state === 'unknown') return { shape: 'busy', text: t('pod.notStarted') };
  return { shape: classOfWord(reason).statusClass, text: reason === '' ? t(`pod.${state}`) : reason };
}

function endOf({ end }: ContainerView, t: Translate): string {
  if (end === undefined) return '';
  const how =
    end.signal > 0 ? t('why.signal', { signal: String(end.signal) }) : t('why.exit', { code: String(end.exitCode) });
  const millis = Date.parse(end.finishedAt) - Date.parse(end.startedAt);
  return Number.isNaN(millis) ? how : t('pod.ran', { how, length: short(millis) });
}
