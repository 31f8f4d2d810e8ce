import { useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useEffect, useRef, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';

import { base } from '../app/base';
import { Button } from '../app/Button';
import { Centre } from '../app/Centre';
import { BadMark, Mark } from '../app/icons';
import { safeNext } from '../app/search';
import { useTitle } from '../app/title';
import fields from './fields.module.css';
import styles from './LogInPage.module.css';
import { useRefusal } from './refusal';
import { logIn, useSession } from './session';

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
    const given = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = given.get(name);
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
    } catch (error) {
      setRefusal(explain(error));
      setSending(false);
      password.current?.select();
    }
  }

  // Also if it was another tab that has logged in.
  const isIn = useSession().phase === 'in';
  useEffect(() => {
    if (isIn) router.history.push(`${base}${safeNext(next)}`);
  }, [isIn, router, next]);

  useTitle(t('login.title'));
  return (
    <Centre>
      <div className={styles.page}>
        <h1 className={styles.brand}>
          <Mark />
          Podgate
        </h1>
        <form className={styles.card} noValidate aria-label={t('login.title')} onSubmit={(event) => void submit(event)}>
          <label className={fields.label} htmlFor="username">
            {t('login.username')}
          </label>
          <input
            className={fields.input}
            id="username"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            required
          />
          <label className={fields.label} htmlFor="password">
            {t('login.password')}
          </label>
          <input
            className={fields.input}
            id="password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            ref={password}
          />
          <div role="alert">
            {refusal !== undefined && (
              <p className={fields.refusal}>
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
