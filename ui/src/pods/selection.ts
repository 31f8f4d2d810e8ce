import { keyOf } from '../live/window';
import type { Target } from './deletion';

/** The pods that were picked, by cluster and uid. They stay picked when the list changes. */
export type Selection = ReadonlyMap<string, Target>;

export const NOTHING: Selection = new Map();

/** Returns the selection with a pod added, or taken out if it was in it. */
export function toggled(selection: Selection, pod: Target): Selection {
  const next = new Map(selection);
  if (!next.delete(keyOf(pod))) next.set(keyOf(pod), pod);
  return next;
}

/** Returns the selection with some pods added. */
export function added(selection: Selection, pods: readonly Target[]): Selection {
  const next = new Map(selection);
  for (const pod of pods) next.set(keyOf(pod), pod);
  return next;
}

/** Returns the selection without some pods. */
export function removed(selection: Selection, keys: Iterable<string>): Selection {
  const next = new Map(selection);
  for (const key of keys) next.delete(key);
  return next;
}

/** Returns the keys from one row to another, in the order of the list; both are among them. */
export function between(keys: readonly string[], from: string, to: string): string[] {
  const [a, b] = [keys.indexOf(from), keys.indexOf(to)];
  if (b < 0) return [];
  if (a < 0) return [to];
  return keys.slice(Math.min(a, b), Math.max(a, b) + 1);
}
