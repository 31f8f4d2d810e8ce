import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ClusterName } from '../clusters/ClusterName';
import type { ClusterState } from '../live/frames';
import { writeQuery, readQuery, EVERYTHING } from '../pods/query';
import { short } from '../pods/age';
import { useWidth } from './useWidth';
import { useQueryClient } from '@tanstack/react-query';
import { me } from '../account/session';
import { useTicking } from './clock';
import { Icon, type IconName, Mark, StateMark } from './icons';
import { useList, useLive } from './live';
import styles from './Sidebar.module.css';
import { read, write } from './stored';
import { Views } from './Views';

/** How many clusters have a line each. With more of them, only those that matter now do. */
const FEW = 8;

/** Below this width, in CSS pixels, the sidebar starts folded. */
const NARROW = 1360;
/** The same beside an open pod. */
const BESIDE = 1600;

/** The way to every page, and to every cluster's pods. */
export function Sidebar() {
  const { t } = useTranslation();
  // A narrow window leaves the room to the list unless somebody has chosen otherwise.
  const isBeside = useRouterState({ select: ({ location }) => 'pod' in location.search });
  const isNarrow = useWidth() < (isBeside ? BESIDE : NARROW);
  const [chosen, setChosen] = useState(() => read('sidebar'));
  const isFolded = chosen === null ? isNarrow : chosen === 'folded';
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const fold = () => {
    const next = isFolded ? 'open' : 'folded';
    setChosen(next);
    write('sidebar', next);
  };
  return (
    <nav className={styles.side} aria-label={t('nav.label')} data-folded={isFolded || undefined}>
      <div className={styles.brand}>
        <Mark size="medium" />
        <span className={styles.word}>Podgate</span>
        <button
          type="button"
          className={styles.fold}
          aria-label={isFolded ? t('nav.unfold') : t('nav.fold')}
          aria-expanded={!isFolded}
          onClick={fold}
        >
          <Icon name="fold" />
        </button>
      </div>
      <ul className={styles.list}>
        <Entry to="/pods" icon="pods" isCurrent={path.endsWith('/pods')}>
          {t('nav.pods')}
        </Entry>
      </ul>
      <Views />
      <Clusters />
      <Account />
    </nav>
  );
}

interface EntryProps {
  readonly to: '/pods';
  readonly icon: IconName;
  readonly isCurrent: boolean;
  readonly children: string;
}

function Entry({ to, icon, isCurrent, children }: EntryProps) {
  return (
    <li>
      <Link to={to} className={styles.entry} aria-current={isCurrent ? 'page' : undefined} title={children}>
        <Icon name={icon} />
        <span className={styles.word}>{children}</span>
      </Link>
    </li>
  );
}

function Clusters() {
  const { t } = useTranslation();
  const { clusters, facets } = useList(useLive().summary);
  const asked = useRouterState({ select: ({ location }) => readQuery(location.search).cluster.join('\n') });
  const selected = new Set(asked.split('\n'));
  const counts = new Map(facets['cluster']?.map(({ value, count }) => [value, count]));
  const isMany = clusters.length > FEW;
  const all = isMany ? t('clusters.allOf', { count: clusters.length }) : t('clusters.all');
  const isHere = useRouterState({ select: ({ location }) => /\/clusters(?:\/|$)/.test(location.pathname) });
  const shown = isMany ? clusters.filter(({ name, state }) => state !== 'synced' || selected.has(name)) : clusters;
  return (
    <>
      <h2 className={styles.title}>
        {t('nav.clusters')}
        <Link
          to="/clusters/{-$name}"
          params={{ name: 'new' }}
          className={styles.add}
          aria-label={t('clusters.add')}
          title={t('clusters.add')}
        >
          <Icon name="plus" size="small" />
        </Link>
      </h2>
      <ul className={styles.list}>
        {shown.map((cluster) => (
          <ClusterEntry
            key={cluster.name}
            cluster={cluster}
            number={clusters.indexOf(cluster)}
            isMany={isMany}
            count={counts.get(cluster.name) ?? 0}
            isCurrent={selected.has(cluster.name)}
          />
        ))}
        <li>
          <Link
            to="/clusters/{-$name}"
            params={{ name: undefined }}
            className={styles.entry}
            aria-current={isHere ? 'page' : undefined}
            title={all}
          >
            <Icon name="clusters" />
            <span className={styles.word}>{all}</span>
          </Link>
        </li>
      </ul>
    </>
  );
}

interface ClusterEntryProps {
  readonly cluster: ClusterState;
  readonly number: number;
  readonly isMany: boolean;
  readonly count: number;
  readonly isCurrent: boolean;
}

function ClusterEntry({ cluster, number, isMany, count, isCurrent }: ClusterEntryProps) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const search = useRouterState({ select: ({ location }) => location.search });
  const { name, state, syncedAt } = cluster;
  const stale = useTicking((now) => (state === 'synced' || syncedAt === '' ? '' : short(now - Date.parse(syncedAt))));
  let end: ReactNode = new Intl.NumberFormat(i18n.language).format(count);
  if (state === 'syncing') end = <StateMark shape="busy" />;
  else if (state !== 'synced') {
    end = (
      <span className={styles.stale}>
        <StateMark shape="warn" />
        {stale}
      </span>
    );
  }
  return (
    <li>
      <Link
        to="/pods"
        search={writeQuery({ ...EVERYTHING, cluster: [name] })}
        className={styles.entry}
        aria-current={isCurrent ? 'true' : undefined}
        onClick={(event) => {
          if (!event.metaKey && !event.ctrlKey) return;
          // The modifier adds the cluster to the list, or takes it out; it does not open a tab.
          event.preventDefault();
          const query = readQuery(search);
          const others = query.cluster.filter((one) => one !== name);
          const next = isCurrent ? others : [...others, name];
          void navigate({ to: '/pods', search: writeQuery({ ...query, cluster: next }) });
        }}
        title={state === 'synced' ? name : `${name}: ${t(`cluster.${stateWord(state)}`)}`}
      >
        <ClusterName name={name} number={isMany ? undefined : number} />
        <span className={styles.count}>{end}</span>
      </Link>
    </li>
  );
}

/** Returns the word for a cluster's state, of which the page knows four. */
function stateWord(state: string): 'syncing' | 'stale' | 'failed' {
  return state === 'syncing' || state === 'failed' ? state : 'stale';
}

function Account() {
  const { t } = useTranslation();
  const user = useQueryClient().getQueryData(me.queryKey);
  const name = user?.username ?? '';
  const path = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <div className={styles.foot}>
      <Link
        to="/me"
        className={styles.entry}
        aria-current={path.endsWith('/me') ? 'page' : undefined}
        aria-label={`${t('account.title')}: ${name}`}
      >
        <span className={styles.face} aria-hidden="true">
          {name.slice(0, 2).toUpperCase()}
        </span>
        <span className={styles.word}>{name}</span>
        <span className={styles.count}>
          <Icon name="gear" />
        </span>
      </Link>
    </div>
  );
}
