import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, lazy, type MouseEvent, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { copyText } from '../app/copyText';
import { Foot } from '../app/Foot';
import { Head, LiveMark } from '../app/Head';
import { IS_MAC, KeyReader } from '../app/keys';
import { useList, useLive, useNotWell } from '../app/live';
import { usePageKeys } from '../app/pageKeys';
import { lazily } from '../app/release';
import { useTitle } from '../app/title';
import type { Cursor } from '../grid/cursor';
import type { GridHandle } from '../grid/Grid';
import type { ListState } from '../live/list';
import { pageOf, type Place, writeSpot } from '../pod/place';
import { questionOf } from './ask';
import { Causes } from './Causes';
import { Empty } from './Empty';
import { act, type ListContext } from './listActions';
import { Notes } from './Notes';
import { PodGrid } from './PodGrid';
import styles from './PodsPage.module.css';
import { QueryBar } from './QueryBar';
import { isSameQuery, NOT_WELL, type PodQuery } from './query';
import { SelectionBar } from './SelectionBar';
import { Strip } from './Strip';
import { useDeletion } from './useDeletion';
import { placeOf, useOpenPod } from './useOpenPod';
import { usePodQuery } from './usePodQuery';
import { useSelectAll } from './useSelectAll';
import { useSelection } from './useSelection';

const loadDrawer = () => lazily(() => import('../pod/Drawer'));
const Drawer = lazy(async () => ({ default: (await loadDrawer()).Drawer }));

/** The list of pods, and one of them beside it. At the start it shows what is not well. */
export function PodsPage() {
  const { t } = useTranslation();
  const url = usePodQuery();
  const { query, setQuery, place, setPlace } = url;
  const { pods: list, summary: counts, retry } = useLive();
  const state = useList(list);
  const summary = useList(counts);
  const notWell = useNotWell();
  useEffect(() => {
    list.ask(questionOf(query));
  }, [list, query]);
  const title = isSameQuery(query, NOT_WELL) ? t('view.notWell') : t('nav.pods');
  useTitle(title, notWell, state.connection.phase === 'open');
  const change = useCallback(
    (next: PodQuery) => {
      setQuery(next, false);
    },
    [setQuery],
  );

  const grid = useRef<GridHandle>(null);
  const search = useRef<HTMLInputElement>(null);
  const [cursor, setCursor] = useState<Cursor>();
  const { selection, setSelection, picking, here, pickRange, clear } = useSelection(list, state);
  const { toggle } = picking;
  const { openKey, isOpen, open, move } = useOpenPod({ list, state, url, grid, onCursor: setCursor });
  const navigate = useNavigate();
  const isAnswered = state.answered !== undefined;
  useEffect(() => {
    // The drawer is there before somebody asks for it, but never before the rows.
    if (isAnswered) void loadDrawer();
  }, [isAnswered]);
  const toPage = (of: Place) => void navigate({ to: pageOf(of), search: writeSpot(of) });
  const { begin, dialog, line } = useDeletion(state.clusters);
  const matches = useSelectAll(query, state.total, selection, setSelection);
  /** The pods that are picked, or the cursor's. */
  const chosen = () => {
    const current = cursor === undefined ? undefined : list.row(cursor.key);
    if (selection.size > 0) return [...selection.values()];
    return current === undefined ? [] : [current];
  };
  const copyNames = () => {
    const names = chosen().map(({ name }) => name);
    if (names.length > 0) void copyText(names.join('\n'));
  };
  const askToDelete = () => {
    begin(chosen());
  };
  const closePod = () => {
    setPlace(undefined, false);
    grid.current?.focus();
  };
  const onKeyDown = useListKeys(() => ({
    list,
    grid: grid.current,
    cursor,
    query,
    onQuery: change,
    toggle,
    pickRange,
    toggleAll: picking.toggleAll,
    copyNames,
    askToDelete,
    open,
    openPage: (key) => {
      const pod = list.row(key);
      if (pod !== undefined) toPage(placeOf(pod, 'overview'));
    },
    close: isOpen ? closePod : selection.size > 0 ? clear : undefined,
  }));
  const tab = place?.tab;
  // Rows are drawn anew only if what they are given is another.
  const onRowClick = useCallback(
    (key: string, event: MouseEvent) => {
      if (event.shiftKey) pickRange(key);
      else if (event.metaKey || event.ctrlKey) toggle(key);
      else if (isOpen || isOnName(event.target)) open(key, tab);
    },
    [pickRange, toggle, isOpen, open, tab],
  );
  usePageKeys({
    search: () => {
      search.current?.focus();
      search.current?.select();
    },
  });

  const isKnown = state.answered !== undefined || state.refusal !== undefined;
  const isEmpty = isKnown && state.shownTotal === 0 && (state.answered === undefined || !state.isAsking);
  const known = summary.answered === undefined ? undefined : { pods: summary.total, notWell: notWell ?? 0 };
  return (
    <>
      <Head title={title} sub={useSub(state, isKnown)}>
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
            <Empty state={state} query={query} onQuery={change} known={known} />
          ) : (
            <PodGrid
              ref={grid}
              label={title}
              list={list}
              state={state}
              query={query}
              onQuery={change}
              picking={picking}
              openKey={openKey}
              cursor={cursor}
              onCursor={setCursor}
              onOpen={open}
              onRowClick={onRowClick}
              onKeyDown={onKeyDown}
            />
          )}
        </div>
        {place !== undefined && openKey !== undefined && (
          <Suspense fallback={null}>
            <Drawer
              place={place}
              listed={list.row(openKey)}
              clusterNumber={numberOf(state, place.cluster)}
              onPlace={(next) => {
                setPlace(next, true);
              }}
              onClose={closePod}
              onMove={move}
              onPage={() => {
                toPage(place);
              }}
              onDelete={(pod) => {
                begin([pod]);
              }}
            />
          </Suspense>
        )}
      </div>
      {selection.size > 0 ? (
        <SelectionBar
          count={selection.size}
          elsewhere={selection.size - here}
          matches={picking.all === true ? matches.count : undefined}
          onAll={() => {
            matches.select();
            // The offer leaves with the click, and the focus must not be lost with it.
            grid.current?.focus();
          }}
          onCopy={copyNames}
          onDelete={askToDelete}
          onClear={clear}
          // The list's keys act in its bar, too, except those that press a button.
          onKeyDown={(event) => {
            if (event.key !== 'Enter' && event.key !== ' ') onKeyDown(event);
          }}
        />
      ) : (
        <Foot region={isOpen ? 'pod' : 'list'}>
          {line}
          {isKnown && state.shownTotal > 0 && <Rows total={state.total} />}
        </Foot>
      )}
      {dialog}
    </>
  );
}

/** Returns what follows the keys of the list. Keys of the whole page are left to the page. */
function useListKeys(context: () => ListContext): (event: KeyboardEvent) => void {
  const [reader] = useState(() => new KeyReader());
  return (event) => {
    const action = reader.read(event, 'list', event.timeStamp, IS_MAC);
    if (action === undefined || !act(action, context())) return;
    event.preventDefault();
    event.stopPropagation();
  };
}

/** Returns how many pods there are, on how many clusters. */
function useSub({ total, clusters }: ListState, isKnown: boolean): string {
  const { t, i18n } = useTranslation();
  if (!isKnown) return '';
  return t('list.podsInClusters', {
    pods: t('list.pods', { count: total, number: new Intl.NumberFormat(i18n.language).format(total) }),
    clusters: t('list.clusters', { count: clusters.length }),
  });
}

/** How many pods the list has. */
function Rows({ total }: { total: number }) {
  const { t, i18n } = useTranslation();
  return <span>{t('list.pods', { count: total, number: new Intl.NumberFormat(i18n.language).format(total) })}</span>;
}

/** The most clusters that each have a colour. */
const COLOURED = 8;

/** Returns the place of a cluster, which gives its colour. */
function numberOf({ clusters }: ListState, name: string): number | undefined {
  const place = clusters.findIndex((cluster) => cluster.name === name);
  return place < 0 || clusters.length > COLOURED ? undefined : place;
}

/** Whether a click is on a row's name, which opens its pod. */
function isOnName(target: EventTarget): boolean {
  return target instanceof Element && target.closest('[data-name]') !== null;
}
