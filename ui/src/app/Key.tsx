import styles from './Key.module.css';

/** A key cap. A screen reader hears the key from `aria-keyshortcuts` of what it acts on. */
export function Key({ name }: { name: string }) {
  return (
    <kbd className={styles.key} aria-hidden="true">
      {name}
    </kbd>
  );
}
