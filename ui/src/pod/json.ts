/** An object of a manifest. What is in it is known only once it is looked at. */
export type Json = Readonly<Record<string, unknown>>;

/** Returns a value as an object; an empty one if it is something else. */
export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** Returns a value as a list of objects; an empty one if it is something else. */
export function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object) : [];
}

/** Returns a value as a text; an empty one if it is something else. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Returns a value as a number; 0 if it is something else. */
export function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
