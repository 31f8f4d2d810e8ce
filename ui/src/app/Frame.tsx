import { Outlet } from '@tanstack/react-router';

import styles from './Frame.module.css';
import { LiveProvider } from './live';
import { Sidebar } from './Sidebar';
import { UpdateNote } from './UpdateNote';

/** The frame around every page of a session: the sidebar and the page. */
export function Frame() {
  return (
    <LiveProvider>
      <div className={styles.frame}>
        <Sidebar />
        <main id="content" tabIndex={-1} className={styles.page}>
          <UpdateNote />
          <Outlet />
        </main>
      </div>
    </LiveProvider>
  );
}
