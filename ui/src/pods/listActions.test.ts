import { expect, test, vi } from 'vitest';

import type { GridHandle } from '../grid/Grid';
import type { LiveList } from '../live/list';
import { act, type ListContext } from './listActions';
import type { Pod } from './pod';
import { EVERYTHING } from './query';

function context(more: Partial<ListContext> = {}) {
  const list = {
    apply: vi.fn(),
    row: (key: string) => (key === 'c/1' ? { nodeName: 'node-1' } : { nodeName: '' }),
    state: () => ({ shown: { offset: 10, keys: ['c/0', 'c/1', 'c/2'] } }),
  } as unknown as LiveList<Pod>;
  const [move, moveTo] = [vi.fn(), vi.fn()];
  const grid = { move, moveTo, visible: 20 } as unknown as GridHandle;
  return {
    list,
    grid,
    move,
    cursor: { key: 'c/1', index: 11 },
    query: EVERYTHING,
    onQuery: vi.fn(),
    toggle: vi.fn(),
    pickRange: vi.fn(),
    toggleAll: vi.fn(),
    copyNames: vi.fn(),
    askToDelete: vi.fn(),
    open: vi.fn(),
    openPage: vi.fn(),
    close: undefined,
    ...more,
  };
}

test('a page moves by what is seen but one row', () => {
  const given = context();
  expect(act('pageDown', given)).toBe(true);
  expect(given.move).toHaveBeenCalledWith(19);
});

test('picking onwards takes both rows and moves along', () => {
  const given = context();
  act('pickDown', given);
  expect(given.pickRange).toHaveBeenCalledWith('c/2', 'c/1');
  expect(given.move).toHaveBeenCalledWith(1);
});

test('the last run has its own log', () => {
  const given = context();
  act('lastLog', given);
  expect(given.open).toHaveBeenCalledWith('c/1', 'logs', true);
});

test('a sort and a node change the query', () => {
  const given = context();
  act('sortName', given);
  expect(given.onQuery).toHaveBeenCalledWith({ ...EVERYTHING, sort: 'name', order: 'asc' });
  act('node', given);
  expect(given.onQuery).toHaveBeenCalledWith({ ...EVERYTHING, nodeName: ['node-1'] });
});

test('what can not be done now is left to others', () => {
  expect(act('clear', context())).toBe(false);
  expect(act('open', context({ cursor: undefined }))).toBe(false);
  expect(act('node', context({ cursor: { key: 'c/2', index: 12 } }))).toBe(false);
  expect(act('search', context())).toBe(false);
});
