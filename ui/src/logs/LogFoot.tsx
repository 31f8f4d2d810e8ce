import { useTranslation } from 'react-i18next';

import { useTicking } from '../app/clock';
import { useTimes } from '../app/times';
import type { Status } from '../lines/messages';
import type { Drawn } from '../lines/viewport';
import styles from './LogFoot.module.css';

/** Returns whether lines come, and if not, why. */
function useFeed(drawn: Drawn, heldAt: number | undefined): { look: string | undefined; words: string } {
  const { t, i18n } = useTranslation();
  const { clock } = useTimes();
  const feed = drawn.status?.feed;
  const retryAt = feed?.kind === 'lost' ? feed.retryAt : 0;
  const seconds = useTicking((now) => Math.max(0, Math.ceil((retryAt - now) / 1000)));
  switch (feed?.kind) {
    case undefined:
    case 'opening':
      return { look: undefined, words: t('log.opening') };
    case 'lost':
      return { look: styles.lost, words: t('log.notConnected', { time: clock(feed.since), seconds }) };
    case 'loggedOut':
      return { look: styles.lost, words: t('log.loggedOut', { time: clock(feed.since) }) };
    case 'ended':
      return { look: undefined, words: t('log.isOver') };
    case 'failed':
      return { look: styles.lost, words: t('log.failed') };
    case 'following':
    case 'polling':
      break;
  }
  if (drawn.isFollowing) return { look: styles.following, words: t('log.following') };
  const rate = Math.round(drawn.status?.rate ?? 0).toLocaleString(i18n.language);
  const held = heldAt === undefined ? t('log.held') : t('log.heldAt', { time: clock(heldAt) });
  return { look: styles.held, words: `${held}${t('log.rate', { rate })}` };
}

/** Returns how much is here, in words. */
function useAmount({ lines, bytes, hasLetGo, from }: Status): string {
  const { t, i18n } = useTranslation();
  const { clock } = useTimes();
  const size = new Intl.NumberFormat(i18n.language, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 });
  const amount = t('log.amount', {
    count: lines,
    number: lines.toLocaleString(i18n.language),
    size: size.format(bytes / 1e6),
  });
  return hasLetGo && from !== null ? `${amount} · ${t('log.letGo', { time: clock(from.ms) })}` : amount;
}

function Amount({ status }: { status: Status }) {
  return <>{useAmount(status)}</>;
}

/** The line under a log: whether it is followed, and how much is here. */
export function LogFoot({ drawn }: { drawn: Drawn }) {
  const top = drawn.rows.find((row) => row.kind === 'text' && !Number.isNaN(row.ms));
  const { look, words } = useFeed(drawn, top?.kind === 'text' ? top.ms : undefined);
  return (
    <div className={styles.foot}>
      <span className={`${styles.state} ${look ?? ''}`}>{words}</span>
      <span className={styles.end}>{drawn.status !== undefined && <Amount status={drawn.status} />}</span>
    </div>
  );
}
