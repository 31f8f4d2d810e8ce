import { expect, test } from 'vitest';

import type { ClientFrame, ServerFrame } from './frames';
import { LiveList } from './list';
import { LiveSocket, type Wire } from './socket';

interface Row {
  cluster: string;
  uid: string;
}

/** A server in the test's hands, and time that passes when the test says so. */
class Server {
  now = 1000;
  wires: Wire[] = [];
  sent: ClientFrame[] = [];
  #timers: { at: number; action: () => void }[] = [];

  after(millis: number, action: () => void): () => void {
    const timer = { at: this.now + millis, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  pass(millis: number): void {
    const end = this.now + millis;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.now = next.at;
      this.#timers = this.#timers.filter((one) => one !== next);
      next.action();
    }
    this.now = end;
  }

  connect(): LiveList<Row> {
    const surroundings = {
      now: () => this.now,
      random: () => 1,
      after: (millis: number, action: () => void) => this.after(millis, action),
      judge: () => Promise.resolve('again' as const),
      open: () => {
        const wire: Wire = {
          send: (text) => this.sent.push(JSON.parse(text) as ClientFrame),
          close: () => undefined,
          onopen: null,
          onmessage: null,
          onclose: null,
        };
        this.wires.push(wire);
        return wire;
      },
    };
    return new LiveList<Row>((listener) => new LiveSocket<ServerFrame>(surroundings, listener), surroundings, 50);
  }

  get wire(): Wire {
    const wire = this.wires.at(-1);
    if (wire === undefined) throw new Error('nothing has connected');
    return wire;
  }

  open(): void {
    this.wire.onopen?.();
  }

  say(frame: object): void {
    this.wire.onmessage?.({ data: JSON.stringify(frame) });
  }

  snapshot(seq: number, uids: string[], more: object = {}): void {
    const items = uids.map((uid) => ({ cluster: 'a', uid }));
    this.say({
      type: 'snapshot',
      seq,
      offset: 0,
      limit: 50,
      total: uids.length,
      items,
      facets: {},
      clusters: [],
      ...more,
    });
  }

  taken(): ClientFrame[] {
    return this.sent.splice(0);
  }
}

const named = (namespace: string) => ({ query: { namespace: [namespace] }, facets: [] });
const shown = (list: LiveList<Row>) => list.state().shown.keys;

test('one subscribe is on its way at a time, and the newest wish goes next', () => {
  const server = new Server();
  const list = server.connect();
  list.ask(named('a'));
  expect(server.taken()).toEqual([]);
  server.open();
  expect(server.taken()).toMatchObject([{ type: 'subscribe', query: { namespace: ['a'] }, offset: 0, limit: 50 }]);
  for (const text of ['ab', 'abc', 'abcd']) list.ask(named(text));
  expect(server.taken()).toEqual([]);
  server.snapshot(1, ['1']);
  expect(server.taken()).toMatchObject([{ type: 'subscribe', query: { namespace: ['abcd'] } }]);
  expect(shown(list)).toEqual(['a/1']);
  expect(list.state().isAsking).toBe(true);
  server.snapshot(1, ['2']);
  expect(shown(list)).toEqual(['a/2']);
  expect(list.state().isAsking).toBe(false);
  list.ask(named('abcd'));
  expect(server.taken()).toEqual([]);
});

test('one window request is on its way at a time, and then the newest place is asked for', () => {
  const server = new Server();
  const list = server.connect();
  list.ask(named('a'));
  server.open();
  server.snapshot(
    1,
    Array.from({ length: 50 }, (_, n) => String(n)),
    { total: 1000 },
  );
  server.taken();
  list.look(300, 20);
  list.look(500, 20);
  list.look(700, 20);
  expect(server.taken()).toEqual([{ type: 'window', offset: 280, limit: 60 }]);
  // A snapshot that nobody asked for does not count as the answer.
  server.snapshot(2, ['x'], { total: 1000 });
  expect(server.taken()).toEqual([]);
  server.snapshot(3, ['y'], { offset: 280, limit: 60, total: 1000 });
  expect(server.taken()).toEqual([{ type: 'window', offset: 680, limit: 60 }]);
});

test('a window is placed around a row, and stays where the answer says', () => {
  const server = new Server();
  const list = server.connect();
  list.ask(named('a'));
  server.open();
  server.snapshot(1, ['1'], { total: 1000 });
  server.taken();
  const row = { cluster: 'a', namespace: 'n', name: 'p' };
  list.find({ ...row, uid: 'u' } as typeof row);
  expect(server.taken()).toEqual([{ type: 'window', around: row, limit: 50 }]);
  server.snapshot(2, ['y'], { offset: 475, limit: 50, total: 1000 });
  expect(list.state().shown).toEqual({ offset: 475, keys: ['a/y'] });
  expect(server.taken()).toEqual([]);
});

test('a row that is wanted while a query is on its way is found after the answer, and with another query never', () => {
  const server = new Server();
  const list = server.connect();
  const row = { cluster: 'a', namespace: 'n', name: 'p' };
  list.ask(named('a'));
  list.find({ ...row, uid: 'u' } as typeof row);
  server.open();
  expect(server.taken()).toMatchObject([{ type: 'subscribe', around: row }]);
  list.find({ ...row, uid: 'u' } as typeof row);
  server.snapshot(1, ['1'], { offset: 300, total: 1000 });
  expect(server.taken()).toEqual([{ type: 'window', around: row, limit: 50 }]);
  list.find({ ...row, uid: 'u' } as typeof row);
  list.ask(named('b'));
  server.snapshot(1, ['2'], { total: 1000 });
  expect(server.taken()).toMatchObject([{ type: 'subscribe', query: { namespace: ['b'] }, offset: 0 }]);
});

test('a held order waits, and values change', () => {
  const server = new Server();
  const list = server.connect();
  let isHeld = true;
  list.holdWhile(() => isHeld);
  list.ask(named('a'));
  server.open();
  server.snapshot(1, ['1', '2']);
  const delta = { type: 'delta', seq: 2, total: 3, upsert: [{ cluster: 'a', uid: '3' }], order: ['3', '1', '2'] };
  server.say(delta);
  expect(shown(list)).toEqual(['a/1', 'a/2']);
  expect(list.state().waiting).toBe(1);
  expect(list.state().total).toBe(3);
  isHeld = false;
  list.apply();
  expect(shown(list)).toEqual(['a/3', 'a/1', 'a/2']);
  expect(list.state().waiting).toBeUndefined();
});

test('a lost connection keeps the rows, and says how many changed when it is back', () => {
  const server = new Server();
  const list = server.connect();
  list.ask(named('a'));
  server.open();
  server.snapshot(1, ['1', '2']);
  server.taken();
  server.wire.onclose?.({ code: 1006 });
  expect(list.state().connection).toEqual({ phase: 'waiting', lostAt: 1000, retryAt: 2000 });
  expect(shown(list)).toEqual(['a/1', 'a/2']);
  server.pass(1000);
  expect(server.wires).toHaveLength(2);
  server.open();
  expect(server.taken()).toMatchObject([{ type: 'subscribe', query: { namespace: ['a'] } }]);
  server.snapshot(1, ['2', '3']);
  expect(list.state().recovered).toBe(2);
  expect(list.state().connection).toEqual({ phase: 'open' });
  server.pass(3000);
  expect(list.state().recovered).toBeUndefined();
});

test('a refusal is kept until a query is answered', () => {
  const server = new Server();
  const list = server.connect();
  list.ask(named('a'));
  server.open();
  server.say({ type: 'error', code: 400_001, message: 'no such word' });
  expect(list.state()).toMatchObject({ refusal: { code: 400_001, message: 'no such word' }, isAsking: false });
  list.ask(named('b'));
  server.snapshot(1, []);
  expect(list.state().refusal).toBeUndefined();
});
