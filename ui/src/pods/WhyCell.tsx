import styles from './cells.module.css';
import type { Pod } from './pod';

/** Why a pod is not well, in one line; the whole sentence is in the tooltip. */
export function WhyCell({ pod: { reason } }: { pod: Pod }) {
  if (reason === '') return null;
  return (
    <span className={styles.why} title={reason} lang="en">
      <Code text={reason} />
    </span>
  );
}

/** A sentence whose parts between backticks are code. */
export function Code({ text }: { text: string }) {
  const parts = text.split('`');
  // A single backtick is a sign like any other.
  if (parts.length % 2 === 0) return text;
  return parts.map((part, place) => (place % 2 === 0 ? part : <code key={place}>{part}</code>));
}
