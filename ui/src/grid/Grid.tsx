import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  type MouseEvent,
  memo,
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';

import { type Place, shiftOf } from '../live/window';
import { type Cursor, follow, keyAt } from './cursor';
import styles from './Grid.module.css';

/** The greatest height of the list in pixels: browsers lose precision beyond it. */
const HIGHEST = 8_000_000;
/** Rows that are drawn above and below those that are seen. */
const OVERSCAN = 12;

/** A column. Its cells show a row; the first column's are the row's name. */
export interface Column<Row> {
  readonly id: string;
  /** A track of a CSS grid. */
  readonly width: string;
  readonly head: ReactNode;
  /** How the list is sorted by it, as its cells show it; `none` if it could be, absent if it can't. */
  readonly sort?: 'ascending' | 'descending' | 'none';
  readonly onSort?: () => void;
  readonly cell: (row: Row, key: string) => ReactNode;
  /** Whether its cell holds the row's name and takes the focus. */
  readonly isName?: boolean;
}

/** How a row looks. */
export interface Look {
  readonly isPicked?: boolean;
  readonly isOpen?: boolean;
  readonly isGone?: boolean;
  readonly isLeft?: boolean;
}

/** What the owner of a grid may do with it. */
export interface GridHandle {
  /** Moves the cursor by rows, and into sight. */
  move(rows: number): void;
  /** Moves the cursor to a place of the list, and into sight. */
  moveTo(index: number): void;
  /** Brings a place of the list into sight. */
  reveal(index: number): void;
  /** Puts the focus on the cursor's row, or on the first. */
  focus(): void;
  /** Scrolls to the top. */
  toTop(): void;
  /** How many rows are seen. */
  readonly visible: number;
}

interface GridProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly place: Place;
  readonly total: number;
  readonly row: (key: string) => Row | undefined;
  readonly look: (key: string) => Look;
  /** The whole row as a sentence, for a screen reader. */
  readonly sentence: (row: Row) => string;
  readonly cursor: Cursor | undefined;
  readonly onCursor: (cursor: Cursor) => void;
  readonly onOpen: (key: string) => void;
  readonly onRowClick?: (key: string, event: MouseEvent) => void;
  /** Says which rows are seen, when that changes. */
  readonly onLook: (first: number, count: number) => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  /** Says that the list is at its top, or no longer. */
  readonly onTop?: (isTop: boolean) => void;
  readonly isDimmed?: boolean;
  readonly children?: ReactNode;
  readonly ref?: Ref<GridHandle>;
}

/**
 * A list of which only the rows that are seen are in the document, however long it is.
 *
 * When the list changes while it is scrolled, the first row that is seen whole stays where it is.
 * The cursor's row stays in the document, so that the focus is never lost.
 */
export function Grid<Row>(props: GridProps<Row>) {
  const { columns, place, total, row, cursor, onCursor, onLook } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLDivElement>(null);
  const height = useRowHeight(probe);
  const count = Math.min(total, Math.floor(HIGHEST / height));
  const cursorIndex = cursor?.index;
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) => {
        const seen = defaultRangeExtractor(range);
        if (cursorIndex === undefined || cursorIndex >= range.count || seen.includes(cursorIndex)) return seen;
        return [...seen, cursorIndex].sort((a, b) => a - b);
      },
      [cursorIndex],
    ),
  });
  // The height of a row follows the density and the browser's font size.
  useLayoutEffect(() => {
    virtualizer.measure();
  }, [virtualizer, height]);

  const before = useRef(place);
  useLayoutEffect(() => {
    const element = scroller.current;
    const last = before.current;
    before.current = place;
    if (element === null || last === place || element.scrollTop < height) return;
    const shift = shiftOf(last, place, Math.ceil(element.scrollTop / height));
    if (shift === 0) return;
    element.scrollTop += shift * height;
    virtualizer.scrollOffset = element.scrollTop;
    virtualizer.measure();
  }, [place, height, virtualizer]);

  const items = virtualizer.getVirtualItems();
  const seen = useSeen(scroller, height);
  useEffect(() => {
    onLook(seen.first, seen.count);
  }, [onLook, seen.first, seen.count, total]);
  const { onTop } = props;
  const isTop = seen.first === 0;
  useEffect(() => {
    onTop?.(isTop);
  }, [onTop, isTop]);

  const kept = useKept(cursor, row);
  const focusWanted = useRef(false);
  const reveal = useCallback(
    (index: number) => {
      const element = scroller.current;
      if (element === null) return;
      const room = Math.max(element.clientHeight - headHeight(element), height);
      if (index * height < element.scrollTop) element.scrollTop = index * height;
      else if ((index + 1) * height > element.scrollTop + room) element.scrollTop = (index + 1) * height - room;
    },
    [height],
  );
  const wanted = useRef<number>(undefined);
  const moveTo = useCallback(
    (target: number) => {
      const index = Math.max(0, Math.min(count - 1, target));
      if (count === 0) return;
      reveal(index);
      focusWanted.current = true;
      const key = keyAt(place, index);
      wanted.current = key === undefined ? index : undefined;
      if (key !== undefined) onCursor({ key, index });
    },
    [count, onCursor, place, reveal],
  );
  useEffect(() => {
    // The cursor follows its row, or takes the row that it was sent to before that was loaded.
    const key = wanted.current === undefined ? undefined : keyAt(place, wanted.current);
    if (wanted.current !== undefined && key !== undefined) {
      onCursor({ key, index: wanted.current });
      wanted.current = undefined;
      return;
    }
    const next = follow(cursor, place);
    if (next !== undefined && next !== cursor) onCursor(next);
  }, [place, cursor, onCursor]);
  useLayoutEffect(() => {
    if (!focusWanted.current || cursor === undefined) return;
    focusWanted.current = false;
    nameOf(scroller.current, cursor.key)?.focus({ preventScroll: true });
  }, [cursor]);
  const hadFocus = useRef(false);
  useLayoutEffect(() => {
    // The focused row has gone: the focus goes to the row that took its place.
    if (!hadFocus.current || document.activeElement !== document.body || cursor === undefined) return;
    nameOf(scroller.current, cursor.key)?.focus({ preventScroll: true });
  });

  useImperativeHandle(
    props.ref,
    () => ({
      move: (rows) => {
        moveTo(cursor === undefined ? (rows > 0 ? seen.first : seen.first + seen.count - 1) : cursor.index + rows);
      },
      moveTo,
      reveal,
      focus: () => {
        moveTo(cursor?.index ?? seen.first);
      },
      toTop: () => {
        if (scroller.current !== null) scroller.current.scrollTop = 0;
      },
      visible: seen.count,
    }),
    [moveTo, reveal, cursor, seen.first, seen.count],
  );

  const tracks = columns.map(({ width }) => width).join(' ');
  return (
    <div
      ref={scroller}
      className={[styles.scroller, props.isDimmed === true && styles.dimmed].filter(Boolean).join(' ')}
      role="grid"
      aria-label={props.label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length}
      style={{ '--tracks': tracks } as Record<string, string>}
      onKeyDown={props.onKeyDown}
      onFocus={() => (hadFocus.current = true)}
      onBlur={(event) => {
        hadFocus.current = event.relatedTarget === null && document.activeElement === document.body;
      }}
    >
      <div ref={probe} className={styles.probe} aria-hidden="true" />
      <Head columns={columns} />
      <div className={styles.body} role="rowgroup" style={{ height: count * height }}>
        {items.map(({ index, start }) => {
          const key = keyAt(place, index) ?? (index === cursorIndex ? cursor?.key : undefined);
          const data = key === undefined ? undefined : (row(key) ?? (key === cursor?.key ? kept : undefined));
          if (key === undefined || data === undefined) return <Unloaded key={`#${index}`} top={start} index={index} />;
          const isTabStop = cursor === undefined ? index === place.offset : key === cursor.key;
          return (
            <GridRow
              key={key}
              id={key}
              row={data}
              columns={columns as readonly Column<unknown>[]}
              sentence={props.sentence as (row: unknown) => string}
              top={start}
              index={index}
              isCursor={key === cursor?.key}
              isTabStop={isTabStop}
              {...props.look(key)}
              onCursor={onCursor}
              onOpen={props.onOpen}
              onRowClick={props.onRowClick}
            />
          );
        })}
      </div>
      {props.children}
    </div>
  );
}

function Head<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  return (
    <div role="rowgroup" className={styles.headGroup}>
      <div role="row" aria-rowindex={1} className={`${styles.row} ${styles.head}`}>
        {columns.map(({ id, head, sort, onSort }) => (
          <div
            key={id}
            role="columnheader"
            aria-sort={sort === undefined || sort === 'none' ? undefined : sort}
            className={[styles.cell, styles[id], sort !== undefined && sort !== 'none' && styles.sorted]
              .filter(Boolean)
              .join(' ')}
          >
            {onSort === undefined ? (
              head
            ) : (
              <button type="button" className={styles.sort} onClick={onSort} tabIndex={-1}>
                {head}
              </button>
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

function Unloaded({ top, index }: { top: number; index: number }) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-busy="true"
      className={`${styles.row} ${styles.unloaded}`}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div role="gridcell" className={styles.bar} />
    </div>
  );
}

interface RowProps extends Look {
  readonly id: string;
  readonly row: unknown;
  readonly columns: readonly Column<unknown>[];
  readonly sentence: (row: unknown) => string;
  readonly top: number;
  readonly index: number;
  readonly isCursor: boolean;
  readonly isTabStop: boolean;
  readonly onCursor: (cursor: Cursor) => void;
  readonly onOpen: (key: string) => void;
  readonly onRowClick: ((key: string, event: MouseEvent) => void) | undefined;
}

const GridRow = memo(function GridRow(props: RowProps) {
  const { id, row, columns, index, isCursor, isPicked, isOpen, isGone, isLeft } = props;
  const names = [
    styles.row,
    isCursor && styles.cursor,
    isPicked && styles.picked,
    isOpen && styles.open,
    isGone && styles.gone,
    isLeft && styles.left,
  ];
  return (
    <div
      role="row"
      data-key={id}
      aria-rowindex={index + 2}
      aria-selected={isPicked ?? false}
      className={names.filter(Boolean).join(' ')}
      style={{ transform: `translateY(${props.top}px)` }}
      onMouseDown={() => {
        props.onCursor({ key: id, index });
      }}
      onClick={(event) => props.onRowClick?.(id, event)}
      onDoubleClick={() => {
        props.onOpen(id);
      }}
    >
      {columns.map(({ id: column, cell, isName }) =>
        isName === true ? (
          <div
            key={column}
            role="rowheader"
            data-name
            tabIndex={props.isTabStop ? 0 : -1}
            aria-label={props.sentence(row)}
            className={[styles.cell, styles[column]].filter(Boolean).join(' ')}
            onFocus={() => {
              if (!isCursor) props.onCursor({ key: id, index });
            }}
          >
            {cell(row, id)}
          </div>
        ) : (
          <div key={column} role="gridcell" className={[styles.cell, styles[column]].filter(Boolean).join(' ')}>
            {cell(row, id)}
          </div>
        ),
      )}
    </div>
  );
});

/** Returns the cursor's row as it was last known, for when the window has moved away from it. */
function useKept<Row>(cursor: Cursor | undefined, row: (key: string) => Row | undefined): Row | undefined {
  const kept = useRef<{ key: string; row: Row }>(undefined);
  const current = cursor === undefined ? undefined : row(cursor.key);
  useEffect(() => {
    if (cursor !== undefined && current !== undefined) kept.current = { key: cursor.key, row: current };
  }, [cursor, current]);
  return current ?? (kept.current?.key === cursor?.key ? kept.current?.row : undefined);
}

/** Returns the height of a row in pixels, which follows the density and the font size. */
function useRowHeight(probe: React.RefObject<HTMLDivElement | null>): number {
  const [height, setHeight] = useState(32);
  useLayoutEffect(() => {
    const element = probe.current;
    if (element === null) return;
    const measure = () => {
      setHeight(Math.max(element.offsetHeight, 16));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [probe]);
  return height;
}

/** Returns the first row that is seen, even in part, and how many are seen. */
function useSeen(scroller: React.RefObject<HTMLDivElement | null>, height: number): { first: number; count: number } {
  const [seen, setSeen] = useState({ first: 0, count: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = () => {
      const first = Math.floor(element.scrollTop / height);
      const count = Math.ceil((element.clientHeight - headHeight(element)) / height);
      setSeen((last) => (last.first === first && last.count === count ? last : { first, count }));
    };
    measure();
    element.addEventListener('scroll', measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', measure);
      observer.disconnect();
    };
  }, [scroller, height]);
  return seen;
}

function headHeight(scroller: HTMLElement): number {
  return scroller.querySelector<HTMLElement>('[role="rowgroup"]')?.offsetHeight ?? 0;
}

function nameOf(scroller: HTMLElement | null, key: string): HTMLElement | null {
  return scroller?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"] [data-name]`) ?? null;
}
