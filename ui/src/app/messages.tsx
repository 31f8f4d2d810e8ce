import { Link, type ErrorComponentProps, useLocation, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../api/client';
import { Button } from './Button';
import styles from './messages.module.css';

/** Returns the sentence for a failed call, in the reader's language where the code has one. */
export function useSentence(): (error: unknown) => string {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
    if (error.code === 0) return t('error.notConnected');
    if (error.code === 500_001) return t('error.fault', { request: error.requestId });
    return error.message;
  };
}

/** A page that could not be shown: what is wrong, and another try. */
export function ErrorPage({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  const router = useRouter();
  const sentence = useSentence();
  return (
    <div className={styles.message} role="alert">
      <p>{sentence(error)}</p>
      <Button onClick={() => void router.invalidate()}>{t('error.again')}</Button>
    </div>
  );
}

/** The page of a path that has none. */
export function NotFoundPage() {
  const { t } = useTranslation();
  const path = useLocation({ select: (location) => location.pathname });
  return (
    <div className={styles.message}>
      <p>{t('error.noPage', { path })}</p>
      <Link to="/">{t('error.toStart')}</Link>
    </div>
  );
}
