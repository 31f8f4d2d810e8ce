import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useRef, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';

import { call } from '../api/client';
import { Button } from '../app/Button';
import { StateMark } from '../app/icons';
import { useSentence } from '../app/messages';
import type { Cluster } from './cluster';
import styles from './RemoveDialog.module.css';

interface RemoveDialogProps {
  /** The cluster to ask about; absent while nobody is asked. */
  readonly cluster: Cluster | undefined;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}

/** Asks for a cluster's name before it is removed, and says what ends. */
export function RemoveDialog({ cluster, onClose, onRemoved }: RemoveDialogProps) {
  const name = useRef<HTMLInputElement>(null);
  return (
    <AlertDialog.Root
      open={cluster !== undefined}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.scrim} />
        <AlertDialog.Popup className={styles.dialog} initialFocus={name}>
          {cluster !== undefined && <Content key={cluster.id} cluster={cluster} field={name} onRemoved={onRemoved} />}
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

interface ContentProps {
  readonly cluster: Cluster;
  readonly field: React.RefObject<HTMLInputElement | null>;
  readonly onRemoved: () => void;
}

function Content({ cluster: { id, name, podCount }, field, onRemoved }: ContentProps) {
  const { t, i18n } = useTranslation();
  const sentence = useSentence();
  const [typed, setTyped] = useState('');
  const [refusal, setRefusal] = useState<string>();
  const [isSending, setSending] = useState(false);
  const isSame = typed === name;
  async function remove() {
    if (!isSame || isSending) return;
    setSending(true);
    setRefusal(undefined);
    try {
      await call('DELETE', `/api/clusters/${id}`);
      onRemoved();
    } catch (error) {
      setRefusal(sentence(error));
      setSending(false);
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void remove();
      }}
    >
      <AlertDialog.Title className={styles.title}>{t('clusters.removeTitle', { name })}</AlertDialog.Title>
      <AlertDialog.Description render={<div />} className={styles.lead}>
        {t('clusters.removeThen', { count: podCount, number: podCount.toLocaleString(i18n.language) })}
      </AlertDialog.Description>
      <label className={styles.field}>
        <span>
          <Trans i18nKey="clusters.typeName" values={{ name }} components={{ name: <code /> }} />
        </span>
        <input
          ref={field}
          type="text"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
          }}
        />
      </label>
      <div role="alert">
        {refusal !== undefined && (
          <p className={styles.refusal}>
            <StateMark shape="bad" /> {refusal}
          </p>
        )}
      </div>
      <div className={styles.foot}>
        <AlertDialog.Close render={<Button />}>{t('delete.cancel')}</AlertDialog.Close>
        <Button type="submit" look="kill" aria-disabled={!isSame || isSending}>
          {t('clusters.removeNow', { name })}
        </Button>
      </div>
    </form>
  );
}
