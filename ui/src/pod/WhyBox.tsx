import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { Icon, type IconName, StateMark } from '../app/icons';
import { useTimes } from '../app/times';
import { short } from '../pods/age';
import type { Pod } from '../pods/pod';
import { classOf } from '../pods/status';
import { Why } from '../pods/WhyCell';
import type { ContainerView } from './containers';
import { EXIT_WORDS, nextStart, type Step, stepsOf } from './next';
import type { Spot } from './place';
import styles from './WhyBox.module.css';

interface WhyBoxProps {
  readonly row: Pod;
  readonly containers: readonly ContainerView[];
  /** Whether there is room for one line only. */
  readonly isShort: boolean;
  readonly onSpot: (spot: Spot) => void;
}

/** Why a pod is not well, with what is known of it and the way to the next question. */
export function WhyBox({ row, containers, isShort, onSpot }: WhyBoxProps) {
  const { t } = useTranslation();
  const facts = useFacts(row, containers);
  const restarts = row.restarts > 0 ? `, ${t('row.restarts', { count: row.restarts })}` : '';
  return (
    <div
      className={`${styles.box} ${styles[classOf(row)] ?? ''} ${isShort ? styles.short : ''}`}
      role="group"
      aria-label={t('column.why')}
    >
      <StateMark shape={classOf(row)} />
      <b title={row.reason}>
        <Why pod={row} />
        {restarts}
      </b>
      {!isShort && facts !== '' && <p className={styles.facts}>{facts}</p>}
      {!isShort && (
        <div className={styles.next}>
          {stepsOf(row).map((step) => (
            <Button
              key={step.words}
              onClick={() => {
                onSpot(step.spot);
              }}
            >
              <Icon name={iconOf(step)} />
              {t(`pod.${step.words}`)}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}

function iconOf({ spot: { tab } }: Step): IconName {
  return tab === 'logs' ? 'logs' : tab === 'yaml' ? 'yaml' : 'clock';
}

/** Returns a line of what the pod's status knows of the container that is not well. */
function useFacts(row: Pod, containers: readonly ContainerView[]): string {
  const { t } = useTranslation();
  const { clock } = useTimes();
  const container = containers.find(({ name }) => name === row.reasonArgs?.['container']);
  if (container === undefined) return '';
  const { end, limits, message } = container;
  const sentences: string[] = [];
  const ran = end === undefined ? Number.NaN : Date.parse(end.finishedAt) - Date.parse(end.startedAt);
  const memory = limits['memory'];
  const length = { length: short(ran) };
  if (!Number.isNaN(ran)) {
    const isMemory = row.reasonCode === 'OutOfMemory' && memory !== undefined;
    sentences.push(isMemory ? t('pod.ranWithLimit', { ...length, limit: memory }) : t('pod.ranFor', length));
  }
  const code = Object.entries(EXIT_WORDS).find(([exit]) => Number(exit) === end?.exitCode)?.[1];
  if (code !== undefined && row.reasonCode !== 'OutOfMemory') sentences.push(t(`pod.${code}`));
  const next = end === undefined ? undefined : nextStart(end.finishedAt, message);
  if (next !== undefined) sentences.push(t('pod.nextStart', { time: clock(next) }));
  return sentences.join(' ');
}
