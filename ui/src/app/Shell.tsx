import { Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import styles from './Shell.module.css';

/** The document around every page: the skip link and the page. */
export function Shell() {
  const { t } = useTranslation();
  return (
    <>
      <a className={styles.skip} href="#content">
        {t('app.skip')}
      </a>
      <Outlet />
    </>
  );
}
