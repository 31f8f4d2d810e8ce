/** The sentences of a manifest. */
export const yaml = {
  find: 'Find',
  none: 'Nothing found',
  hitOf: '{{current}} of {{count}}',
  previous: 'Previous hit',
  next: 'Next hit',
  copy: 'Copy',
  download: 'Download',
  lines_one: '{{number}} line, read-only',
  lines_other: '{{number}} lines, read-only',
  folded_one: '{{count}} line',
  folded_other: '{{count}} lines',
  fold: 'Fold line {{number}}',
  unfold: 'Unfold line {{number}}',
  linkTo: 'Link to line {{number}}',
  last: 'The manifest as it was last read.',
} as const;
