import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { Icon, StateMark } from '../app/icons';
import { MoreMenu } from '../app/MoreMenu';
import { EVERYTHING, NOT_WELL, writeQuery } from '../pods/query';
import { type Cluster, type Row, segmentsOf, standingOf } from './cluster';
import styles from './ClusterCard.module.css';
import { ClusterName } from './ClusterName';
import { StandingMark } from './StandingMark';
import { TestButton } from './TestButton';
import { useStats } from './useClusters';

interface ClusterCardProps {
  readonly row: Row;
  /** Its colour, from 0. */
  readonly number: number;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

/** A cluster: how current it is, what is on it, and what can be done with it. */
export function ClusterCard({ row: { cluster, notWell }, number, onEdit, onRemove }: ClusterCardProps) {
  const { t, i18n } = useTranslation();
  const { name, podCount, nodeCount, version, apiServer, sync, readOnly } = cluster;
  const format = (value: number) => value.toLocaleString(i18n.language);
  const isKnown = sync.syncedAt !== '';
  const only = [name];
  const facts: [string, string, boolean][] = [
    [t('nav.pods'), isKnown ? format(podCount) : t('clusters.unknown'), false],
    [t('view.notWell'), isKnown ? format(notWell) : t('clusters.unknown'), isKnown && notWell > 0],
    [t('clusters.nodes'), nodeCount == null ? t('clusters.unknown') : format(nodeCount), false],
    [t('clusters.version'), version === '' ? t('clusters.unknown') : version.replace(/^v/, ''), false],
  ];
  return (
    <article className={styles.card} aria-label={name}>
      <header className={styles.head}>
        <h2 className={styles.name}>
          <ClusterName name={name} number={number} />
        </h2>
        <span className={styles.tools}>
          <StandingMark cluster={cluster} />
          <TestButton cluster={cluster} />
          <MoreMenu
            label={t('pod.moreOf', { name })}
            items={
              readOnly
                ? [{ label: t('clusters.showDetails'), onSelect: onEdit }]
                : [
                    { label: t('clusters.edit'), onSelect: onEdit },
                    { label: t('clusters.remove'), onSelect: onRemove, isDanger: true },
                  ]
            }
          />
        </span>
      </header>
      <p className={styles.about}>
        <About cluster={cluster} />
      </p>
      <dl className={styles.facts}>
        {facts.map(([label, value, isBad]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className={isBad ? styles.bad : undefined}>{value}</dd>
          </div>
        ))}
      </dl>
      <Trouble cluster={cluster} />
      {isKnown && <Bar cluster={cluster} />}
      <footer className={styles.foot}>
        <code>{apiServer}</code>
        <span className={styles.links}>
          <Link to="/pods" search={writeQuery({ ...EVERYTHING, cluster: only })}>
            <Icon name="pods" />
            {t('nav.pods')}
          </Link>
          <Link to="/pods" search={writeQuery({ ...NOT_WELL, cluster: only })}>
            <Icon name="filter" />
            {t('view.notWell')}
          </Link>
        </span>
      </footer>
    </article>
  );
}

/** What somebody wrote of a cluster, where it comes from, and which part of it is watched. */
function About({ cluster: { name, description, readOnly, namespaces } }: { cluster: Cluster }) {
  const { t, i18n } = useTranslation();
  const parts = [
    // A context of a kubeconfig has its name as its description.
    description === name ? '' : description,
    readOnly ? t('clusters.fromKubeconfig') : '',
    namespaces.length === 0
      ? ''
      : t('clusters.onlyNamespaces', { names: new Intl.ListFormat(i18n.language).format(namespaces) }),
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

/** What is wrong with a cluster: in plain words first, then in the server's. */
export function Trouble({ cluster: { sync } }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const standing = standingOf(sync.state);
  if (standing === 'live') return null;
  const [title, then] = {
    stale: [t('clusters.staleTitle'), t('clusters.staleThen')],
    failed: [t('clusters.failedTitle'), t('clusters.failedThen')],
    reading: [t('clusters.readingTitle'), t('clusters.readingThen')],
  }[standing];
  return (
    <div className={`${styles.trouble} ${standing === 'reading' ? styles.quiet : ''}`} role="group" aria-label={title}>
      <StateMark shape={standing === 'reading' ? 'busy' : 'warn'} />
      <span>
        <b>{title}</b> {sync.error !== '' && <code lang="en">{sync.error}</code>}
        <br />
        {then}
      </span>
    </div>
  );
}

/** The cluster's pods by status. Each word filters the list. */
function Bar({ cluster: { id, name } }: { cluster: Cluster }) {
  const { t, i18n } = useTranslation();
  const stats = useStats(id, true);
  if (stats === undefined || stats.pods === 0) return null;
  const segments = segmentsOf(stats);
  return (
    <>
      <div className={styles.bar} aria-hidden="true">
        {segments.map(({ status, count, shape, isPlain }) => (
          <span key={status} className={isPlain ? styles.plain : styles[shape]} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul className={styles.legend} aria-label={t('column.status')}>
        {segments.map(({ status, count, shape, isPlain }) => (
          <li key={status}>
            <Link
              to="/pods"
              search={writeQuery({ ...EVERYTHING, cluster: [name], status: [status] })}
              className={isPlain ? undefined : styles[`${shape}Word`]}
            >
              <StateMark shape={shape} isPlain={isPlain} />
              {status} <b>{count.toLocaleString(i18n.language)}</b>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
