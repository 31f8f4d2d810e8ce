import { Dialog } from '@base-ui/react/dialog';
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type RefObject, type SubmitEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { session } from '../api/client';
import type { SessionState } from '../api/session';
import { Button } from '../app/Button';
import { BadMark } from '../app/icons';
import fields from './fields.module.css';
import { useRefusal } from './refusal';
import styles from './SessionOver.module.css';
import { forget, logIn, useSession } from './session';

type Over = Extract<SessionState, { phase: 'over' }>;

/** The dialog that asks for the password again when the session is over. The page behind it stays. */
export function SessionOver() {
  const state = useSession();
  const isOver = state.phase === 'over';
  const password = useRef<HTMLInputElement>(null);
  const popup = useRef<HTMLDivElement>(null);
  const focused = useRef<Element>(null);
  useEffect(
    () =>
      session.subscribe(() => {
        const active = document.activeElement;
        // Noted before the page is inert, which takes its focus away.
        if (session.state().phase === 'over' && popup.current?.contains(active) !== true) focused.current = active;
      }),
    [],
  );
  return (
    // Nothing but a log-in closes it.
    <Dialog.Root open={isOver} disablePointerDismissal>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.scrim} />
        <Dialog.Popup
          className={styles.dialog}
          initialFocus={password}
          finalFocus={() => {
            const { current } = focused;
            const isThere = current instanceof HTMLElement && current.isConnected && current !== document.body;
            return isThere ? current : document.getElementById('content');
          }}
          ref={popup}
          // The page's own keys do not act behind it.
          onKeyDown={(event) => {
            event.stopPropagation();
          }}
        >
          {isOver && <Form over={state} password={password} />}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Form({ over, password }: { over: Over; password: RefObject<HTMLInputElement | null> }) {
  const { t } = useTranslation();
  const { user, why, by } = over;
  const queries = useQueryClient();
  const router = useRouter();
  const explain = useRefusal('over.wrong');
  const [refusal, setRefusal] = useState<string>();
  const [isSending, setSending] = useState(false);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isSending) return;
    const given = password.current?.value ?? '';
    if (given === '') {
      setRefusal(t('login.passwordMissing'));
      return;
    }
    setSending(true);
    setRefusal(undefined);
    try {
      await logIn(queries, user.username, given);
    } catch (error) {
      setRefusal(explain(error));
      setSending(false);
      password.current?.select();
    }
  }

  function leave() {
    const { href } = router.state.location;
    forget(queries);
    void router.navigate({ to: '/login', search: href === '/' ? {} : { next: href } });
  }

  return (
    <form noValidate onSubmit={(event) => void submit(event)}>
      <Dialog.Title className={styles.title}>{t(TITLES[why])}</Dialog.Title>
      <Dialog.Description className={styles.lead}>
        {t(LEADS[why], { name: user.username, other: by?.username ?? '' })}
      </Dialog.Description>
      <div className={styles.body}>
        <div className={styles.user}>
          <span className={styles.face} aria-hidden="true">
            {user.username.slice(0, 2).toUpperCase()}
          </span>
          <span>{user.username}</span>
        </div>
        <input
          className={styles.username}
          name="username"
          autoComplete="username"
          value={user.username}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <label className={fields.label} htmlFor="password-again">
          {t('login.password')}
        </label>
        <input
          className={fields.input}
          id="password-again"
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
      </div>
      <div className={styles.bar}>
        <span className={styles.start}>
          {by === undefined ? (
            <Button look="quiet" onClick={leave}>
              {t('over.someoneElse')}
            </Button>
          ) : (
            <Button
              look="quiet"
              onClick={() => {
                // A new page begins with the session of the cookies.
                location.reload();
              }}
            >
              {t('over.continueAs', { name: by.username })}
            </Button>
          )}
        </span>
        <Button look="primary" type="submit" className={styles.submit} aria-disabled={isSending}>
          {isSending ? t('login.sending') : t('login.submit')}
        </Button>
      </div>
    </form>
  );
}

const TITLES = {
  expired: 'over.ended',
  ended: 'over.ended',
  disabled: 'over.disabled',
  loggedOut: 'over.loggedOut',
  other: 'over.other',
} as const;

const LEADS = {
  expired: 'over.expiredThen',
  ended: 'over.endedThen',
  disabled: 'over.disabledThen',
  loggedOut: 'over.loggedOutThen',
  other: 'over.otherThen',
} as const;
