import { Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { Settings } from './Settings';
import styles from './Shell.module.css';

/** The frame around every page: the skip link, the page, language and theme. */
export function Shell() {
  const { t } = useTranslation();
  const isLogIn = useRouterState({ select: (state) => state.location.pathname.endsWith('/login') });
  const title = isLogIn ? t('login.title') : t('account.title');
  useEffect(() => {
    document.title = `${title} · Podgate`;
  }, [title]);
  return (
    <>
      <a className={styles.skip} href="#content">
        {t('app.skip')}
      </a>
      <main id="content" tabIndex={-1} className={styles.content}>
        <Outlet />
      </main>
      <Settings />
    </>
  );
}
