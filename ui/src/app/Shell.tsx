import { Outlet } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { SessionOver } from '../account/SessionOver';
import { useSession } from '../account/session';
import styles from './Shell.module.css';

/** The document around every page: the skip link, the page, and what asks for the password again. */
export function Shell() {
  const { t } = useTranslation();
  const isOver = useSession().phase === 'over';
  return (
    <>
      <div className={styles.all} inert={isOver}>
        <a className={styles.skip} href="#content">
          {t('app.skip')}
        </a>
        <Outlet />
      </div>
      <SessionOver />
    </>
  );
}
