import styles from './icons.module.css';

/** Outlines on a grid of 16. */
const OUTLINES = {
  search: 'M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zm-1 3.5 3 3',
  pods: 'M8 1.75 13.5 4.9v6.2L8 14.25 2.5 11.1V4.9zM2.7 5 8 8l5.3-3M8 8v6',
  logs: 'M2.5 3.5h11M2.5 6.5h7M2.5 9.5h11M2.5 12.5h5',
  terminal:
    'M3.75 2.75h8.5a2 2 0 0 1 2 2v6.5a2 2 0 0 1-2 2h-8.5a2 2 0 0 1-2-2v-6.5a2 2 0 0 1 2-2zM4.5 6l2 2-2 2M8.5 10.5h3',
  clusters:
    'M3.25 2.25h9.5c.7 0 1.25.55 1.25 1.25v2c0 .7-.55 1.25-1.25 1.25h-9.5C2.55 6.75 2 6.2 2 5.5v-2c0-.7.55-1.25 1.25-1.25zM3.25 9.25h9.5c.7 0 1.25.55 1.25 1.25v2c0 .7-.55 1.25-1.25 1.25h-9.5c-.7 0-1.25-.55-1.25-1.25v-2c0-.7.55-1.25 1.25-1.25zM4.75 4.5h.01M4.75 11.5h.01',
  gear: 'M10 8a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM8 1.75v1.9M8 12.35v1.9M14.25 8h-1.9M3.65 8h-1.9M12.4 3.6l-1.3 1.3M4.9 11.1l-1.3 1.3M12.4 12.4l-1.3-1.3M4.9 4.9 3.6 3.6',
  plus: 'M8 3v10M3 8h10',
  close: 'm4 4 8 8M12 4l-8 8',
  down: 'm4 6 4 4 4-4',
  up: 'm4 10 4-4 4 4',
  left: 'm10 4-4 4 4 4',
  right: 'm6 4 4 4-4 4',
  sortDown: 'M8 3v10M4 9l4 4 4-4',
  sortUp: 'M8 13V3M4 7l4-4 4 4',
  globe:
    'M13.75 8a5.75 5.75 0 1 1-11.5 0 5.75 5.75 0 0 1 11.5 0zM2.5 8h11M8 2.25c2 2 2.75 3.75 2.75 5.75S10 11.75 8 13.75C6 11.75 5.25 10 5.25 8S6 4.25 8 2.25z',
  check: 'm3.5 8.5 3 3 6-7',
  dash: 'M4 8h8',
  copy: 'M7 5.5h5A1.5 1.5 0 0 1 13.5 7v5a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 12V7A1.5 1.5 0 0 1 7 5.5zM10.5 3.5v-1h-8v8h1',
  download: 'M8 2.5v7M5 7l3 3 3-3M2.5 13h11',
  link: 'M6.5 9.5 9.5 6.5M7 4.5l1.2-1.2a2.8 2.8 0 0 1 4 4L11 8.5M9 11.5l-1.2 1.2a2.8 2.8 0 0 1-4-4L5 7.5',
  columns:
    'M3.5 2.75h9c.83 0 1.5.67 1.5 1.5v7.5c0 .83-.67 1.5-1.5 1.5h-9c-.83 0-1.5-.67-1.5-1.5v-7.5c0-.83.67-1.5 1.5-1.5zM6 2.75v10.5M10 2.75v10.5',
  fold: 'M3.5 2.75h9c.83 0 1.5.67 1.5 1.5v7.5c0 .83-.67 1.5-1.5 1.5h-9c-.83 0-1.5-.67-1.5-1.5v-7.5c0-.83.67-1.5 1.5-1.5zM6 2.75v10.5',
  trash: 'M2.75 4.25h10.5M6 4V2.5h4V4M4 4.25l.6 9.25h6.8l.6-9.25M6.75 7v4M9.25 7v4',
  star: 'm8 2 1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5z',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  again: 'M13 8a5 5 0 1 1-1.5-3.6L13 6M13 2.5V6H9.5',
  filter: 'M2.5 3.5h11L9.5 8.5v4l-3 1.5V8.5z',
  yaml: 'M3 3.5h4M5 6.5h6M5 9.5h4M3 12.5h6',
  lock: 'M4.75 7h6.5c.83 0 1.5.67 1.5 1.5V12c0 .83-.67 1.5-1.5 1.5h-6.5c-.83 0-1.5-.67-1.5-1.5V8.5c0-.83.67-1.5 1.5-1.5zM5.25 7V5a2.75 2.75 0 0 1 5.5 0v2',
  wrap: 'M2.5 4h11M2.5 8h8.5a2 2 0 0 1 0 4H8M9.5 10.5 8 12l1.5 1.5M2.5 12H5',
  braces:
    'M6 2.5c-2 0-1.5 2-1.5 3S4 8 2.75 8C4 8 4.5 9 4.5 10.5s-.5 3 1.5 3M10 2.5c2 0 1.5 2 1.5 3S12 8 13.25 8C12 8 11.5 9 11.5 10.5s.5 3-1.5 3',
  clock: 'M13.75 8a5.75 5.75 0 1 1-11.5 0 5.75 5.75 0 0 1 11.5 0zM8 4.75V8l2.25 1.5',
  gap: 'M1.5 8h3M11.5 8h3M6 11l4-6',
  dots: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
} as const;

export type IconName = keyof typeof OUTLINES;

/** An icon. It is drawn beside a word or in a button with a name, so a screen reader skips it. */
export function Icon({ name, size = 'medium' }: { name: IconName; size?: 'small' | 'medium' | 'large' }) {
  return (
    <svg
      className={`${styles.icon} ${styles[size]} ${name === 'dots' ? styles.dots : ''}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={OUTLINES[name]} />
    </svg>
  );
}

/** Podgate's mark. */
export function Mark({ size = 'large' }: { size?: 'medium' | 'large' }) {
  return (
    <svg
      className={`${styles.brand} ${size === 'large' ? styles.brandLarge : ''}`}
      viewBox="0 0 20 20"
      aria-hidden="true"
    >
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

/** The shapes of a pod's state: one for each class, so that they read without colour. */
export type Shape = 'ok' | 'busy' | 'warn' | 'bad' | 'failed' | 'over' | 'leaving' | 'lost' | 'held';

const SHAPES: Record<Shape, React.ReactNode> = {
  ok: <circle cx="6" cy="6" r="4" fill="currentColor" />,
  busy: (
    <>
      <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M6 3.4a2.6 2.6 0 0 1 0 5.2z" fill="currentColor" />
    </>
  ),
  warn: <path d="M6 1.2 11.2 10.6H.8z" fill="currentColor" />,
  bad: <path d="M6 .6 11.4 6 6 11.4.6 6z" fill="currentColor" />,
  failed: (
    <g fill="none" stroke="currentColor" strokeWidth="1.5">
      <circle cx="6" cy="6" r="4.6" />
      <path d="m4.3 4.3 3.4 3.4m0-3.4L4.3 7.7" strokeLinecap="round" />
    </g>
  ),
  over: (
    <path
      d="m2.2 6.4 2.5 2.5 5.1-5.6"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  ),
  leaving: (
    <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2.6 1.9" />
  ),
  lost: (
    <g fill="none" stroke="currentColor">
      <circle cx="6" cy="6" r="4.6" strokeWidth="1.4" />
      <path d="M4.7 4.8c.2-1.5 2.7-1.4 2.6.1 0 .9-1.3 1-1.3 1.9M6 8.4v.1" strokeWidth="1.3" strokeLinecap="round" />
    </g>
  ),
  held: <path d="M4 2.5v7M8 2.5v7" stroke="currentColor" strokeWidth="1.9" strokeLinecap="round" />,
};

/** The shape of a state, in the colour of its class unless it is plain. */
export function StateMark({ shape, isPlain = false }: { shape: Shape; isPlain?: boolean }) {
  return (
    <svg className={`${styles.state} ${isPlain ? styles.plain : styles[shape]}`} viewBox="0 0 12 12" aria-hidden="true">
      {SHAPES[shape]}
    </svg>
  );
}

/** A diamond, the shape of what is wrong. */
export function BadMark() {
  return <StateMark shape="bad" />;
}
