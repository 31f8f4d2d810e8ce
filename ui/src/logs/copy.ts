/** Returns the lines in which text is selected in an element; `undefined` without a selection. */
export function selectedLines(element: HTMLElement | null): { from: number; to: number } | undefined {
  const rows = element === null ? [] : selectedRows(element);
  const lines = rows.map((row) => Number(row.dataset['line']));
  return lines.length === 0 ? undefined : { from: Math.min(...lines), to: Math.max(...lines) };
}

function selectedRows(element: HTMLElement): HTMLElement[] {
  const selection = getSelection();
  if (selection === null || selection.isCollapsed || !element.contains(selection.anchorNode)) return [];
  return [...element.querySelectorAll<HTMLElement>('[data-line]')]
    .filter((row) => selection.containsNode(row, true))
    .sort(
      (a, b) =>
        Number(a.dataset['line']) - Number(b.dataset['line']) || Number(a.dataset['at']) - Number(b.dataset['at']),
    );
}

/**
 * Returns the selected text in an element, with a line of several rows as one; empty without a
 * selection. It has no times and no names of sources.
 */
export function selectedText(element: HTMLElement): string {
  const range = getSelection()?.rangeCount ? getSelection()?.getRangeAt(0) : undefined;
  if (range === undefined) return '';
  let text = '';
  let last: string | undefined;
  for (const row of selectedRows(element)) {
    const piece = row.querySelector('[data-text]');
    if (piece === null) continue;
    const inside = document.createRange();
    inside.selectNodeContents(piece);
    if (range.compareBoundaryPoints(Range.START_TO_START, inside) > 0)
      inside.setStart(range.startContainer, range.startOffset);
    if (range.compareBoundaryPoints(Range.END_TO_END, inside) < 0) inside.setEnd(range.endContainer, range.endOffset);
    text += last === undefined || last === row.dataset['line'] ? inside.toString() : `\n${inside.toString()}`;
    last = row.dataset['line'];
  }
  return text;
}
