/**
 * Puts a text on the clipboard. Call it from a click or a key press.
 *
 * A browser offers its clipboard only over https and on localhost. Elsewhere the text is copied
 * from a field, as one would by hand.
 */
export async function copyText(text: string): Promise<void> {
  // Its type promises it, a page over http has none.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard !== undefined) {
    await clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.style.position = 'fixed';
  field.style.opacity = '0';
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  // There is no other way without a secure context.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus();
}
