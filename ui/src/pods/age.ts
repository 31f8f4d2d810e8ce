const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** Returns a length of time in one unit, rounded down, as in `4s`, `19m`, `2h` or `3d`. */
export function short(millis: number): string {
  const seconds = Math.max(0, Math.floor(millis / 1000));
  for (const [unit, length] of UNITS) if (seconds >= length) return `${Math.floor(seconds / length)}${unit}`;
  return `${seconds}s`;
}

const LONG = { d: 'day', h: 'hour', m: 'minute', s: 'second' } as const;

/** Returns how long ago a time was, in words of a language, as in `3m ago` or `3 分钟前`. */
export function ago(millis: number, language: string): string {
  const text = short(millis);
  const unit = LONG[text.slice(-1) as keyof typeof LONG];
  const style = language === 'zh' ? 'long' : 'narrow';
  return formatter(language, style).format(-Number(text.slice(0, -1)), unit);
}

const formatters = new Map<string, Intl.RelativeTimeFormat>();

function formatter(language: string, style: 'long' | 'narrow'): Intl.RelativeTimeFormat {
  let format = formatters.get(language + style);
  if (format === undefined) {
    format = new Intl.RelativeTimeFormat(language, { style, numeric: 'always' });
    formatters.set(language + style, format);
  }
  return format;
}
