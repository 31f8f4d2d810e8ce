import { useNavigate, useRouterState } from '@tanstack/react-router';
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { copyText } from '../app/copyText';
import { Foot } from '../app/Foot';
import { Head, LiveMark } from '../app/Head';
import { Key } from '../app/Key';
import { type Action, IS_MAC, KeyReader } from '../app/keys';
import { useList, useLive, useNotWell } from '../app/live';
import { usePageKeys } from '../app/pageKeys';
import { useTitle } from '../app/title';
import type { Cursor } from '../grid/cursor';
import { Grid, type GridHandle, type Look } from '../grid/Grid';
import { keyOf } from '../live/window';
import { Drawer } from '../pod/Drawer';
import { type Place, readPlace, type Tab, writePlace } from '../pod/place';
import { questionOf } from './ask';
import { Causes } from './Causes';
import { type ColumnId, useColumns, usualColumns } from './columns';
import { Empty } from './Empty';
import { Notes } from './Notes';
import type { Pod } from './pod';
import styles from './PodsPage.module.css';
import { QueryBar } from './QueryBar';
import { isSameQuery, NOT_WELL, type PodQuery, readQuery, type Sort, sortedBy, writeQuery } from './query';
import { added, between, NOTHING, removed, type Selection, toggled } from './selection';
import { SelectionBar } from './SelectionBar';
import { useRowSentence } from './sentence';
import { Strip } from './Strip';
import { useDeletion } from './useDeletion';
import { useHold } from './useHold';
import { useSelectAll } from './useSelectAll';
import { useWidth } from '../app/useWidth';

const SORT_KEYS: Partial<Record<Action, Sort>> = {
  sortName: 'name',
  sortStatus: 'status',
  sortRestarts: 'restarts',
  sortAge: 'createdAt',
  sortNode: 'nodeName',
  sortNamespace: 'namespace',
  sortWhy: 'problem',
};

/** The list of pods. At the start it shows what is not well. */
export function PodsPage() {
  const { t, i18n } = useTranslation();
  const { query, setQuery, place, setPlace } = usePodQuery();
  const { pods: list, retry } = useLive();
  const state = useList(list);
  const summary = useList(useLive().summary);
  useEffect(() => {
    list.ask(questionOf(query));
  }, [list, query]);
  const notWell = useNotWell();
  const allPods = summary.answered === undefined ? undefined : summary.total;
  const isNotWell = isSameQuery(query, NOT_WELL);
  const title = isNotWell ? t('view.notWell') : t('nav.pods');
  useTitle(title, notWell, state.connection.phase === 'open');

  const [cursor, setCursor] = useState<Cursor>();
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const lastPicked = useRef<string>(undefined);
  const grid = useRef<GridHandle>(null);
  const search = useRef<HTMLInputElement>(null);
  const onTop = useHold(list);
  const onLook = useCallback(
    (first: number, count: number) => {
      list.look(first, count);
    },
    [list],
  );
  const width = useWidth();
  const isOpen = place !== undefined;
  const ids = useMemo(() => (isOpen ? BESIDE : usualColumns(query, width)), [query, width, isOpen]);
  const change = useCallback(
    (next: PodQuery) => {
      setQuery(next, false);
    },
    [setQuery],
  );

  const toggle = useCallback(
    (key: string) => {
      const pod = list.row(key);
      if (pod === undefined) return;
      lastPicked.current = key;
      setSelection((now) => toggled(now, pod));
    },
    [list],
  );
  const pickRange = useCallback(
    (from: string | undefined, to: string) => {
      const keys = between(list.state().shown.keys, from ?? to, to);
      const range = keys.flatMap((key) => list.row(key) ?? []);
      lastPicked.current = to;
      setSelection((now) => added(now, range));
    },
    [list],
  );
  const { shown } = state;
  const openKey = place === undefined ? undefined : keyOf(place);
  const picked = shown.keys.filter((key) => selection.has(key)).length;
  const all = picked === 0 ? false : picked === shown.keys.length ? true : ('mixed' as const);
  const toggleAll = useCallback(() => {
    const keys = list.state().shown.keys;
    setSelection((now) => {
      const isAll = keys.length > 0 && keys.every((key) => now.has(key));
      return isAll
        ? removed(now, keys)
        : added(
            now,
            keys.flatMap((key) => list.row(key) ?? []),
          );
    });
  }, [list]);
  const picking = useMemo(
    () => ({ isPicked: (key: string) => selection.has(key), toggle, all, toggleAll }),
    [selection, toggle, all, toggleAll],
  );
  const columns = useColumns({ ids, query, onQuery: change, clusters: state.clusters, selection: picking });
  const sentence = useRowSentence();
  const look = useCallback(
    (key: string): Look => ({
      isPicked: selection.has(key),
      isGone: list.isGone(key),
      isLeft: state.left.has(key),
      isOpen: key === openKey,
    }),
    [selection, list, state.left, openKey],
  );

  const open = useCallback(
    (key: string, tab: Tab = 'overview', isPrevious = false) => {
      const pod = list.row(key);
      if (pod === undefined) return;
      const { cluster, namespace, name, uid } = pod;
      setPlace({ cluster, namespace, name, uid, tab, container: '', isPrevious }, isOpen);
    },
    [list, setPlace, isOpen],
  );
  const openMore = useCallback(
    (step: 1 | -1) => {
      const at = openKey === undefined ? -1 : shown.keys.indexOf(openKey);
      const key = shown.keys[at + step];
      if (at < 0 || key === undefined) return;
      setCursor({ key, index: shown.offset + at + step });
      open(key, place?.tab);
    },
    [openKey, shown, open, place?.tab],
  );
  const onRowClick = useCallback(
    (key: string, event: MouseEvent) => {
      if (event.shiftKey) pickRange(lastPicked.current, key);
      else if (event.metaKey || event.ctrlKey) toggle(key);
      else if (isOpen || isOnName(event.target)) open(key, place?.tab);
    },
    [pickRange, toggle, isOpen, open, place?.tab],
  );
  const { begin, dialog, line } = useDeletion(state.clusters);
  const ask = useCallback(() => {
    const chosen = [...selection.values()];
    const current = cursor === undefined ? undefined : list.row(cursor.key);
    begin(chosen.length > 0 ? chosen : current === undefined ? [] : [current]);
  }, [selection, cursor, list, begin]);
  const matches = useSelectAll(query, state.total, selection, setSelection);
  const copyNames = useCallback(() => {
    const chosen = [...selection.values()];
    const current = cursor === undefined ? undefined : list.row(cursor.key);
    const names = (chosen.length > 0 ? chosen : current === undefined ? [] : [current]).map(({ name }) => name);
    if (names.length > 0) void copyText(names.join('\n'));
  }, [selection, cursor, list]);

  const act = useCallback(
    (action: Action): boolean => {
      const handle = grid.current;
      const key = cursor?.key;
      const pod = key === undefined ? undefined : list.row(key);
      const sort = SORT_KEYS[action];
      if (sort !== undefined) change(sortedBy(query, sort));
      else if (action === 'next') handle?.move(1);
      else if (action === 'previous') handle?.move(-1);
      else if (action === 'first') handle?.moveTo(0);
      else if (action === 'last') handle?.moveTo(Number.MAX_SAFE_INTEGER);
      else if (action === 'pageDown') handle?.move(Math.max(1, handle.visible - 1));
      else if (action === 'pageUp') handle?.move(-Math.max(1, handle.visible - 1));
      else if (action === 'pick' && key !== undefined) toggle(key);
      else if ((action === 'pickDown' || action === 'pickUp') && cursor !== undefined) {
        const next = shown.keys[cursor.index - shown.offset + (action === 'pickDown' ? 1 : -1)];
        if (next !== undefined) pickRange(cursor.key, next);
        handle?.move(action === 'pickDown' ? 1 : -1);
      } else if (action === 'open' && key !== undefined) open(key);
      else if (action === 'log' && key !== undefined) open(key, 'logs');
      else if (action === 'lastLog' && key !== undefined) open(key, 'logs', true);
      else if (action === 'events' && key !== undefined) open(key, 'events');
      else if (action === 'pickAll') toggleAll();
      else if (action === 'copy') copyNames();
      else if (action === 'delete') ask();
      else if (action === 'apply') list.apply();
      else if (action === 'everyNamespace') change({ ...query, namespace: [] });
      else if (action === 'node' && pod !== undefined && pod.nodeName !== '')
        change({ ...query, nodeName: [pod.nodeName] });
      else if (action === 'clear' && isOpen) setPlace(undefined, false);
      else if (action === 'clear' && selection.size > 0) setSelection(NOTHING);
      else return false;
      return true;
    },
    [
      cursor,
      list,
      change,
      query,
      toggle,
      shown,
      pickRange,
      toggleAll,
      copyNames,
      ask,
      selection.size,
      open,
      isOpen,
      setPlace,
    ],
  );
  const reader = useRef(new KeyReader());
  const onKeyDown = (event: KeyboardEvent) => {
    const action = reader.current.read(event, 'list', event.timeStamp, IS_MAC);
    // Keys of the whole page are the page's own.
    if (action === undefined || !act(action)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  // The list's keys act in its bar, too, except those that press a button.
  const onBarKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') onKeyDown(event);
  };
  usePageKeys({
    search: () => {
      search.current?.focus();
      search.current?.select();
    },
  });

  const number = new Intl.NumberFormat(i18n.language);
  const clusterPlace = state.clusters.findIndex(({ name }) => name === place?.cluster);
  const clusterNumber = clusterPlace < 0 || state.clusters.length > 8 ? undefined : clusterPlace;
  const clusters = state.clusters.length;
  const isKnown = state.answered !== undefined || state.refusal !== undefined;
  const isEmpty = isKnown && state.shownTotal === 0 && (state.answered === undefined || !state.isAsking);
  const isLost = state.connection.lostAt !== undefined;
  const sub = isKnown
    ? t('list.podsInClusters', {
        pods: t('list.pods', { count: state.total, number: number.format(state.total) }),
        clusters: t('list.clusters', { count: clusters }),
      })
    : '';
  return (
    <>
      <Head title={title} sub={sub}>
        <LiveMark connection={state.connection} clusters={state.clusters} />
      </Head>
      <div className={styles.split}>
        <div className={styles.left}>
          <QueryBar
            query={query}
            onQuery={setQuery}
            searchRef={search}
            onLeave={() => {
              if (state.shownTotal > 0) grid.current?.focus();
            }}
          />
          <Strip query={query} onQuery={change} facets={state.facets} total={state.facetTotals['status']} />
          {query.problem && <Causes query={query} onQuery={change} facets={state.facets} />}
          <Notes
            connection={state.connection}
            clusters={state.clusters}
            facets={summary.facets}
            query={query}
            onQuery={change}
            onRetry={retry}
            recovered={state.recovered}
          />
          {isEmpty ? (
            <Empty
              state={state}
              query={query}
              onQuery={change}
              known={allPods === undefined ? undefined : { pods: allPods, notWell: notWell ?? 0 }}
            />
          ) : (
            <div className={styles.listArea}>
              <Grid<Pod>
                ref={grid}
                label={title}
                columns={columns}
                place={shown}
                total={state.shownTotal}
                row={list.row}
                look={look}
                sentence={sentence}
                cursor={cursor}
                onCursor={setCursor}
                onOpen={(key) => {
                  open(key);
                }}
                onRowClick={onRowClick}
                onLook={onLook}
                onTop={onTop}
                onKeyDown={onKeyDown}
                isDimmed={isLost}
              />
              {state.waiting !== undefined && (
                <button type="button" className={styles.pill} onClick={list.apply}>
                  {state.waiting > 0 ? t('list.waiting', { count: state.waiting }) : t('list.orderChanged')}
                  <span className={styles.show}>{t('list.show')}</span>
                  <Key name="." />
                </button>
              )}
            </div>
          )}
        </div>
        {place !== undefined && (
          <Drawer
            place={place}
            row={list.row(keyOf(place))}
            clusterNumber={clusterNumber}
            onPlace={(next) => {
              setPlace(next, true);
            }}
            onClose={() => {
              setPlace(undefined, false);
              grid.current?.focus();
            }}
            onMove={openMore}
          />
        )}
      </div>
      {selection.size > 0 ? (
        <SelectionBar
          count={selection.size}
          elsewhere={selection.size - picked}
          matches={all === true ? matches.count : undefined}
          onAll={() => {
            matches.select();
            // The offer leaves with the click, and the focus must not be lost with it.
            grid.current?.focus();
          }}
          onCopy={copyNames}
          onDelete={ask}
          onKeyDown={onBarKeyDown}
          onClear={() => {
            setSelection(NOTHING);
          }}
        />
      ) : (
        <Foot region="list">
          {line}
          {isKnown && state.shownTotal > 0 && <Rows total={state.total} />}
        </Foot>
      )}
      {dialog}
    </>
  );
}

/** Which rows are seen. */
function Rows({ total }: { total: number }) {
  const { t, i18n } = useTranslation();
  return <span>{t('list.pods', { count: total, number: new Intl.NumberFormat(i18n.language).format(total) })}</span>;
}

/** The columns beside an open pod. */
const BESIDE: readonly ColumnId[] = ['name', 'status', 'restarts', 'age'];

/** Whether a click is on a row's name, which opens its pod. */
function isOnName(target: EventTarget): boolean {
  return target instanceof Element && target.closest('[data-name]') !== null;
}

/**
 * Returns the query and the open pod of the URL, and what changes them. Typing and moving on replace
 * the URL; everything else can be gone back from.
 */
function usePodQuery() {
  const navigate = useNavigate();
  const isStart = useRouterState({ select: ({ location }) => !location.pathname.endsWith('/pods') });
  const searchText = useRouterState({ select: ({ location }) => location.searchStr });
  const search = useRouterState({ select: ({ location }) => location.search });
  // The text decides whether the query is another one: the router makes a new object each time.
  const query = useMemo(() => (isStart ? NOT_WELL : readQuery(search)), [isStart, searchText]);
  const place = useMemo(() => (isStart ? undefined : readPlace(search)), [isStart, searchText]);
  const setQuery = useCallback(
    (next: PodQuery, isTyping: boolean) => {
      if (isSameQuery(next, query)) return;
      const to = { ...writeQuery(next), ...writePlace(place) };
      void navigate({ to: '/pods', search: to, replace: isTyping && !isStart });
    },
    [navigate, query, place, isStart],
  );
  const setPlace = useCallback(
    (next: Place | undefined, isMoving: boolean) => {
      void navigate({ to: '/pods', search: { ...writeQuery(query), ...writePlace(next) }, replace: isMoving });
    },
    [navigate, query],
  );
  return { query, setQuery, place, setPlace };
}
