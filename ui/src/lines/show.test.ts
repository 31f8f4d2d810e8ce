import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readFields } from './fields';
import { findLevel, levelOf } from './level';
import { CUT, show } from './show';

test('a line says its level', () => {
  for (const [text, level, word] of [
    ['2026-01-07 10:00:00 ERROR cannot open', 5, 'ERROR'],
    ['WARNING: deprecated', 4, 'WARNING'],
    ['ERROR:root:it failed', 5, 'ERROR'],
    ['[main] INFO com.example.App - started', 3, 'INFO'],
    ['2026/01/07 10:00:00 [error] 29#29: upstream', 5, 'error'],
    ['[2026-01-07 10:00:00.000][1][warning][main] x', 4, 'warning'],
    ['10:00:00 | debug | x', 2, 'debug'],
    ['I0107 10:00:00.000000       1 main.go:12] started', 3, 'I'],
    ['E0107 10:00:00.000000       1 main.go:12] failed', 5, 'E'],
    ['panic: runtime error: index out of range', 6, 'panic'],
    ['error: no such file', 5, 'error'],
    ['fetching took 3s level=warn retry', 4, 'warn'],
    ['10:00 FATAL after ERROR', 6, 'FATAL'],
  ] as const) {
    const found = findLevel(text);
    expect(found?.level, text).toBe(level);
    expect(text.slice(found?.from, found?.to), text).toBe(word);
  }
});

test('a word in a sentence is not a level', () => {
  for (const text of [
    '',
    'done, 0 errors',
    'error=nil count=3 done',
    'GET /error/ERROR.html 200',
    'ERROR_CODE is 3',
    'an error was handled: ok',
    'INFORMATION about it',
    'Info about it',
    `${' '.repeat(300)}ERROR`,
  ]) {
    expect(findLevel(text), text).toBeUndefined();
  }
});

test('levels have many names', () => {
  for (const [word, level] of [
    ['TRACE', 1],
    ['dbg', 2],
    ['Information', 3],
    ['warning', 4],
    ['err', 5],
    ['critical', 6],
    ['30', 3],
    ['60', 6],
    ['high', 0],
    ['7', 0],
  ] as const) {
    expect(levelOf(word), word).toBe(level);
  }
});

test('the fields of JSON are its own, in order', () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string()),
    fc.dictionary(fc.string(), fc.string()),
  );
  const fields = fc.uniqueArray(fc.tuple(fc.string(), value), { minLength: 1, maxLength: 8, selector: ([key]) => key });
  fc.assert(
    fc.property(fields, fc.constantFrom('', ' '), (fields, space) => {
      const inner = fields.map(([key, value]) => `${JSON.stringify(key)}${space}:${space}${JSON.stringify(value)}`);
      expect(readFields(`${space}{${space}${inner.join(`${space},${space}`)}${space}}${space}`)).toEqual(
        fields.map(([key, value]) =>
          typeof value === 'string'
            ? { key, value, isText: true }
            : { key, value: JSON.stringify(value), isText: false },
        ),
      );
    }),
  );
});

test('a number keeps all its digits', () => {
  expect(readFields('{"id":12345678901234567890,"f":1.10}')).toEqual([
    { key: 'id', value: '12345678901234567890', isText: false },
    { key: 'f', value: '1.10', isText: false },
  ]);
});

test('a line of pairs is logfmt', () => {
  expect(readFields('time=2026-01-07T10:00:00Z level=info msg="order \\"7\\" accepted" n=')).toEqual([
    { key: 'time', value: '2026-01-07T10:00:00Z', isText: true },
    { key: 'level', value: 'info', isText: true },
    { key: 'msg', value: 'order "7" accepted', isText: true },
    { key: 'n', value: '', isText: true },
  ]);
});

test('other lines have no fields', () => {
  for (const text of [
    '',
    '{}',
    '[1,2]',
    '{"a":1',
    '{a:1}',
    'plain',
    'a=1',
    'a=1 b=2',
    'heap 198 of 256 MiB pause=121ms',
    'msg=a b c=1',
    'msg="a"b c=1',
    '"msg"=1 a=2 b=3',
    `{"a":"${'x'.repeat(70_000)}"}`,
    '['.repeat(60_000),
    '{"a":'.repeat(10_000),
  ]) {
    expect(readFields(text), text.slice(0, 40)).toBeUndefined();
  }
});

test('a structured line is its level, its message, then its other fields', () => {
  for (const [raw, text, level] of [
    [
      '{"level":"error","ts":1767.5,"msg":"ledger timeout","order":48124,"queue":"a b"}',
      'ERROR ledger timeout order=48124 queue="a b"',
      5,
    ],
    ['{"time":"x","severity":"WARNING","message":"slow"}', 'WARN  slow', 4],
    ['level=info msg="order accepted" order=1', 'INFO  order accepted order=1', 3],
    ['{"a":{"b":[1]},"c":null,"d":""}', 'a={"b":[1]} c=null d=""', 0],
    ['{"level":30,"msg":"one\\ntwo"}', 'INFO  one ↵ two', 3],
    ['{"level":"odd","msg":"m"}', 'm level=odd', 0],
    ['{"msg":"\\u001b[31mred\\u001b[0m\\u202e"}', 'red⟨U+202E⟩', 0],
  ] as const) {
    const shown = show(raw, true);
    expect([shown.text, shown.level], raw).toEqual([text, level]);
    expect(shown.isStructured).toBe(true);
    expect(show(raw, false)).toMatchObject({ isStructured: false });
  }
});

test('keys and levels have roles', () => {
  const { text, runs } = show('{"level":"warn","msg":"slow","a":1,"b":2}', true);
  expect(runs.map(({ from, to, look }) => [text.slice(from, to), look.role])).toEqual([
    ['WARN', 'level'],
    ['a=', 'key'],
    ['b=', 'key'],
  ]);
});

test('a long line is cut, and the work for it is bounded', () => {
  const long = 16 * 1024 * 1024;
  for (const raw of [
    'x'.repeat(long),
    '中'.repeat(long / 2),
    '\t'.repeat(long),
    '\u0000'.repeat(long),
    '\u001b[31mx\u001b[0m'.repeat(100_000),
    '\u001b]'.repeat(long / 2),
    `\u001b[${'1;'.repeat(long / 2)}m`,
    `{"a":"${'x'.repeat(long)}"}`,
    `a="${'\\'.repeat(long)}`,
  ]) {
    const shown = show(raw, true);
    expect(shown.isCut).toBe(true);
    // A character takes eight at most: a tab, or its name.
    expect(shown.text.length).toBeLessThanOrEqual(CUT * 8);
  }
});

test('a cut parts no character', () => {
  expect(show(`${'x'.repeat(CUT - 1)}😀`, true).text).toBe('x'.repeat(CUT - 1));
  const { text, isCut } = show(JSON.stringify({ msg: `${'x'.repeat(CUT - 1)}😀` }), true);
  expect([text, isCut]).toEqual(['x'.repeat(CUT - 1), true]);
});

test('a long structured line whose parts are short is not cut', () => {
  const raw = `{"msg":"m",${' '.repeat(CUT)}"a":1}`;
  expect(show(raw, true)).toMatchObject({ text: 'm a=1', isCut: false });
  expect(show(raw, false)).toMatchObject({ isCut: true });
});

test('runs of a structured line lie within its text', () => {
  const value = fc.oneof(fc.string({ maxLength: 3000 }), fc.integer(), fc.constant('\u001b[31mred\u001b[0m'));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('msg', 'level', 'a', 'b', 'c'), value), (object) => {
      const { text, runs } = show(JSON.stringify(object), true);
      let end = 0;
      for (const { from, to } of runs) {
        expect(from).toBeGreaterThanOrEqual(end);
        end = to;
      }
      expect(end).toBeLessThanOrEqual(text.length);
    }),
  );
});
