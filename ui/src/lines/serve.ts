import { Engine } from './engine';
import type { Feed } from './feed';
import type { StartSearcher } from './finder';
import type { FromEngine, ToEngine } from './messages';
import type { SearchReply } from './search';

/** Starts a search in a worker of its own. */
const startSearcher: StartSearcher = (answer) => {
  const worker = new Worker(new URL('./search.worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<SearchReply>) => {
    answer(data);
  };
  return {
    ask: (request) => {
      worker.postMessage(request);
    },
    end: () => {
      worker.terminate();
    },
  };
};

/** Runs an engine in this worker. `feed` returns the feed that a page's config stands for. */
export function serve<Config>(feed: (config: Config) => Feed) {
  const engine = new Engine<Config>({
    send: (message: FromEngine) => {
      self.postMessage(message);
    },
    feed,
    startSearcher,
    now: () => Date.now(),
  });
  self.onmessage = ({ data }: MessageEvent<ToEngine<Config>>) => {
    engine.receive(data);
  };
}
