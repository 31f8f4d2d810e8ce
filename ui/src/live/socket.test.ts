import { expect, test } from 'vitest';

import { type Connection, LiveSocket, type Surroundings, type Verdict, type Wire } from './socket';

/** A server and a browser in the test's hands, whose time passes when the test says so. */
class Scene implements Surroundings {
  time = 1000;
  wires: Wire[] = [];
  closed = 0;
  sent: string[] = [];
  verdicts: Verdict[] = [];
  judgements = 0;
  readonly phases: string[] = [];
  readonly frames: object[] = [];
  /** Frames that were asked for by calls, and whether there are such calls. */
  readonly asked: object[] = [];
  read?: (frame: object) => Promise<object>;
  openings = 0;
  readonly socket: LiveSocket<object>;
  #timers: { at: number; action: () => void }[] = [];

  constructor() {
    this.socket = new LiveSocket<object>(this, {
      opened: () => (this.openings += 1),
      frame: (frame) => this.frames.push(frame),
      changed: ({ phase }) => this.phases.push(phase),
    });
  }

  open(): Wire {
    const wire: Wire = {
      send: (text) => this.sent.push(text),
      close: () => (this.closed += 1),
      onopen: null,
      onmessage: null,
      onclose: null,
    };
    this.wires.push(wire);
    return wire;
  }

  judge(): Promise<Verdict> {
    this.judgements += 1;
    return Promise.resolve(this.verdicts.shift() ?? 'again');
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 1;
  }

  after(millis: number, action: () => void): () => void {
    const timer = { at: this.time + millis, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  pass(millis: number): void {
    const end = this.time + millis;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.time = next.at;
      this.#timers = this.#timers.filter((one) => one !== next);
      next.action();
    }
    this.time = end;
  }

  get connection(): Connection {
    return this.socket.connection;
  }

  opens(): void {
    this.wires.at(-1)?.onopen?.();
  }

  says(frame: object): void {
    this.wires.at(-1)?.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** Closes the connection, and lets the verdict come. */
  async closes(code: number): Promise<void> {
    this.wires.at(-1)?.onclose?.({ code });
    await Promise.resolve();
    await Promise.resolve();
  }

  /** Waits for the next try. */
  tries(): void {
    this.pass((this.connection.retryAt ?? this.time) - this.time);
  }
}

test('the wait between two tries grows, and begins anew after a connection', async () => {
  const scene = new Scene();
  const waits: number[] = [];
  const fail = async () => {
    await scene.closes(1006);
    waits.push((scene.connection.retryAt ?? 0) - scene.time);
    scene.tries();
  };
  for (let attempt = 0; attempt < 6; attempt += 1) await fail();
  expect(waits.splice(0)).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
  scene.opens();
  await fail();
  expect(waits).toEqual([1000]);
});

test('what was lost is said since when, until it is back', async () => {
  const scene = new Scene();
  scene.opens();
  expect(scene.connection).toEqual({ phase: 'open' });
  scene.pass(5000);
  await scene.closes(1006);
  expect(scene.connection).toEqual({ phase: 'waiting', lostAt: 6000, retryAt: 7000 });
  scene.tries();
  expect(scene.connection).toEqual({ phase: 'connecting', lostAt: 6000 });
  await scene.closes(1006);
  expect(scene.connection).toEqual({ phase: 'waiting', lostAt: 6000, retryAt: 9000 });
  scene.tries();
  scene.opens();
  expect(scene.connection).toEqual({ phase: 'open' });
});

test('a connection that was open is not asked about', async () => {
  const scene = new Scene();
  scene.opens();
  await scene.closes(1006);
  expect(scene.judgements).toBe(0);
});

test('a way counts as blocked when the server answers three times in a row', async () => {
  const scene = new Scene();
  scene.verdicts = ['answers', 'answers', 'again', 'answers', 'answers', 'answers'];
  const phases: string[] = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await scene.closes(1006);
    phases.push(scene.connection.phase);
    scene.tries();
  }
  expect(phases).toEqual(['waiting', 'waiting', 'waiting', 'waiting', 'waiting', 'blocked']);
  scene.pass(60_000);
  expect(scene.wires).toHaveLength(6);
  // One more failure is enough to say so again, and one connection to begin anew.
  scene.socket.retry();
  scene.verdicts = ['answers'];
  await scene.closes(1006);
  expect(scene.connection.phase).toBe('blocked');
  scene.socket.retry();
  scene.opens();
  await scene.closes(1006);
  scene.tries();
  scene.verdicts = ['answers'];
  await scene.closes(1006);
  expect(scene.connection.phase).toBe('waiting');
});

test('where no WebSocket gets through frames are answered by calls', async () => {
  const scene = new Scene();
  scene.verdicts = ['answers', 'answers', 'answers'];
  const answers: ((frame: object) => void)[] = [];
  scene.read = (frame) => {
    scene.asked.push(frame);
    return new Promise((resolve) => answers.push(resolve));
  };
  for (let attempt = 0; attempt < 3; attempt += 1) {
    scene.socket.send({ type: 'early' });
    await scene.closes(1006);
    scene.tries();
  }
  expect(scene.connection.phase).toBe('blocked');
  expect(scene.openings).toBe(1);
  scene.socket.send({ type: 'window' });
  expect(scene.asked).toEqual([{ type: 'window' }]);
  answers[0]?.({ type: 'snapshot' });
  await Promise.resolve();
  await Promise.resolve();
  expect(scene.frames).toEqual([{ type: 'snapshot' }]);
  // An answer that comes after a connection is older than what the connection says.
  scene.socket.send({ type: 'window' });
  scene.socket.retry();
  scene.opens();
  answers[1]?.({ type: 'snapshot' });
  await Promise.resolve();
  await Promise.resolve();
  expect(scene.frames).toHaveLength(1);
  expect(scene.openings).toBe(2);
});

test('a session that is over ends the tries, until somebody is back', async () => {
  const scene = new Scene();
  scene.verdicts = ['over', 'over'];
  await scene.closes(1006);
  expect(scene.connection).toEqual({ phase: 'over', lostAt: 1000 });
  scene.pass(60_000);
  scene.socket.wake();
  expect(scene.wires).toHaveLength(1);
  scene.socket.retry();
  scene.opens();
  await scene.closes(4401);
  expect(scene.connection.phase).toBe('over');
  expect(scene.wires).toHaveLength(2);
});

test('a connection whose session has ended is opened again for the session of today', async () => {
  const scene = new Scene();
  scene.opens();
  scene.verdicts = ['answers'];
  await scene.closes(4401);
  expect(scene.connection.phase).toBe('waiting');
  scene.tries();
  expect(scene.wires).toHaveLength(2);
});

test('a verdict on a try that is no longer the last one is dropped', async () => {
  const scene = new Scene();
  scene.verdicts = ['over'];
  const late = scene.closes(1006);
  scene.socket.retry();
  scene.opens();
  await late;
  expect(scene.connection).toEqual({ phase: 'open' });
});

test('a connection on which nothing comes is asked for a sign of life, and then is lost', () => {
  const scene = new Scene();
  scene.opens();
  scene.pass(20_000);
  expect(scene.sent.splice(0)).toEqual(['{"type":"ping"}']);
  scene.says({ type: 'pong' });
  scene.pass(20_000);
  expect(scene.sent.splice(0)).toEqual(['{"type":"ping"}']);
  scene.pass(10_000);
  expect(scene.connection.phase).toBe('waiting');
  expect(scene.closed).toBe(1);
});

test('after a sleep in which no timer ran, a connection is asked at once', () => {
  const scene = new Scene();
  scene.opens();
  scene.time += 19_000;
  scene.socket.wake();
  expect(scene.sent).toEqual([]);
  scene.time += 2 * 3_600_000;
  scene.socket.wake();
  expect(scene.sent).toEqual(['{"type":"ping"}']);
  scene.pass(10_000);
  expect(scene.connection.phase).toBe('waiting');
  scene.socket.wake();
  expect(scene.connection.phase).toBe('connecting');
  expect(scene.wires).toHaveLength(2);
});

test('a connection that takes too long to open is given up', () => {
  const scene = new Scene();
  scene.pass(20_000);
  expect(scene.closed).toBe(1);
  expect(scene.connection.phase).toBe('waiting');
  expect(scene.judgements).toBe(1);
});

test('an owner that leaves ends the tries', async () => {
  const scene = new Scene();
  await scene.closes(1006);
  scene.socket.close();
  scene.pass(60_000);
  expect(scene.wires).toHaveLength(1);
  expect(scene.phases.at(-1)).toBe('closed');
});
