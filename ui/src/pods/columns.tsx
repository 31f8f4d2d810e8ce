import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../app/icons';
import { StateMark } from '../app/icons';
import { ClusterName } from '../clusters/ClusterName';
import type { Column } from '../grid/Grid';
import type { ClusterState } from '../live/frames';
import { AgeCell, NameCell, ReadyCell, RestartsCell, TextCell } from './cells';
import styles from './columns.module.css';
import type { Pod } from './pod';
import { naturalOrder, type PodQuery, type Sort, sortedBy } from './query';
import { StatusWord } from './StatusWord';
import { WhyCell } from './WhyCell';

/** The columns that can be shown, in their usual order. */
export const COLUMNS = [
  'name',
  'status',
  'ready',
  'restarts',
  'age',
  'namespace',
  'cluster',
  'node',
  'why',
  'podIP',
  'hostIP',
  'owner',
  'images',
  'qosClass',
  'created',
] as const;
export type ColumnId = (typeof COLUMNS)[number];

/** Their widths, as tracks of a CSS grid. */
const WIDTHS: Record<ColumnId, string> = {
  name: 'minmax(150px, 236px)',
  status: '168px',
  ready: '58px',
  restarts: '98px',
  age: '64px',
  namespace: '98px',
  cluster: '150px',
  node: '128px',
  why: 'minmax(120px, 1fr)',
  podIP: '112px',
  hostIP: '112px',
  owner: '180px',
  images: '200px',
  qosClass: '92px',
  created: '150px',
};

/** The sorts of the columns that the server can sort by. */
const SORTS: Partial<Record<ColumnId, Sort>> = {
  name: 'name',
  status: 'status',
  restarts: 'restarts',
  age: 'createdAt',
  namespace: 'namespace',
  node: 'nodeName',
  why: 'problem',
  qosClass: 'qosClass',
  created: 'createdAt',
};

/** Returns which columns are shown at first. A cluster that the query names is not repeated in each row. */
export function usualColumns(query: PodQuery, width: number): ColumnId[] {
  const columns: ColumnId[] = ['name', 'status', 'ready', 'restarts', 'age', 'namespace'];
  if (query.cluster.length !== 1) columns.push('cluster');
  if (width >= 1600) columns.push('node');
  columns.push('why');
  if (width >= 1920) columns.push('podIP');
  return columns;
}

interface Selection {
  readonly isPicked: (key: string) => boolean;
  readonly toggle: (key: string) => void;
  readonly all: boolean | 'mixed';
  readonly toggleAll: () => void;
}

interface ColumnsOptions {
  readonly ids: readonly ColumnId[];
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery) => void;
  readonly clusters: readonly ClusterState[];
  readonly selection: Selection;
}

/** Returns the columns of the list. */
export function useColumns({ ids, query, onQuery, clusters, selection }: ColumnsOptions): Column<Pod>[] {
  const { t } = useTranslation();
  return useMemo(() => {
    const numbers = new Map(clusters.map(({ name }, number) => [name, number]));
    const stale = new Set(
      clusters.filter(({ state }) => state === 'stale' || state === 'failed').map(({ name }) => name),
    );
    const cells: Record<ColumnId, (pod: Pod) => React.ReactNode> = {
      name: (pod) => <NameCell pod={pod} />,
      status: (pod) => <StatusWord pod={pod} />,
      ready: (pod) => <ReadyCell pod={pod} />,
      restarts: (pod) => <RestartsCell pod={pod} />,
      age: (pod) => <AgeCell pod={pod} />,
      namespace: (pod) => <TextCell text={pod.namespace} />,
      cluster: (pod) => (
        <span className={styles.cluster}>
          <ClusterName name={pod.cluster} number={numbers.size > 8 ? undefined : numbers.get(pod.cluster)} />
          {stale.has(pod.cluster) && <StateMark shape="warn" />}
        </span>
      ),
      node: (pod) => <TextCell text={pod.nodeName} />,
      why: (pod) => <WhyCell pod={pod} />,
      podIP: (pod) => <TextCell text={pod.podIP} />,
      hostIP: (pod) => <TextCell text={pod.hostIP} />,
      owner: (pod) => <TextCell text={pod.owner === null ? '' : `${pod.owner.kind} ${pod.owner.name}`} />,
      images: (pod) => <TextCell text={pod.containers.map(({ image }) => image).join(', ')} />,
      qosClass: (pod) => <TextCell text={pod.qosClass} />,
      created: (pod) => <TextCell text={pod.createdAt} />,
    };
    const select: Column<Pod> = {
      id: 'select',
      width: '30px',
      head: <Check label={t('list.pickAll')} state={selection.all} onToggle={selection.toggleAll} />,
      cell: (pod, key) => (
        <Check
          label={t('list.pick', { name: pod.name })}
          state={selection.isPicked(key)}
          onToggle={() => {
            selection.toggle(key);
          }}
        />
      ),
    };
    const rest = ids.map((id): Column<Pod> => {
      const sort = SORTS[id];
      const current = query.sort === '' ? 'createdAt' : query.sort;
      const shown = sort === current ? arrowOf(sort, query.order) : 'none';
      const hint = id === 'why' && shown !== 'none' && <span className={styles.hint}>{t('column.worstFirst')}</span>;
      return {
        id,
        width: WIDTHS[id],
        isName: id === 'name',
        head: (
          <>
            {t(`column.${id}`)}
            {shown !== 'none' && sort !== undefined && (
              <Icon name={shown === 'ascending' ? 'sortUp' : 'sortDown'} size="small" />
            )}
            {hint}
          </>
        ),
        cell: cells[id],
        ...(sort !== undefined && {
          sort: shown,
          onSort: () => {
            onQuery(sortedBy(query, sort));
          },
        }),
      };
    });
    return [select, ...rest];
  }, [t, ids, query, onQuery, clusters, selection]);
}

/** Returns the direction that a reader sees: newest first is the smallest age first. */
function arrowOf(sort: Sort, asked: PodQuery['order']): 'ascending' | 'descending' {
  const order = asked === '' ? naturalOrder(sort) : asked;
  const isReversed = sort === 'createdAt';
  return (order === 'asc') !== isReversed ? 'ascending' : 'descending';
}

interface CheckProps {
  readonly label: string;
  readonly state: boolean | 'mixed';
  readonly onToggle: () => void;
}

/** A check box of a row. */
function Check({ label, state, onToggle }: CheckProps) {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={state}
      aria-label={label}
      tabIndex={-1}
      className={styles.check}
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
      onDoubleClick={(event) => {
        event.stopPropagation();
      }}
    >
      <span className={styles.box}>
        {state !== false && <Icon name={state === 'mixed' ? 'dash' : 'check'} size="small" />}
      </span>
    </button>
  );
}
