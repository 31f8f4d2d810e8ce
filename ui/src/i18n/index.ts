import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

import { lazily } from '../app/release';
import { write } from '../app/stored';
import type { Sentences } from './en';

/** The languages of the page, by their own names. */
export const LANGUAGES = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;

const LOADERS: Record<Language, () => Promise<Sentences>> = {
  en: async () => (await lazily(() => import('./en'))).en,
  zh: async () => (await lazily(() => import('./zh'))).zh,
};

function isLanguage(text: string): text is Language {
  return text in LANGUAGES;
}

/** Returns the language in use, which `boot.js` has put on the document. */
export function language(): Language {
  const { lang } = document.documentElement;
  return isLanguage(lang) ? lang : 'en';
}

async function load(chosen: Language): Promise<void> {
  if (!i18next.hasResourceBundle(chosen, 'translation')) {
    i18next.addResourceBundle(chosen, 'translation', await LOADERS[chosen]());
  }
}

/** Loads the sentences of the language in use. Call it once, before the first render. */
export async function start(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language(),
    resources: {},
    // React escapes what it shows.
    interpolation: { escapeValue: false },
    // A key without a sentence is a defect that tests find; the page shows the key.
    fallbackLng: false,
  });
  await load(language());
  await i18next.changeLanguage(language());
}

/** Changes the language and keeps it for this browser; does nothing if its sentences are gone. */
export async function setLanguage(chosen: Language): Promise<void> {
  try {
    await load(chosen);
  } catch {
    // The page offers a reload.
    return;
  }
  document.documentElement.lang = chosen;
  write('language', chosen);
  await i18next.changeLanguage(chosen);
}

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: Sentences };
  }
}
