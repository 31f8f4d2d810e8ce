import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';

import { Client, type StartEngine } from '../lines/client';
import type { FromEngine, ToEngine } from '../lines/messages';
import { type Drawn, Viewport, type ViewportParts } from '../lines/viewport';
import type { LogConfig } from './podFeed';

/** The least time between two looks at new lines, in milliseconds: faster than anybody reads. */
const SOON = 100;
/** The time between two looks at the numbers of a held log, in milliseconds. */
const LATER = 250;

/** Returns what runs a look at a log in time. */
function pacer(): ViewportParts['schedule'] {
  let last = Number.NEGATIVE_INFINITY;
  const inFrame = (run: () => void) =>
    requestAnimationFrame((now) => {
      last = now;
      run();
    });
  return (run, pace) => {
    const wait = pace === 'frame' ? 0 : pace === 'soon' ? last + SOON - performance.now() : LATER;
    if (wait <= 0) inFrame(run);
    else setTimeout(() => inFrame(run), wait);
  };
}

/** Starts a log's engine in a worker. */
const startWorker: StartEngine<LogConfig> = (receive) => {
  const worker = new Worker(new URL('./logs.worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
    receive(data);
  };
  return {
    post: (message: ToEngine<LogConfig>) => {
      worker.postMessage(message);
    },
    end: () => {
      worker.terminate();
    },
  };
};

/** A log that is read, and the part that is seen. */
export interface Log {
  readonly client: Client<LogConfig>;
  readonly viewport: Viewport;
  readonly subscribe: (listener: () => void) => () => void;
}

function open(start: StartEngine<LogConfig>): Log {
  const listeners = new Set<() => void>();
  const client: Client<LogConfig> = new Client(start, () => {
    viewport.refresh();
  });
  const viewport = new Viewport({
    ask: (ask) => client.ask('view', ask),
    schedule: pacer(),
    drawn: () => {
      for (const listener of listeners) listener();
    },
  });
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return { client, viewport, subscribe };
}

/**
 * Reads a log for as long as it is shown; `undefined` before the first render is done.
 *
 * @param config What is read. Another one is read in its place; the same object is read once.
 * @param start Starts the engine: a worker, unless a test has another way.
 */
export function useLog(config: LogConfig, start: StartEngine<LogConfig> = startWorker): Log | undefined {
  const [log, setLog] = useState<Log>();
  useEffect(() => {
    const opened = open(start);
    setLog(opened);
    return () => {
      opened.client.close();
      setLog(undefined);
    };
  }, [start]);
  useEffect(() => {
    log?.client.send({ type: 'open', config });
    log?.viewport.follow();
  }, [log, config]);
  return log;
}

/** Returns what is drawn of a log, and follows it. */
export function useDrawn({ viewport, subscribe }: Log): Drawn {
  return useSyncExternalStore(
    subscribe,
    useCallback(() => viewport.draw(), [viewport]),
  );
}
