/** What has become of the pod that a place names: it is there, gone, or another of its name is there. */
export type Fate = 'there' | 'gone' | 'replaced';

interface Known {
  /** The pod's uid; empty if the link has none and nothing has been read. */
  readonly uid: string;
  /** The uid of the pod of that name as it was last read; empty for none. */
  readonly other: string;
  /** Whether the cluster says that there is no pod of that name. */
  readonly isMissing: boolean;
  /** Whether a live query of its name has it; `undefined` while that is not known. */
  readonly isListed: boolean | undefined;
}

/** Returns what has become of a pod, by what was read of its name and by its live query. */
export function fateOf({ uid, other, isMissing, isListed }: Known): Fate {
  if (isMissing) return 'gone';
  if (uid !== '' && other !== '' && other !== uid) return 'replaced';
  if (uid !== '' && isListed === false) return 'gone';
  return 'there';
}
