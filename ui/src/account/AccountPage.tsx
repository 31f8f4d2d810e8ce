import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { ConnectionNote } from '../app/ConnectionNote';
import { BadMark } from '../app/icons';
import { useList, useLive } from '../app/live';
import { useSentence } from '../app/messages';
import { useTitle } from '../app/title';
import { Settings } from '../app/Settings';
import styles from './AccountPage.module.css';
import { logOut, me } from './session';

/** The caller's own account. */
export function AccountPage() {
  const { t } = useTranslation();
  const { data: user } = useSuspenseQuery(me);
  const queries = useQueryClient();
  const router = useRouter();
  const sentence = useSentence();
  const { summary, retry } = useLive();
  const { connection } = useList(summary);
  const [refusal, setRefusal] = useState<string>();
  const [isSending, setSending] = useState(false);

  async function leave() {
    if (isSending) return;
    setSending(true);
    setRefusal(undefined);
    try {
      await logOut(queries);
      await router.navigate({ to: '/login', search: {} });
    } catch (error) {
      setRefusal(sentence(error));
      setSending(false);
    }
  }

  useTitle(t('account.title'));
  return (
    <>
      <ConnectionNote connection={connection} onRetry={retry} />
      <div className={styles.page}>
        <section className={styles.card} aria-labelledby="account">
          <h1 id="account" className={styles.title}>
            {t('account.title')}
          </h1>
          <p className={styles.lead}>{t('account.loggedInAs', { name: user.username })}</p>
          <dl className={styles.facts}>
            <dt>{t('account.username')}</dt>
            <dd>{user.username}</dd>
            <dt>{t('account.email')}</dt>
            <dd>{user.email === '' ? t('account.noEmail') : user.email}</dd>
            <dt>{t('account.role')}</dt>
            <dd>{user.role}</dd>
          </dl>
          <div role="alert">
            {refusal !== undefined && (
              <p className={styles.refusal}>
                <BadMark />
                {refusal}
              </p>
            )}
          </div>
          <Button aria-disabled={isSending} onClick={() => void leave()}>
            {isSending ? t('account.loggingOut') : t('account.logOut')}
          </Button>
        </section>
        <Settings />
      </div>
    </>
  );
}
