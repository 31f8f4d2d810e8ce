import type { TFunction } from 'i18next';

import { type Pod, shortImage } from './pod';

/**
 * A part of a sentence: words of the page's language, a name in code, or what a cluster said, which is
 * English in every language.
 */
export interface Part {
  readonly kind: 'words' | 'code' | 'foreign';
  readonly text: string;
}

type Reason = Pick<Pod, 'reasonCode' | 'reasonArgs'>;

/** Stands around the number of an argument in a sentence. No argument is ever read as a part of one. */
const MARK = '\u0000';

/**
 * Returns the sentence for a reason, in parts. It leaves out the restarts, which have a column of their
 * own. `undefined` for a code that the page does not know.
 */
export function whyParts({ reasonCode, reasonArgs }: Reason, t: TFunction): Part[] | undefined {
  const values: Part[] = [];
  const put = (kind: 'code' | 'foreign', text: string): string => `${MARK}${values.push({ kind, text }) - 1}${MARK}`;
  const text = (name: string): string => {
    const value = reasonArgs?.[name];
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
  };
  const code = (name: string) => put('code', text(name));
  const foreign = (name: string) => put('foreign', text(name));
  const sentence = sentenceOf(reasonCode, t, { text, put, code, foreign });
  if (sentence === undefined) return undefined;
  const parts = sentence.split(MARK).map((part, place): Part | undefined => {
    if (place % 2 === 1) return values[Number(part)];
    return part === '' ? undefined : { kind: 'words', text: part };
  });
  return parts.filter((part) => part !== undefined);
}

interface Arguments {
  readonly put: (kind: 'code' | 'foreign', text: string) => string;
  readonly text: (name: string) => string;
  readonly code: (name: string) => string;
  readonly foreign: (name: string) => string;
}

function sentenceOf(reasonCode: string, t: TFunction, given: Arguments): string | undefined {
  const { text, code, foreign } = given;
  const has = (name: string) => text(name) !== '';
  switch (reasonCode) {
    case 'OutOfMemory':
      return t('why.outOfMemory', { container: code('container') });
    case 'CannotStart':
      return t('why.cannotStart', { container: code('container'), cause: foreign('cause') });
    case 'Image':
      return imageSentence(t, given);
    case 'Crash':
      return crashSentence(t, given);
    case 'PodFailed':
      if (!has('reason')) return t('why.podFailed');
      return has('message') ? `${foreign('reason')}${t('why.colon')}${foreign('message')}` : foreign('reason');
    case 'Warning':
      return has('message') ? `${foreign('reason')}${t('why.colon')}${foreign('message')}` : foreign('reason');
    case 'Unscheduled':
      return has('message') ? t('why.unscheduled', { message: foreign('message') }) : t('why.unscheduledAlone');
    case 'NodeLost':
      return text('deleting') === '1' ? t('why.nodeLostDeleting') : t('why.nodeLost');
    case 'Waiting':
      return t(has('message') ? 'why.waitingFor' : 'why.waiting', {
        container: code('container'),
        reason: foreign('reason'),
        message: has('message') ? foreign('message') : '',
      });
    case 'NotStarted':
      return t(has('probe') ? 'why.notStartedProbe' : 'why.notStarted', {
        container: code('container'),
        probe: has('probe') ? foreign('probe') : '',
      });
    case 'NotReady':
      return t(has('probe') ? 'why.notReadyProbe' : 'why.notReady', {
        container: code('container'),
        probe: has('probe') ? foreign('probe') : '',
      });
    case 'Gate':
      return t('why.gate', { message: foreign('message') });
    case 'ContainersReady':
      return t('why.containersReady');
    default:
      return undefined;
  }
}

function imageSentence(t: TFunction, { text, put, foreign }: Arguments): string {
  const image = put('code', shortImage(text('image')));
  const cause = text('cause') === '' ? '' : `${t('why.colon')}${foreign('cause')}`;
  switch (text('problem')) {
    case 'never':
      return t('why.imageNever', { image });
    case 'name':
      return t('why.imageName', { image });
    case 'inspect':
      return `${t('why.imageInspect', { image })}${cause}`;
    default:
      return `${t('why.imagePull', { image })}${cause}`;
  }
}

function crashSentence(t: TFunction, given: Arguments): string {
  const { text, code, foreign } = given;
  const container = code('container');
  if (text('how') === 'lost') return t('why.lost', { container });
  const how = text('how');
  const verb = t(how === 'failed' ? 'why.failed' : how === 'ending' ? 'why.ending' : 'why.crashing', { container });
  const said = text('said') === '' ? '' : t('why.said', { said: foreign('said') });
  return `${verb}${exitOf(t, given)}${said}`;
}

/** Returns how a run ended, with a colon before it; empty where it is not known. */
function exitOf(t: TFunction, { text, foreign }: Arguments): string {
  if (text('signal') !== '' && text('signal') !== '0')
    return `${t('why.colon')}${t('why.signal', { signal: text('signal') })}`;
  if (text('exitCode') === '') return '';
  const exit = t('why.exit', { code: text('exitCode') });
  const word = text('word') === '' ? '' : t('why.word', { word: foreign('word') });
  return `${t('why.colon')}${exit}${word}`;
}
