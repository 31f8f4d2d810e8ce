import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { FeedState, Line, Mark, Stream } from '../lines/feed';
import { writeTime } from '../lines/time';
import type { Surroundings, Verdict, Wire } from '../live/socket';
import { type LogConfig, podFeed } from './podFeed';
import { Resume } from './resume';

const CONFIG: LogConfig = { path: '/ws/x', containers: ['api'], previous: false, tailLines: 100 };
const T = '2026-01-07T10:00:00.123456789Z';

/** A server that is played by hand, and what the feed makes of its frames. */
class Scene {
  readonly wires: Wire[] = [];
  readonly sent: unknown[] = [];
  readonly lines: Line[] = [];
  readonly marks: Mark[] = [];
  sources: readonly string[] = [];
  state: FeedState | undefined;
  verdict: Verdict = 'again';
  closed = 0;
  now = Date.UTC(2026, 0, 7, 10);
  readonly stream: Stream;
  #due: (() => void)[] = [];

  constructor(config: Partial<LogConfig> = {}) {
    const surroundings: Surroundings = {
      now: () => this.now,
      random: () => 0,
      after: (_, action) => {
        this.#due.push(action);
        return () => (this.#due = this.#due.filter((one) => one !== action));
      },
      judge: () => Promise.resolve(this.verdict),
      open: () => {
        const wire: Wire = {
          send: (text) => this.sent.push(JSON.parse(text)),
          close: () => (this.closed += 1),
          onopen: null,
          onmessage: null,
          onclose: null,
        };
        this.wires.push(wire);
        return wire;
      },
    };
    this.stream = podFeed(
      { ...CONFIG, ...config },
      surroundings,
    )({
      sources: (names) => (this.sources = names),
      lines: (lines) => this.lines.push(...lines),
      mark: (mark) => this.marks.push(mark),
      state: (state) => (this.state = state),
    });
    this.open();
  }

  open() {
    this.wires.at(-1)?.onopen?.();
  }

  say(...frames: object[]) {
    for (const frame of frames) this.wires.at(-1)?.onmessage?.({ data: JSON.stringify(frame) });
  }

  logs(container: string, ...lines: string[]) {
    this.say({ type: 'logs', container, lines });
  }

  lose(code = 1006) {
    this.wires.at(-1)?.onclose?.({ code });
  }

  /** Lets the wait for the next try pass, and opens it. */
  reconnect(...containers: string[]) {
    for (const action of this.#due.splice(0)) action();
    this.open();
    this.say({ type: 'subscribed', containers });
  }

  texts(): string[] {
    return this.lines.map(({ text }) => text);
  }
}

test('the newest lines are asked for, in batches, and followed', () => {
  expect(new Scene().sent).toEqual([
    { type: 'subscribe', containers: ['api'], batch: true, tailLines: 100, sinceSeconds: null, follow: true },
  ]);
  const previous = new Scene({ previous: true, tailLines: 5, containers: ['*'] });
  expect(previous.sent).toEqual([
    { type: 'subscribe', containers: ['*'], batch: true, tailLines: 5, sinceSeconds: null, previous: true },
  ]);
});

test('a line has its time, its source and its text', () => {
  const scene = new Scene();
  scene.say({ type: 'subscribed', containers: ['api', 'proxy'] });
  scene.logs('proxy', `${T} GET / 200`, `${T} `, 'no time');
  const ms = Date.UTC(2026, 0, 7, 10) + 123;
  expect(scene.sources).toEqual(['api', 'proxy']);
  expect(scene.state).toEqual({ kind: 'following' });
  expect(scene.lines).toEqual([
    { ms, nanos: 456_789, source: 1, text: 'GET / 200' },
    { ms, nanos: 456_789, source: 1, text: '' },
    { ms: Number.NaN, nanos: 0, source: 1, text: 'no time' },
  ]);
});

test('a container that was not named gets the next number', () => {
  const scene = new Scene();
  scene.say({ type: 'subscribed', containers: ['api'] });
  scene.logs('debug', 'x');
  expect(scene.sources).toEqual(['api', 'debug']);
  expect(scene.lines[0]?.source).toBe(1);
});

test('the pieces of a long line are one line, whatever comes between them', () => {
  const scene = new Scene();
  scene.say(
    { type: 'logs', container: 'a', lines: [`${T} one `], partial: true },
    { type: 'logs', container: 'b', lines: [`${T} other`] },
    { type: 'logs', container: 'a', lines: ['two '], partial: true },
    { type: 'logs', container: 'a', lines: ['three', `${T} next`] },
  );
  expect(scene.texts()).toEqual(['other', 'one two three', 'next']);
});

test.each([
  ['a gap', { type: 'gap', container: 'a', reason: 'x', before: '', after: '' }],
  ['a new run', { type: 'restarted', container: 'a', restartCount: 1 }],
  ['the end', { type: 'end', reason: 'x' }],
])('%s after a piece means that the rest is missing', (_, frame) => {
  const scene = new Scene();
  scene.say({ type: 'logs', container: 'a', lines: [`${T} cut`], partial: true }, frame);
  expect(scene.texts()).toEqual(['cut']);
  expect(scene.marks).toHaveLength(1);
});

test('a line without end is parted', () => {
  const scene = new Scene();
  const piece = 'x'.repeat(1024 * 1024);
  for (let at = 0; at < 17; at += 1) scene.say({ type: 'logs', container: 'a', lines: [piece], partial: true });
  expect(scene.lines.map(({ text }) => text.length)).toEqual([16 * 1024 * 1024]);
});

test('frames between the lines become marks', () => {
  const scene = new Scene();
  scene.say(
    { type: 'subscribed', containers: ['a'] },
    { type: 'gap', container: 'a', reason: 'lost', before: T, after: '' },
    { type: 'restarted', container: 'a', restartCount: 3 },
    { type: 'end', reason: 'the pod was deleted' },
  );
  const before = { ms: Date.UTC(2026, 0, 7, 10) + 123, nanos: 456_789 };
  expect(scene.marks).toEqual([
    { kind: 'gap', source: 0, before, after: null, reason: 'lost' },
    { kind: 'restarted', source: 0, run: 3, last: null },
    { kind: 'end', reason: 'the pod was deleted', last: [] },
  ]);
  expect([scene.state, scene.closed]).toEqual([{ kind: 'ended' }, 1]);
});

test('how a run ended is said before the next one begins, and once for each container', () => {
  const scene = new Scene();
  const run = (restartCount: number, exitCode: number) => ({
    restartCount,
    exitCode,
    signal: 0,
    reason: 'Error',
    startedAt: '',
    finishedAt: T,
  });
  scene.say(
    { type: 'subscribed', containers: ['a', 'b'] },
    { type: 'restarted', container: 'a', restartCount: 1, last: run(0, 137) },
    { type: 'ended', container: 'b', restartCount: 0, last: run(0, 7) },
    { type: 'end', reason: 'over', last: { a: run(1, 0), b: run(0, 7) } },
  );
  const end = (number: number, exitCode: number) => ({
    run: number,
    exitCode,
    signal: 0,
    reason: 'Error',
    startedAt: null,
    finishedAt: { ms: Date.UTC(2026, 0, 7, 10) + 123, nanos: 456_789 },
  });
  expect(scene.marks).toEqual([
    { kind: 'ended', source: 0, last: end(0, 137), fault: '' },
    { kind: 'restarted', source: 0, run: 1, last: end(0, 137) },
    { kind: 'ended', source: 1, last: end(0, 7), fault: '' },
    { kind: 'ended', source: 0, last: end(1, 0), fault: '' },
    {
      kind: 'end',
      reason: 'over',
      last: [
        { source: 0, end: end(1, 0) },
        { source: 1, end: end(0, 7) },
      ],
    },
  ]);
});

test('a container that can’t be read any more says why while others go on', () => {
  const scene = new Scene();
  scene.say(
    { type: 'subscribed', containers: ['a', 'b'] },
    { type: 'ended', container: 'b', error: { code: 502_001, message: 'the node is away' } },
    { type: 'logs', container: 'a', lines: [`${T} on`] },
  );
  expect(scene.marks).toEqual([{ kind: 'ended', source: 1, last: null, fault: 'the node is away' }]);
  expect(scene.texts()).toEqual(['on']);
});

test('after a loss the log is read on from there, and nothing is shown twice', () => {
  const scene = new Scene();
  scene.say({ type: 'subscribed', containers: ['a'] });
  const at = (second: number, text: string) => `2026-01-07T10:00:0${second}.5Z ${text}`;
  scene.logs('a', at(1, 'one'), at(3, 'two'), at(3, 'two'));
  scene.now += 5000;
  scene.lose();
  expect(scene.state).toMatchObject({ kind: 'lost', since: scene.now, reason: '' });
  scene.reconnect('a');
  expect(scene.sent.at(-1)).toEqual({
    type: 'subscribe',
    containers: ['api'],
    batch: true,
    sinceTime: '2026-01-07T10:00:02Z',
    follow: true,
  });
  scene.logs('a', at(3, 'two'), at(3, 'two'), at(3, 'two'), at(4, 'three'));
  expect(scene.texts()).toEqual(['one', 'two', 'two', 'two', 'three']);
  expect(scene.marks).toEqual([{ kind: 'lost', at: { ms: scene.now, nanos: 0 } }]);
  expect(scene.state).toEqual({ kind: 'following' });
});

test('a refusal that may pass is tried again, any other is final', () => {
  const scene = new Scene();
  scene.say({ type: 'error', code: 504_001, message: 'prod does not answer' });
  scene.lose(4504);
  expect(scene.state).toMatchObject({ kind: 'lost', reason: 'prod does not answer' });
  scene.reconnect('a');
  expect(scene.wires).toHaveLength(2);
  scene.say({ type: 'error', code: 404_001, message: 'no such pod' });
  scene.lose(4404);
  expect(scene.state).toEqual({ kind: 'failed', code: 404_001, message: 'no such pod' });
  scene.reconnect('a');
  expect(scene.wires).toHaveLength(2);
});

test('a session that is over is reported, and the log is read on after the next', () => {
  const scene = new Scene();
  scene.say({ type: 'subscribed', containers: ['a'] });
  scene.logs('a', `${T} one`);
  scene.lose(4401);
  expect(scene.state).toEqual({ kind: 'loggedOut', since: scene.now });
  expect(scene.wires).toHaveLength(1);
  scene.stream.retry();
  scene.open();
  scene.say({ type: 'subscribed', containers: ['a'] });
  scene.logs('a', `${T} one`, `${T} two`);
  expect(scene.texts()).toEqual(['one', 'two']);
  expect(scene.marks).toHaveLength(1);
});

test('nothing comes after the end', () => {
  const scene = new Scene();
  scene.stream.close();
  expect(scene.closed).toBe(1);
  expect(scene.wires.at(-1)?.onmessage).toBeNull();
});

test('joined streams are the log, whatever was lost between them', () => {
  // Each source writes a line in each half second, some of them twice.
  const sources = fc.array(fc.array(fc.constantFrom('x', 'y', 'x x'), { minLength: 1, maxLength: 40 }), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(sources, fc.array(fc.nat(40), { minLength: 3, maxLength: 3 }), (sources, reached) => {
      const all = sources.map((texts, source) =>
        texts.flatMap((text, at) => text.split(' ').map((text): Line => ({ ms: at * 500, nanos: 0, source, text }))),
      );
      const resume = new Resume();
      const shown = all.flatMap((lines, source) => resume.fresh(lines.slice(0, reached[source]), 0));
      const since = resume.begin(0);
      const from = since === undefined ? 0 : Date.parse(since);
      for (const lines of all)
        shown.push(
          ...resume.fresh(
            lines.filter(({ ms }) => ms >= from),
            0,
          ),
        );
      for (const [source, lines] of all.entries()) {
        const own = shown.filter((line) => line.source === source);
        // A source of which nothing had come is read from where the others are.
        if ((reached[source] ?? 0) > 0) expect(own).toEqual(lines);
      }
    }),
  );
});

test('a source that was quiet is not read again from its last line', () => {
  const resume = new Resume();
  const line = (source: number, second: number): Line => ({ ms: second * 1000, nanos: 0, source, text: 'x' });
  resume.fresh([line(0, 5)], 0);
  resume.fresh([line(1, 100)], 100_000);
  expect(resume.begin(105_000)).toBe(writeTime({ ms: 99_000, nanos: 0 }));
  // Where all were quiet, everything up to the newest line was read.
  expect(resume.begin(900_000)).toBe(writeTime({ ms: 99_000, nanos: 0 }));
});
