import type { Action } from '../app/keys';
import type { Cursor } from '../grid/cursor';
import type { GridHandle } from '../grid/Grid';
import type { LiveList } from '../live/list';
import type { Tab } from '../pod/place';
import type { Pod } from './pod';
import { type PodQuery, type Sort, sortedBy } from './query';

/** What the keys of a list act on. */
export interface ListContext {
  readonly list: LiveList<Pod>;
  readonly grid: GridHandle | null;
  readonly cursor: Cursor | undefined;
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery) => void;
  readonly toggle: (key: string) => void;
  readonly pickRange: (to: string, from?: string) => void;
  readonly toggleAll: () => void;
  readonly copyNames: () => void;
  readonly askToDelete: () => void;
  readonly open: (key: string, tab?: Tab, isPrevious?: boolean) => void;
  readonly openPage: (key: string) => void;
  /** Closes what was opened last; absent if nothing is open. */
  readonly close: (() => void) | undefined;
}

const SORTS: Partial<Record<Action, Sort>> = {
  sortName: 'name',
  sortStatus: 'status',
  sortRestarts: 'restarts',
  sortAge: 'createdAt',
  sortNode: 'nodeName',
  sortNamespace: 'namespace',
  sortWhy: 'problem',
};

type Acts = Partial<Record<Action, (() => void) | undefined>>;

/** Returns what each action does. One that can't be done now is absent. */
function actsOf(context: ListContext): Acts {
  const { list, grid, cursor, query, onQuery, open } = context;
  const key = cursor?.key;
  const page = Math.max(1, (grid?.visible ?? 1) - 1);
  const onKey = (act: (key: string) => void) =>
    key === undefined
      ? undefined
      : () => {
          act(key);
        };
  const node = key === undefined ? '' : (list.row(key)?.nodeName ?? '');
  return {
    next: () => grid?.move(1),
    previous: () => grid?.move(-1),
    first: () => grid?.moveTo(0),
    last: () => grid?.moveTo(Number.MAX_SAFE_INTEGER),
    pageDown: () => grid?.move(page),
    pageUp: () => grid?.move(-page),
    pick: onKey(context.toggle),
    pickDown: () => {
      pickNext(context, 1);
    },
    pickUp: () => {
      pickNext(context, -1);
    },
    pickAll: context.toggleAll,
    open: onKey((one) => {
      open(one);
    }),
    log: onKey((one) => {
      open(one, 'logs');
    }),
    lastLog: onKey((one) => {
      open(one, 'logs', true);
    }),
    events: onKey((one) => {
      open(one, 'events');
    }),
    yaml: onKey((one) => {
      open(one, 'yaml');
    }),
    page: onKey(context.openPage),
    copy: context.copyNames,
    delete: context.askToDelete,
    apply: list.apply,
    everyNamespace: () => {
      onQuery({ ...query, namespace: [] });
    },
    node:
      node === ''
        ? undefined
        : () => {
            onQuery({ ...query, nodeName: [node] });
          },
    clear: context.close,
  };
}

/** Picks the cursor's row and the next one, and moves there. */
function pickNext({ list, grid, cursor, pickRange }: ListContext, step: 1 | -1): void {
  if (cursor === undefined) return;
  const { shown } = list.state();
  const next = shown.keys[cursor.index - shown.offset + step];
  if (next !== undefined) pickRange(next, cursor.key);
  grid?.move(step);
}

/** Does what an action of the list stands for. Returns whether there was anything to do. */
export function act(action: Action, context: ListContext): boolean {
  const sort = SORTS[action];
  if (sort !== undefined) {
    context.onQuery(sortedBy(context.query, sort));
    return true;
  }
  const todo = actsOf(context)[action];
  if (todo === undefined) return false;
  todo();
  return true;
}
