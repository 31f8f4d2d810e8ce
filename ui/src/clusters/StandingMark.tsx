import { useTranslation } from 'react-i18next';

import { StateMark, type Shape } from '../app/icons';
import { useTimes } from '../app/times';
import { type Cluster, type Standing, standingOf } from './cluster';
import styles from './StandingMark.module.css';

const SHAPES: Record<Standing, Shape> = { live: 'ok', stale: 'warn', reading: 'busy', failed: 'bad' };

/** How current a cluster is: a shape, and words with the time from which what is shown dates. */
export function StandingMark({ cluster: { sync } }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const { clock, exact } = useTimes();
  const standing = standingOf(sync.state);
  const since = sync.syncedAt === '' ? '' : clock(sync.syncedAt);
  const words =
    standing === 'stale' && since !== '' ? t('clusters.staleSince', { time: since }) : t(`clusters.${standing}`);
  return (
    <span
      className={`${styles.standing} ${styles[standing]}`}
      title={standing === 'live' || sync.syncedAt === '' ? undefined : exact(sync.syncedAt)}
    >
      <StateMark shape={SHAPES[standing]} />
      {words}
    </span>
  );
}
