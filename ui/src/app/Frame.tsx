import { Outlet } from '@tanstack/react-router';

import styles from './Frame.module.css';
import { LiveProvider } from './live';
import { Sidebar } from './Sidebar';

/** The frame around every page of a session: the sidebar and the page. */
export function Frame() {
  return (
    <LiveProvider>
      <div className={styles.frame}>
        <Sidebar />
        <main id="content" tabIndex={-1} className={styles.page}>
          <Outlet />
        </main>
      </div>
    </LiveProvider>
  );
}
