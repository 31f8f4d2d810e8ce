import styles from './icons.module.css';

/** Podgate's mark. */
export function Mark() {
  return (
    <svg className={styles.brand} viewBox="0 0 20 20" aria-hidden="true">
      <path
        d="M3 18V8.2A7 7 0 0 1 10 1.2a7 7 0 0 1 7 7V18"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
      <path d="M10 7.2l3.3 1.9v3.8L10 14.8l-3.3-1.9V9.1z" fill="currentColor" />
    </svg>
  );
}

/** A diamond, the shape of what is wrong. */
export function BadMark() {
  return (
    <svg className={styles.bad} viewBox="0 0 12 12" aria-hidden="true">
      <path d="M6 .6 11.4 6 6 11.4.6 6z" fill="currentColor" />
    </svg>
  );
}

/** A globe, for the language. */
export function Globe() {
  return (
    <svg className={styles.icon} viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="5.75" />
      <path d="M2.5 8h11M8 2.25c2 2 2.75 3.75 2.75 5.75S10 11.75 8 13.75C6 11.75 5.25 10 5.25 8S6 4.25 8 2.25z" />
    </svg>
  );
}

/** A moon, for the theme. */
export function Moon() {
  return (
    <svg className={styles.icon} viewBox="0 0 16 16" aria-hidden="true">
      <path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z" />
    </svg>
  );
}
