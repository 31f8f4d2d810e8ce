/** Reads the query of a URL: the API's names with texts as values, a repeated name as a list. */
export function parseSearch(text: string): Record<string, string | string[]> {
  const search: Record<string, string | string[]> = {};
  const pairs = new URLSearchParams(text);
  for (const name of new Set(pairs.keys())) {
    const values = pairs.getAll(name);
    search[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return search;
}

/** Writes the query of a URL, with `?` in front; empty for none. Absent values are left out. */
export function stringifySearch(search: Record<string, unknown>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
        pairs.append(name, String(one));
    }
  }
  const text = pairs.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * Returns a path of this page to continue at after a log-in: `next`, if it is one.
 *
 * Everything else leads to the start, so that a link to the log-in can't lead to another site.
 */
export function safeNext(next: unknown): string {
  const text = typeof next === 'string' ? next : '/';
  // A browser reads a backslash as a slash, and drops tabs and line breaks.
  const isPath = text.startsWith('/') && !/^\/[/\\]/.test(text) && !/[\s\u0000-\u001f]/.test(text);
  return isPath && !text.startsWith('/login') ? text : '/';
}
