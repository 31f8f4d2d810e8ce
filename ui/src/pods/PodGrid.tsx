import { type KeyboardEvent, type MouseEvent, type Ref, useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { Key } from '../app/Key';
import { useWidth } from '../app/useWidth';
import type { Cursor } from '../grid/cursor';
import { Grid, type GridHandle, type Look } from '../grid/Grid';
import type { LiveList, ListState } from '../live/list';
import { type ColumnId, useColumns, usualColumns } from './columns';
import type { Pod } from './pod';
import styles from './PodGrid.module.css';
import type { PodQuery } from './query';
import { useRowSentence } from './sentence';
import { useHold } from './useHold';
import type { useSelection } from './useSelection';

/** The columns beside an open pod. */
const BESIDE: readonly ColumnId[] = ['name', 'status', 'restarts', 'age'];

interface PodGridProps {
  readonly ref: Ref<GridHandle>;
  readonly label: string;
  readonly list: LiveList<Pod>;
  readonly state: ListState;
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery) => void;
  readonly picking: ReturnType<typeof useSelection>['picking'];
  /** The key of the open pod, if one is open. */
  readonly openKey: string | undefined;
  readonly cursor: Cursor | undefined;
  readonly onCursor: (cursor: Cursor) => void;
  readonly onOpen: (key: string) => void;
  readonly onRowClick: (key: string, event: MouseEvent) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** The rows of the list, and the pill that offers an order that waits. */
export function PodGrid(props: PodGridProps) {
  const { list, state, query, onQuery, picking, openKey } = props;
  const { t } = useTranslation();
  const width = useWidth();
  const isOpen = openKey !== undefined;
  const ids = useMemo(() => (isOpen ? BESIDE : usualColumns(query, width)), [query, width, isOpen]);
  const columns = useColumns({ ids, query, onQuery, clusters: state.clusters, selection: picking });
  const sentence = useRowSentence();
  const onTop = useHold(list);
  const onLook = useCallback(
    (first: number, count: number) => {
      list.look(first, count);
    },
    [list],
  );
  const look = useCallback(
    (key: string): Look => ({
      isPicked: picking.isPicked(key),
      isGone: list.isGone(key),
      isLeft: state.left.has(key),
      isOpen: key === openKey,
    }),
    [picking, list, state.left, openKey],
  );
  return (
    <div className={styles.area}>
      <Grid<Pod>
        ref={props.ref}
        label={props.label}
        columns={columns}
        place={state.shown}
        total={state.shownTotal}
        row={list.row}
        look={look}
        sentence={sentence}
        cursor={props.cursor}
        onCursor={props.onCursor}
        onOpen={props.onOpen}
        onRowClick={props.onRowClick}
        onLook={onLook}
        onTop={onTop}
        onKeyDown={props.onKeyDown}
        isDimmed={state.connection.lostAt !== undefined}
      />
      {state.waiting !== undefined && (
        <button type="button" className={styles.pill} onClick={list.apply}>
          {state.waiting > 0 ? t('list.waiting', { count: state.waiting }) : t('list.orderChanged')}
          <span className={styles.show}>{t('list.show')}</span>
          <Key name="." />
        </button>
      )}
    </div>
  );
}
