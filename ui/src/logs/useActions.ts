import { useCallback, useState } from 'react';

import { copyText } from '../app/copyText';
import type { Action } from '../app/keys';
import { ALL, type LogChoice, type Since } from './choice';
import { selectedLines } from './copy';
import type { LineOptions } from './useLayout';
import type { Log } from './useLog';

/** What the actions of a log act on. */
export interface ActionParts {
  readonly log: Log;
  readonly lines: () => HTMLElement | null;
  readonly containers: readonly string[];
  readonly choice: LogChoice;
  readonly onChoice: (choice: LogChoice) => void;
  readonly options: LineOptions;
  readonly onOptions: (options: LineOptions) => void;
  readonly onFind: () => void;
  readonly onCopied: (lines: number) => void;
}

const SINCE: Partial<Record<Action, Since>> = {
  sinceNewest: 'newest',
  sinceStart: 'start',
  since1: '1',
  since5: '5',
  since15: '15',
  since30: '30',
  since60: '60',
};

/** What a reader can do with a log, by key or by button, and the line that this acts on. */
export function useActions(parts: ActionParts) {
  const { log, lines, containers, choice, onChoice, options, onOptions, onFind, onCopied } = parts;
  const { client, viewport } = log;
  const [current, setCurrent] = useState<number>();

  const move = useCallback(
    async (name: 'hit' | 'error', direction: 1 | -1) => {
      viewport.hold();
      const anchor = await client.ask(name, {
        direction,
        line: name === 'hit' ? viewport.line : (current ?? viewport.line),
      });
      if (anchor === null) return;
      setCurrent(anchor.line);
      viewport.reveal(anchor);
    },
    [client, viewport, current],
  );
  const unfold = useCallback(
    (line: number) => {
      viewport.hold();
      setCurrent(line);
      client.send({ type: 'unfold', line });
    },
    [client, viewport],
  );
  const read = (step: 1 | -1) => {
    const next = Math.max(0, (current ?? viewport.line - step) + step);
    setCurrent(next);
    viewport.reveal({ line: next, at: 0 });
  };
  const copy = async () => {
    const selected = selectedLines(lines());
    const from = selected?.from ?? current;
    if (from === undefined) return;
    const copied = await client.ask('copy', { from, to: selected?.to ?? from, withTimes: false });
    await copyText(copied.text);
    onCopied(copied.lines);
  };
  const { rowHeight, height } = viewport;
  const page = Math.max(rowHeight, height - rowHeight);

  const acts: Partial<Record<Action, () => void>> = {
    lineDown: () => {
      viewport.scrollBy(rowHeight);
    },
    lineUp: () => {
      viewport.scrollBy(-rowHeight);
    },
    pageDown: () => {
      viewport.scrollBy(page);
    },
    pageUp: () => {
      viewport.scrollBy(-page);
    },
    readNext: () => {
      read(1);
    },
    readPrevious: () => {
      read(-1);
    },
    oldest: () => {
      viewport.toStart();
    },
    newest: () => {
      viewport.follow();
    },
    follow: () => {
      if (viewport.isFollowing) viewport.hold();
      else viewport.follow();
    },
    find: onFind,
    nextHit: () => void move('hit', 1),
    previousHit: () => void move('hit', -1),
    nextError: () => void move('error', 1),
    wrap: () => {
      onOptions({ ...options, wrap: !options.wrap });
    },
    times: () => {
      onOptions({ ...options, hasTimes: !options.hasTimes });
    },
    raw: () => {
      onOptions({ ...options, structured: !options.structured });
    },
    mark: () => {
      client.send({ type: 'mark' });
    },
    copyLines: () => void copy(),
    unfold: () => {
      if (current !== undefined) unfold(current);
    },
    lastRun: () => {
      onChoice({ ...choice, isPrevious: !choice.isPrevious });
    },
    allContainers: () => {
      if (containers.length > 1) onChoice({ ...choice, container: ALL });
    },
  };
  const act = (action: Action): boolean => {
    const since = SINCE[action];
    if (since !== undefined) onChoice({ ...choice, since });
    else acts[action]?.();
    return since !== undefined || acts[action] !== undefined;
  };
  return { act, current, setCurrent, unfold, move };
}
