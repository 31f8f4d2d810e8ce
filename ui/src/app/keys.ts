/** The parts of the page that have keys of their own. A letter acts in the focused part only. */
export type Region = 'anywhere' | 'list' | 'pod' | 'log';

/** What a key does. */
export type Action =
  | 'search'
  | 'goPods'
  | 'goNotWell'
  | 'goClusters'
  | 'sidebar'
  | 'next'
  | 'previous'
  | 'first'
  | 'last'
  | 'pageDown'
  | 'pageUp'
  | 'open'
  | 'log'
  | 'lastLog'
  | 'events'
  | 'yaml'
  | 'overview'
  | 'page'
  | 'pick'
  | 'pickDown'
  | 'pickUp'
  | 'pickAll'
  | 'copy'
  | 'delete'
  | 'apply'
  | 'everyNamespace'
  | 'node'
  | 'clear'
  | 'sortName'
  | 'sortStatus'
  | 'sortRestarts'
  | 'sortAge'
  | 'sortNode'
  | 'sortNamespace'
  | 'sortWhy'
  | 'lineDown'
  | 'lineUp'
  | 'readNext'
  | 'readPrevious'
  | 'oldest'
  | 'newest'
  | 'follow'
  | 'find'
  | 'nextHit'
  | 'previousHit'
  | 'nextError'
  | 'wrap'
  | 'times'
  | 'raw'
  | 'mark'
  | 'copyLines'
  | 'unfold'
  | 'lastRun'
  | 'allContainers'
  | 'sinceNewest'
  | 'sinceStart'
  | 'since1'
  | 'since5'
  | 'since15'
  | 'since30'
  | 'since60';

/**
 * Keys by part, as chords: modifiers in the order `Mod+Ctrl+Shift`, then `event.key`, a letter in
 * lower case. `Mod` is ⌘ on a Mac and Ctrl elsewhere. Two keys one after the other have a space
 * between them. A key that needs Shift on some keyboards, such as `?`, is written without it.
 */
export const KEYS: Readonly<Record<Region, Readonly<Record<string, Action>>>> = {
  anywhere: {
    '/': 'search',
    'g p': 'goPods',
    'g w': 'goNotWell',
    'g c': 'goClusters',
    '[': 'sidebar',
  },
  list: {
    j: 'next',
    k: 'previous',
    ArrowDown: 'next',
    ArrowUp: 'previous',
    'g g': 'first',
    Home: 'first',
    'Shift+g': 'last',
    End: 'last',
    PageDown: 'pageDown',
    PageUp: 'pageUp',
    Enter: 'open',
    d: 'open',
    l: 'log',
    p: 'lastLog',
    e: 'events',
    y: 'yaml',
    'Shift+Enter': 'page',
    x: 'pick',
    ' ': 'pick',
    'Shift+ArrowDown': 'pickDown',
    'Shift+ArrowUp': 'pickUp',
    'Mod+a': 'pickAll',
    c: 'copy',
    'Ctrl+d': 'delete',
    '.': 'apply',
    '0': 'everyNamespace',
    o: 'node',
    Escape: 'clear',
    'Shift+n': 'sortName',
    'Shift+s': 'sortStatus',
    'Shift+r': 'sortRestarts',
    'Shift+a': 'sortAge',
    'Shift+o': 'sortNode',
    'Shift+z': 'sortNamespace',
    'Shift+w': 'sortWhy',
  },
  pod: {
    j: 'next',
    k: 'previous',
    d: 'overview',
    l: 'log',
    p: 'lastLog',
    e: 'events',
    y: 'yaml',
    c: 'copy',
    'Ctrl+d': 'delete',
    'Shift+Enter': 'page',
    Escape: 'clear',
  },
  log: {
    ArrowDown: 'lineDown',
    ArrowUp: 'lineUp',
    PageDown: 'pageDown',
    ' ': 'pageDown',
    PageUp: 'pageUp',
    Home: 'oldest',
    'g g': 'oldest',
    End: 'newest',
    'Shift+g': 'newest',
    s: 'follow',
    '/': 'find',
    n: 'nextHit',
    'Shift+n': 'previousHit',
    'Shift+e': 'nextError',
    w: 'wrap',
    t: 'times',
    r: 'raw',
    m: 'mark',
    c: 'copyLines',
    Enter: 'unfold',
    p: 'lastRun',
    a: 'allContainers',
    '0': 'sinceNewest',
    '1': 'sinceStart',
    '2': 'since1',
    '3': 'since5',
    '4': 'since15',
    '5': 'since30',
    '6': 'since60',
  },
};

/** The parts of a key event that matter. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  /** Returns the state of AltGr, which some browsers report as Ctrl and Alt. */
  getModifierState(name: string): boolean;
}

/** How long the second key of two may take, in milliseconds. */
const SEQUENCE = 1000;

/** Returns the chord of a key press; `undefined` if it types a character by AltGr, or holds Alt. */
export function chordOf(event: KeyPress, isMac: boolean): string | undefined {
  if (event.getModifierState('AltGraph') || event.altKey) return undefined;
  const isLetter = event.key.length === 1 && event.key.toLowerCase() !== event.key.toUpperCase();
  const parts: string[] = [];
  const isMod = isMac ? event.metaKey : event.ctrlKey;
  if (isMod && isMac) parts.push('Mod');
  if (event.ctrlKey) parts.push(isMac ? 'Ctrl' : 'Mod');
  if (event.metaKey && !isMac) return undefined;
  // A sign has its place on Shift or not, by the keyboard: the sign alone decides.
  if (event.shiftKey && (isLetter || event.key.length > 1)) parts.push('Shift');
  parts.push(isLetter ? event.key.toLowerCase() : event.key);
  return parts.join('+');
}

/** Finds the actions of key presses, also of two keys one after the other. */
export class KeyReader {
  #first: { chord: string; at: number } | undefined;

  /**
   * Returns the action of a key press in a part of the page.
   *
   * @param now The time in milliseconds, by which the first of two keys is forgotten.
   */
  read(event: KeyPress, region: Region, now: number, isMac: boolean): Action | undefined {
    const chord = chordOf(event, isMac);
    if (chord === undefined) return undefined;
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && now - first.at <= SEQUENCE) {
      const action = find(region, [`${first.chord} ${chord}`]);
      if (action !== undefined) return action;
    }
    // Where there is no ⌘, its keys and those of Ctrl are the same.
    const action = find(region, [chord, chord.replace('Mod+', 'Ctrl+')]);
    if (action === undefined && chord === 'g') this.#first = { chord, at: now };
    return action;
  }
}

function find(region: Region, chords: string[]): Action | undefined {
  for (const chord of chords) {
    const action = KEYS[region][chord] ?? KEYS.anywhere[chord];
    if (action !== undefined) return action;
  }
  return undefined;
}

/** Returns whether a key press belongs to a field in which one types. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Whether the page runs on a Mac, where ⌘ takes the place of Ctrl. */
export const IS_MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);
