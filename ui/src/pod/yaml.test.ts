import { expect, test } from 'vitest';

import { findIn, firstHit, foldedAtFirst, linesOf, marked, revealing, unfolded } from './yaml';

const MANIFEST = `apiVersion: v1
kind: Pod
metadata:
  labels:
    app: "web"
  managedFields:
  - manager: kubelet
    operation: Update
  name: web-0
spec:
  containers:
  - args:
    - --flag
    image: a:1
    name: api
    resources:
      limits:
        cpu: 500m
  - name: proxy
    resources:
      limits:
        memory: 64Mi
  enableServiceLinks: true
  priority: 0
status:
  message: |
    two: lines

    of text
  phase: Running
`;

const lines = linesOf(MANIFEST);
const at = (number: number) => {
  const line = lines[number - 1];
  if (line === undefined) throw new Error(`there is no line ${number}`);
  return line;
};

test('every line is there, and its parts are its text', () => {
  expect(lines.map(({ text }) => text).join('\n')).toBe(MANIFEST.trimEnd());
  for (const { parts, text } of lines) expect(parts.map((part) => part.text).join('')).toBe(text);
});

test.each([
  [1, 0],
  [3, 6], // metadata
  [6, 2], // a list as far left as its key
  [7, 1], // its entry
  [10, 14], // spec
  [12, 6], // the first container
  [13, 0],
  [25, 5], // status
  [26, 3], // a block of text with an empty line
])('line %i folds %i lines', (number, folds) => {
  expect(at(number).folds).toBe(folds);
});

test('keys, texts, numbers and constants have their looks', () => {
  const looks = (number: number) => at(number).parts.map(({ look, text }) => `${look} ${text}`);
  expect(looks(1)).toEqual(['key apiVersion', 'sign :', 'text  ', 'text v1']);
  expect(looks(5)).toEqual(['sign     ', 'key app', 'sign :', 'text  ', 'string "web"']);
  expect(looks(13)).toEqual(['sign     - ', 'text --flag']);
  expect(looks(23).at(-1)).toBe('number true');
  expect(looks(24).at(-1)).toBe('number 0');
  // What looks like a key in a block of text is text.
  expect(looks(27)).toEqual(['string     two: lines']);
});

test('managed fields and the status begin folded', () => {
  const folded = foldedAtFirst(lines);
  expect([...folded]).toEqual([6, 25]);
  const shown = unfolded(lines, folded).map(({ number }) => number);
  expect(shown).not.toContain(7);
  expect(shown).toContain(9);
  expect(shown.at(-1)).toBe(25);
});

test('a hit in a folded block is found, and unfolds it', () => {
  const [hit] = findIn(lines, 'running');
  expect(hit).toEqual({ number: 30, from: 9, to: 16 });
  expect([...revealing(lines, foldedAtFirst(lines), 30)]).toEqual([6]);
  expect([...revealing(lines, foldedAtFirst(lines), 25)]).toEqual([6, 25]);
});

test('a container’s own lines come first', () => {
  const hits = findIn(lines, 'limits');
  expect(hits.map(({ number }) => number)).toEqual([17, 21]);
  expect(firstHit(lines, hits, 'proxy')).toBe(1);
  expect(firstHit(lines, hits, 'api')).toBe(0);
  expect(firstHit(lines, hits, 'nobody')).toBe(0);
});

test('hits are cut out of the parts', () => {
  const hits = findIn(lines, 'name: web');
  expect(marked(at(9), hits).map(({ text, hit }) => `${hit === undefined ? '' : '*'}${text}`)).toEqual([
    '  ',
    '*name',
    '*:',
    '* ',
    '*web',
    '-0',
  ]);
});

test('what can’t be seen is named', () => {
  expect(linesOf('name: a\u202eb')[0]?.text).toBe('name: a⟨U+202E⟩b');
});
