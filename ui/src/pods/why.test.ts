import { readFileSync } from 'node:fs';

import i18next, { type TFunction } from 'i18next';
import { beforeAll, expect, test } from 'vitest';

import { en } from '../i18n/en';
import { zh } from '../i18n/zh';
import { whyParts } from './why';

interface Case {
  rule: string;
  code?: string;
  args?: Record<string, unknown>;
  reason: string;
}

const cases = (JSON.parse(readFileSync('../crates/cluster/tests/data/reason.json', 'utf8')) as Case[]).filter(
  ({ code }) => code !== undefined,
);

beforeAll(async () => {
  await i18next.init({
    resources: { en: { translation: en }, zh: { translation: zh } },
    interpolation: { escapeValue: false },
  });
});

function sentence({ code = '', args = {} }: Case, language: 'en' | 'zh'): string | undefined {
  const t: TFunction = i18next.getFixedT(language);
  return whyParts({ reasonCode: code, reasonArgs: args }, t)
    ?.map(({ text }) => text)
    .join('');
}

test('every reason of the server has a sentence in both languages, with nothing left open', () => {
  expect(cases.length).toBeGreaterThan(80);
  for (const one of cases) {
    for (const language of ['en', 'zh'] as const) {
      const text = sentence(one, language);
      expect(text, one.rule).toBeTruthy();
      expect(text, one.rule).not.toMatch(/\{\{|undefined|\u0000|[:：]\s*$/);
    }
  }
});

test('the English sentence says what the server\u2019s says', () => {
  const [memory] = cases;
  expect(memory && sentence(memory, 'en')).toBe('api ran out of memory and was killed (OOMKilled)');
  const said = cases.find(({ args }) => args?.['said'] === 'no DATABASE_URL');
  expect(said && sentence(said, 'en')).toBe('app keeps crashing: exit code 3, saying “no DATABASE_URL”');
});

test('a code that the page does not know has no sentence of its own', () => {
  expect(sentence({ rule: '', code: 'SomethingNew', reason: '' }, 'en')).toBeUndefined();
});

test('names are code, and what a cluster said is marked as foreign', () => {
  const t: TFunction = i18next.getFixedT('zh');
  const args = { container: 'api', cause: 'configmap "x" not found' };
  expect(whyParts({ reasonCode: 'CannotStart', reasonArgs: args }, t)).toEqual([
    { kind: 'code', text: 'api' },
    { kind: 'words', text: ' 无法启动：' },
    { kind: 'foreign', text: 'configmap "x" not found' },
  ]);
});
