import type { ReactNode } from 'react';

import { StateMark } from './icons';
import styles from './Note.module.css';

interface NoteProps {
  /** `warn` is for what one has to know before one trusts the page. */
  readonly look?: 'warn' | 'plain';
  readonly children: ReactNode;
  /** Buttons and links, at the end of the line. */
  readonly actions?: ReactNode;
}

/** A line over what it is about. */
export function Note({ look = 'warn', children, actions }: NoteProps) {
  return (
    <div className={`${styles.note} ${look === 'plain' ? styles.plain : ''}`} role="status">
      <StateMark shape={look === 'warn' ? 'warn' : 'busy'} isPlain={look === 'plain'} />
      <span className={styles.text}>{children}</span>
      {actions}
    </div>
  );
}

/** A button in a note. */
export function NoteButton({ children, onClick }: { children: ReactNode; onClick: () => void }) {
  return (
    <button type="button" className={styles.button} onClick={onClick}>
      {children}
    </button>
  );
}
