import { compile, search, type SearchReply, type SearchRequest } from './search';

const reply = (message: SearchReply) => {
  self.postMessage(message);
};

/** Searches one piece at a time and keeps nothing, so that it can be ended at any time. */
self.onmessage = ({ data }: MessageEvent<SearchRequest>) => {
  const needle = compile(data.query);
  const hits = needle === undefined ? new Uint32Array() : search(data.piece, needle, data.limit);
  reply({ type: 'hits', id: data.id, hits });
};

reply({ type: 'ready' });
