import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { buttonNames } from '../app/Button';
import { ConnectionNote } from '../app/ConnectionNote';
import { Foot } from '../app/Foot';
import { Head } from '../app/Head';
import { Icon } from '../app/icons';
import { useList, useLive } from '../app/live';
import { useSentence } from '../app/messages';
import { Note } from '../app/Note';
import { usePageKeys } from '../app/pageKeys';
import { useTitle } from '../app/title';
import { CARDS, type Cluster, type Row, type Standing, standingOf } from './cluster';
import { ClusterCard } from './ClusterCard';
import { ClusterPanel } from './ClusterPanel';
import styles from './ClustersPage.module.css';
import { ClusterTable } from './ClusterTable';
import { RemoveDialog } from './RemoveDialog';
import { useClusters } from './useClusters';

/** The clusters: how current each is, and what is added, changed and removed. */
export function ClustersPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const sentence = useSentence();
  const { rows, error, refresh } = useClusters();
  const { summary, retry } = useLive();
  const { connection } = useList(summary);
  const { name } = useParams({ strict: false });
  // No cluster can be in the way: a name is asked for by its number in the API, and `new` adds one here.
  const isAdding = name === 'new';
  const asked = isAdding ? undefined : name;
  const edited = rows?.find(({ cluster }) => cluster.name === asked)?.cluster;
  const [removed, setRemoved] = useState<Cluster>();
  useTitle(t('nav.clusters'), undefined, connection.phase === 'open');
  usePageKeys({});
  const toAll = () => void navigate({ to: '/clusters/{-$name}', params: { name: undefined } });
  const edit = (cluster: Cluster) => void navigate({ to: '/clusters/{-$name}', params: { name: cluster.name } });
  return (
    <>
      <Head title={t('nav.clusters')} sub={useSummary(rows)}>
        <Link to="/clusters/{-$name}" params={{ name: 'new' }} className={buttonNames('primary')}>
          <Icon name="plus" />
          {t('clusters.add')}
        </Link>
      </Head>
      <ConnectionNote connection={connection} onRetry={retry} />
      {error !== null && <Note>{sentence(error)}</Note>}
      {asked !== undefined && rows !== undefined && edited === undefined && (
        <Note>{t('clusters.noSuch', { name: asked })}</Note>
      )}
      <div className={styles.split}>
        {rows !== undefined && <All rows={rows} onEdit={edit} onRemove={setRemoved} />}
        {(isAdding || edited !== undefined) && (
          <ClusterPanel
            key={edited?.id ?? 'new'}
            cluster={edited}
            onClose={toAll}
            onDone={() => {
              void refresh();
              toAll();
            }}
          />
        )}
      </div>
      <Foot region="clusters">{null}</Foot>
      <RemoveDialog
        cluster={removed}
        onClose={() => {
          setRemoved(undefined);
        }}
        onRemoved={() => {
          setRemoved(undefined);
          void refresh();
          toAll();
        }}
      />
    </>
  );
}

interface AllProps {
  readonly rows: readonly Row[];
  readonly onEdit: (cluster: Cluster) => void;
  readonly onRemove: (cluster: Cluster) => void;
}

function All({ rows, onEdit, onRemove }: AllProps) {
  const { t } = useTranslation();
  if (rows.length === 0) {
    return (
      <div className={styles.empty}>
        <h2>{t('empty.noCluster')}</h2>
        <p>{t('clusters.noneThen')}</p>
      </div>
    );
  }
  if (rows.length > CARDS) return <ClusterTable rows={rows} onEdit={onEdit} onRemove={onRemove} />;
  return (
    <div className={styles.cards}>
      {rows.map((row, number) => (
        <ClusterCard
          key={row.cluster.id}
          row={row}
          number={number}
          onEdit={() => {
            onEdit(row.cluster);
          }}
          onRemove={() => {
            onRemove(row.cluster);
          }}
        />
      ))}
    </div>
  );
}

/** Returns how many clusters there are, and how many of them are in which state. */
function useSummary(rows: readonly Row[] | undefined): string {
  const { t } = useTranslation();
  if (rows === undefined) return '';
  const count = (standing: Standing) =>
    rows.filter(({ cluster }) => standingOf(cluster.sync.state) === standing).length;
  const parts = (['live', 'stale', 'reading', 'failed'] as const)
    .map((standing) => ({ standing, count: count(standing) }))
    .filter((part) => part.count > 0)
    .map((part) => t(`clusters.some_${part.standing}`, { count: part.count }));
  return rows.length === 0 ? '' : t('clusters.summary', { all: rows.length, parts: parts.join(t('clusters.comma')) });
}
