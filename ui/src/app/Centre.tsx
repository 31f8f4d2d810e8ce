import type { ReactNode } from 'react';

import styles from './Centre.module.css';
import { Settings } from './Settings';
import { UpdateNote } from './UpdateNote';

/** A page of one card, with language and theme in a corner. */
export function Centre({ children }: { children: ReactNode }) {
  return (
    <>
      <div className={styles.note}>
        <UpdateNote />
      </div>
      <main id="content" tabIndex={-1} className={styles.page}>
        {children}
      </main>
      <Settings />
    </>
  );
}
