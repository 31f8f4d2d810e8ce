import { type DragEvent, type ReactNode, type SyntheticEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError, call } from '../api/client';
import { Button } from '../app/Button';
import { Icon, StateMark } from '../app/icons';
import { useSentence } from '../app/messages';
import { bodyOf, changesOf, type Cluster, type Draft, draftOf, EMPTY, faultOf, NAME } from './cluster';
import styles from './ClusterPanel.module.css';

/** The largest kubeconfig that is read from a file, in bytes. */
const LARGEST = 1_048_576;

interface ClusterPanelProps {
  /** The cluster to change; absent to add one. */
  readonly cluster?: Cluster | undefined;
  readonly onClose: () => void;
  /** Says that a cluster was added or changed, by the name that it has now. */
  readonly onDone: (name: string) => void;
}

/** The panel in which a cluster is added or changed. A credential that is stored is never shown. */
export function ClusterPanel({ cluster, onClose, onDone }: ClusterPanelProps) {
  const { t } = useTranslation();
  const sentence = useSentence();
  const [draft, setDraft] = useState<Draft>(() => (cluster === undefined ? EMPTY : draftOf(cluster)));
  const [refusal, setRefusal] = useState<{ words: string; request: string }>();
  const [isSending, setSending] = useState(false);
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input, textarea')?.focus();
  }, []);
  const isReadOnly = cluster?.readOnly === true;
  const fault = cluster === undefined ? faultOf(draft) : NAME.test(draft.name) ? undefined : 'name';
  const set = (change: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...change }));
  };

  async function send(event: SyntheticEvent) {
    event.preventDefault();
    setTried(true);
    if (isSending || isReadOnly) return;
    if (fault !== undefined) {
      form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
      return;
    }
    setSending(true);
    setRefusal(undefined);
    try {
      if (cluster === undefined) await call('POST', '/api/clusters', bodyOf(draft));
      else await call('PUT', `/api/clusters/${cluster.id}`, changesOf(draft, cluster));
      onDone(draft.name);
    } catch (error) {
      setRefusal({ words: sentence(error), request: error instanceof ApiError ? error.requestId : '' });
      setSending(false);
    }
  }

  const title = cluster === undefined ? t('clusters.add') : cluster.name;
  return (
    <section
      className={styles.panel}
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <header className={styles.head}>
        <h2 className={styles.title}>{title}</h2>
        <Button look="quiet" isIcon aria-label={t('pod.close')} onClick={onClose}>
          <Icon name="close" />
        </Button>
      </header>
      <form ref={form} className={styles.form} noValidate onSubmit={(event) => void send(event)}>
        {isReadOnly && <p className={styles.hint}>{t('clusters.readOnly')}</p>}
        <Field
          label={t('clusters.name')}
          hint={t('clusters.nameHint')}
          fault={isTried && fault === 'name' ? t('clusters.nameFault') : undefined}
          value={draft.name}
          isOff={isReadOnly}
          onChange={(name) => {
            set({ name });
          }}
        />
        <Field
          label={t('clusters.description')}
          value={draft.description}
          isOff={isReadOnly}
          onChange={(description) => {
            set({ description });
          }}
        />
        {!isReadOnly && (
          <Access draft={draft} onDraft={set} fault={isTried ? fault : undefined} isStored={cluster !== undefined} />
        )}
        <Field
          label={t('clusters.namespaces')}
          hint={t('clusters.namespacesHint')}
          value={draft.namespaces}
          isOff={isReadOnly}
          onChange={(namespaces) => {
            set({ namespaces });
          }}
        />
        <div role="alert">
          {refusal !== undefined && (
            <div className={styles.refusal}>
              <StateMark shape="bad" />
              <span>
                {refusal.words}
                {refusal.request !== '' && <small>{t('delete.request', { id: refusal.request })}</small>}
              </span>
            </div>
          )}
        </div>
        {!isReadOnly && (
          <div className={styles.foot}>
            <span className={styles.hint}>{isSending ? t('clusters.connecting') : t('clusters.triedFirst')}</span>
            <Button onClick={onClose}>{t('delete.cancel')}</Button>
            <Button type="submit" look="primary" aria-disabled={isSending}>
              {cluster === undefined ? t('clusters.addNow') : t('clusters.save')}
            </Button>
          </div>
        )}
      </form>
    </section>
  );
}

interface AccessProps {
  readonly draft: Draft;
  readonly onDraft: (change: Partial<Draft>) => void;
  readonly fault: ReturnType<typeof faultOf>;
  /** Whether a credential is stored, so that an empty field keeps it. */
  readonly isStored: boolean;
}

/** How Podgate gets in: by a kubeconfig, or by an address and a token. */
function Access({ draft, onDraft, fault, isStored }: AccessProps) {
  const { t } = useTranslation();
  const stored = isStored ? t('clusters.stored') : undefined;
  const onDrop = async (event: DragEvent) => {
    const [file] = event.dataTransfer.files;
    if (file === undefined) return;
    event.preventDefault();
    if (file.size <= LARGEST) onDraft({ kubeConfig: await file.text() });
  };
  return (
    <>
      <fieldset className={styles.ways}>
        <legend>{t('clusters.access')}</legend>
        {(['kubeconfig', 'token'] as const).map((by) => (
          <label key={by}>
            <input
              type="radio"
              name="by"
              checked={draft.by === by}
              onChange={() => {
                onDraft({ by });
              }}
            />
            {t(`clusters.by_${by}`)}
          </label>
        ))}
      </fieldset>
      {draft.by === 'kubeconfig' ? (
        <Field
          label={t('clusters.kubeconfig')}
          hint={t('clusters.kubeconfigHint')}
          placeholder={stored}
          fault={fault === 'kubeConfig' ? t('clusters.kubeconfigFault') : undefined}
          rows={8}
          value={draft.kubeConfig}
          onDrop={(event) => void onDrop(event)}
          onChange={(kubeConfig) => {
            onDraft({ kubeConfig });
          }}
        />
      ) : (
        <>
          <Field
            label={t('clusters.address')}
            hint={t('clusters.addressHint')}
            fault={fault === 'apiServer' ? t('clusters.addressFault') : undefined}
            isMono
            value={draft.apiServer}
            onChange={(apiServer) => {
              onDraft({ apiServer });
            }}
          />
          <Field
            label={t('clusters.token')}
            hint={t('clusters.tokenHint')}
            placeholder={stored}
            fault={fault === 'token' ? t('clusters.tokenFault') : undefined}
            isSecret
            value={draft.token}
            onChange={(token) => {
              onDraft({ token });
            }}
          />
          <Field
            label={t('clusters.ca')}
            hint={t('clusters.caHint')}
            placeholder={stored}
            rows={4}
            value={draft.caCert}
            onChange={(caCert) => {
              onDraft({ caCert });
            }}
          />
        </>
      )}
    </>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string | undefined;
  /** What is wrong with what was typed. */
  readonly fault?: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** How many lines it has; one if absent. */
  readonly rows?: number;
  readonly isMono?: boolean;
  readonly isSecret?: boolean;
  readonly isOff?: boolean;
  readonly onDrop?: (event: DragEvent) => void;
}

function Field(props: FieldProps): ReactNode {
  const { label, hint, placeholder, fault, value, onChange, rows, isMono, isSecret, isOff, onDrop } = props;
  const id = useId();
  const common = {
    id,
    value,
    placeholder,
    spellCheck: false,
    autoComplete: 'off',
    autoCapitalize: 'none',
    readOnly: isOff,
    'aria-invalid': fault !== undefined,
    'aria-describedby': `${id}-hint`,
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {rows === undefined ? (
        <input
          {...common}
          type={isSecret === true ? 'password' : 'text'}
          className={isMono === true ? styles.mono : undefined}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      ) : (
        <textarea
          {...common}
          rows={rows}
          className={styles.mono}
          onDrop={onDrop}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      )}
      <p id={`${id}-hint`} className={fault === undefined ? styles.hint : styles.fault}>
        {fault ?? hint}
      </p>
    </div>
  );
}
