import { useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useRef, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';

import { ApiError } from '../api/client';
import { base } from '../app/base';
import { Button } from '../app/Button';
import { Centre } from '../app/Centre';
import { BadMark, Mark } from '../app/icons';
import { useSentence } from '../app/messages';
import { safeNext } from '../app/search';
import { useTitle } from '../app/title';
import { language } from '../i18n';
import styles from './LogInPage.module.css';
import { logIn } from './session';

/** The log-in, which leads to where its caller was going. */
export function LogInPage() {
  const { t } = useTranslation();
  const { next } = useSearch({ from: '/login' });
  const queries = useQueryClient();
  const router = useRouter();
  const explain = useRefusal();
  const password = useRef<HTMLInputElement>(null);
  const [refusal, setRefusal] = useState<string>();
  const [isSending, setSending] = useState(false);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isSending) return;
    const fields = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = fields.get(name);
      return typeof value === 'string' ? value : '';
    };
    const missing = text('username').trim() === '' ? t('login.usernameMissing') : t('login.passwordMissing');
    if (text('username').trim() === '' || text('password') === '') {
      setRefusal(missing);
      return;
    }
    setSending(true);
    setRefusal(undefined);
    try {
      await logIn(queries, text('username').trim(), text('password'));
      router.history.push(`${base}${safeNext(next)}`);
    } catch (error) {
      setRefusal(explain(error));
      setSending(false);
      password.current?.select();
    }
  }

  useTitle(t('login.title'));
  return (
    <Centre>
      <div className={styles.page}>
        <h1 className={styles.brand}>
          <Mark />
          Podgate
        </h1>
        <form className={styles.card} noValidate aria-label={t('login.title')} onSubmit={(event) => void submit(event)}>
          <label className={styles.label} htmlFor="username">
            {t('login.username')}
          </label>
          <input
            className={styles.input}
            id="username"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
          />
          <label className={styles.label} htmlFor="password">
            {t('login.password')}
          </label>
          <input
            className={styles.input}
            id="password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            ref={password}
          />
          <div role="alert">
            {refusal !== undefined && (
              <p className={styles.refusal}>
                <BadMark />
                {refusal}
              </p>
            )}
          </div>
          <Button look="primary" type="submit" className={styles.submit} aria-disabled={isSending}>
            {isSending ? t('login.sending') : t('login.submit')}
          </Button>
        </form>
        <p className={styles.hint}>
          <Trans i18nKey="login.firstStart" components={{ admin: <code /> }} />
        </p>
      </div>
    </Centre>
  );
}

/** Returns the sentence for a refused log-in. */
function useRefusal(): (error: unknown) => string {
  const { t } = useTranslation();
  const sentence = useSentence();
  return (error) => {
    if (!(error instanceof ApiError)) return sentence(error);
    if (error.code === 401_001) return t('login.wrong');
    if (error.code === 401_004) return t('login.locked');
    if (error.code === 429_001 && error.retryAt !== undefined) {
      const time = new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit' });
      // The next full minute, because the wait is not over before it.
      return t('login.tooMany', { time: time.format(new Date(error.retryAt.getTime() + 59_999)) });
    }
    return sentence(error);
  };
}
