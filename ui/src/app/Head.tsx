import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { ClusterState } from '../live/frames';
import type { Connection } from '../live/socket';
import styles from './Head.module.css';

/** The head of a page: its title, what it holds, and what can be done with it. */
export function Head({ title, sub, children }: { title: string; sub: string; children: ReactNode }) {
  return (
    <header className={styles.head}>
      <h1 className={styles.title}>{title}</h1>
      <span className={styles.sub}>{sub}</span>
      <span className={styles.tools}>{children}</span>
    </header>
  );
}

/** Whether the page is live. It never says when something last changed: the server is silent while nothing does. */
export function LiveMark({ connection, clusters }: { connection: Connection; clusters: readonly ClusterState[] }) {
  const { t } = useTranslation();
  if (connection.phase === 'connecting' && connection.lostAt === undefined) return null;
  if (connection.phase !== 'open') return <span className={`${styles.live} ${styles.off}`}>{t('live.off')}</span>;
  const stale = clusters.filter(({ state }) => state === 'stale' || state === 'failed').length;
  if (stale > 0 && stale === clusters.length)
    return <span className={`${styles.live} ${styles.stale}`}>{t('live.stale')}</span>;
  return <span className={styles.live}>{t('live.on')}</span>;
}
