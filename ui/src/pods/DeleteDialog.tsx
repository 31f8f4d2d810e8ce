import { AlertDialog } from '@base-ui/react/alert-dialog';
import { type KeyboardEvent, useRef, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { StateMark } from '../app/icons';
import { ClusterName } from '../clusters/ClusterName';
import { NameCell } from './cells';
import styles from './DeleteDialog.module.css';
import { count, type Deletion, type Fate, MOST, type Options, type Target, TRIED } from './deletion';
import { classOf, type Standing } from './status';

/** How many pods are named one by one. */
const NAMED = 8;

interface DeleteDialogProps {
  readonly deletion: Deletion | undefined;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** How many pods were picked, of which only {@link MOST} are deleted at once. */
  readonly picked: number;
  /** The places of the clusters, which give their colours. */
  readonly clusterNumber: (name: string) => number | undefined;
}

/** Asks before pods are deleted, says what follows, and shows what became of each. */
export function DeleteDialog({ deletion, isOpen, onClose, picked, clusterNumber }: DeleteDialogProps) {
  const cancel = useRef<HTMLButtonElement>(null);
  return (
    <AlertDialog.Root
      open={isOpen && deletion !== undefined}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles.scrim} />
        <AlertDialog.Popup className={styles.dialog} initialFocus={cancel}>
          {deletion !== undefined && (
            <Content
              deletion={deletion}
              onClose={onClose}
              picked={picked}
              clusterNumber={clusterNumber}
              cancel={cancel}
            />
          )}
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

interface ContentProps extends Omit<DeleteDialogProps, 'isOpen'> {
  readonly deletion: Deletion;
  readonly cancel: React.RefObject<HTMLButtonElement | null>;
}

function Content({ deletion, onClose, picked, clusterNumber, cancel }: ContentProps) {
  const { t, i18n } = useTranslation();
  const number = (value: number) => new Intl.NumberFormat(i18n.language).format(value);
  const { fates, phase } = useSyncExternalStore(deletion.subscribe, deletion.state);
  const [options, setOptions] = useState<Options>({});
  const { targets } = deletion;
  const refused = count(fates, 'refused');
  const left = targets.length - refused;
  const isBefore = phase === 'trying' || phase === 'choosing';
  const hasMoved = useRef(false);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Tab' || event.key.startsWith('Arrow')) hasMoved.current = true;
    // A key pressed in a hurry decides nothing: the focus has to be moved first.
    if (event.key === 'Enter' && !hasMoved.current) event.preventDefault();
  };
  const hidden = targets.length - NAMED;
  return (
    <div onKeyDown={onKeyDown}>
      <AlertDialog.Title className={styles.title}>
        {t('delete.title', { count: targets.length, number: number(targets.length) })}
      </AlertDialog.Title>
      <AlertDialog.Description className={styles.lead}>
        <Lead deletion={deletion} picked={picked} />
      </AlertDialog.Description>
      <div className={styles.body}>
        <ul className={styles.targets}>
          {targets.slice(0, NAMED).map((target, place) => (
            <TargetRow
              key={target.uid}
              pod={target}
              fate={fates[place] ?? { kind: 'untried' }}
              clusterNumber={clusterNumber}
            />
          ))}
          {hidden > 0 && <li className={styles.more}>{t('delete.more', { count: hidden, number: number(hidden) })}</li>}
        </ul>
        {isBefore && <Choices options={options} onOptions={setOptions} />}
      </div>
      <div className={styles.bar}>
        <Button ref={cancel} onClick={onClose}>
          {isBefore ? t('delete.cancel') : t('delete.close')}
        </Button>
        {phase === 'running' && <Button onClick={deletion.stop}>{t('delete.stop')}</Button>}
        {isBefore && (
          <Button
            look="kill"
            aria-disabled={phase === 'trying' || left === 0}
            onClick={() => {
              if (phase === 'choosing' && left > 0) void deletion.run(options);
            }}
          >
            {refused > 0
              ? t('delete.some', { left: number(left), all: number(targets.length) })
              : t('delete.all', { count: targets.length, number: number(targets.length) })}
          </Button>
        )}
      </div>
    </div>
  );
}

/** What was tried, or what has become of the pods. */
function Lead({ deletion, picked }: { deletion: Deletion; picked: number }) {
  const { t } = useTranslation();
  const { fates, phase } = useSyncExternalStore(deletion.subscribe, deletion.state);
  if (phase === 'trying') return t('delete.trying');
  if (phase === 'running') return t('delete.running', { done: count(fates, 'deleted', 'failed'), all: fates.length });
  if (phase === 'done') {
    const failed = count(fates, 'failed', 'stopped');
    const deleted = t('delete.deleted', { count: count(fates, 'deleted') });
    return failed > 0 ? `${deleted} ${t('delete.notDeleted', { count: failed })}` : deleted;
  }
  if (picked > MOST) return t('delete.most', { most: MOST });
  if (fates.length > TRIED) return t('delete.untried');
  const refused = count(fates, 'refused');
  const may = t('delete.may', { count: fates.length - refused });
  return refused > 0 ? `${may} ${t('delete.refused', { count: refused })}` : may;
}

interface TargetRowProps {
  readonly pod: Target;
  readonly fate: Fate;
  readonly clusterNumber: (name: string) => number | undefined;
}

function TargetRow({ pod: target, fate, clusterNumber }: TargetRowProps) {
  const { status, phase, reason, ready, readyTotal, owner } = target;
  const standing: Standing | undefined =
    status === undefined
      ? undefined
      : { status, phase: phase ?? '', reason: reason ?? '', ready: ready ?? 0, readyTotal: readyTotal ?? 0 };
  const isOff = fate.kind === 'refused';
  return (
    <li className={`${styles.target} ${isOff ? styles.off : ''}`}>
      {standing === undefined ? <span /> : <StateMark shape={classOf(standing)} />}
      <span className={styles.name}>
        <NameCell pod={{ name: target.name, owner: owner ?? null }} />
        <span className={styles.word}>{status}</span>
      </span>
      <ClusterName name={target.cluster} number={clusterNumber(target.cluster)} />
      <span className={styles.then}>
        <Then pod={target} fate={fate} />
      </span>
    </li>
  );
}

/** What follows for one pod, or what has become of it. */
function Then({ pod: target, fate }: { pod: Target; fate: Fate }) {
  const { t } = useTranslation();
  if (fate.kind === 'refused' || fate.kind === 'failed') {
    const known = { 404001: 'delete.isGone', 409001: 'delete.isReplaced' } as const;
    const words = known[fate.code as keyof typeof known] as (typeof known)[keyof typeof known] | undefined;
    return (
      <span className={styles.bad}>
        {words === undefined ? <span lang="en">{fate.message}</span> : t(words)}
        {fate.requestId !== '' && (
          <span className={styles.request}> {t('delete.request', { id: fate.requestId })}</span>
        )}
      </span>
    );
  }
  if (fate.kind === 'deleting') return t('delete.isDeleting');
  if (fate.kind === 'deleted') return <span className={styles.good}>{t('delete.isDeleted')}</span>;
  if (fate.kind === 'stopped') return <span className={styles.warn}>{t('delete.isStopped')}</span>;
  const { owner } = target;
  if (owner === undefined) return null;
  if (owner === null) return <span className={styles.warn}>{t('delete.alone')}</span>;
  const { kind, name } = owner;
  if (kind === 'StatefulSet') return t('delete.again', { kind, name });
  if (kind === 'ReplicaSet' || kind === 'DaemonSet' || kind === 'ReplicationController')
    return t('delete.new', { kind, name });
  return t('delete.owner', { kind, name });
}

interface ChoicesProps {
  readonly options: Options;
  readonly onOptions: (options: Options) => void;
}

/** The grace period, and under More the force. */
function Choices({ options, onOptions }: ChoicesProps) {
  const { t } = useTranslation();
  const [seconds, setSeconds] = useState('60');
  const { gracePeriod, force = false } = options;
  const chosen = gracePeriod === undefined ? 'own' : gracePeriod === 0 ? 'none' : 'other';
  const choose = (text: string) => {
    const value = Number(text);
    return Number.isInteger(value) && value >= 0 && value <= 86_400 ? { gracePeriod: value } : {};
  };
  return (
    <div className={styles.options}>
      <fieldset className={styles.grace} disabled={force}>
        <legend>{t('delete.grace')}</legend>
        {(['own', 'none', 'other'] as const).map((choice) => (
          <label key={choice} className={styles.radio}>
            <input
              type="radio"
              name="grace"
              checked={chosen === choice}
              onChange={() => {
                onOptions(choice === 'own' ? {} : choice === 'none' ? { gracePeriod: 0 } : choose(seconds));
              }}
            />
            {t(`delete.grace_${choice}`)}
          </label>
        ))}
        {chosen === 'other' && (
          <label className={styles.radio}>
            <input
              className={styles.seconds}
              type="number"
              min={1}
              max={86_400}
              value={seconds}
              aria-label={t('delete.seconds')}
              onChange={(event) => {
                setSeconds(event.target.value);
                onOptions(choose(event.target.value));
              }}
            />
            {t('delete.unit')}
          </label>
        )}
      </fieldset>
      <details className={styles.details}>
        <summary>{t('delete.options')}</summary>
        <label className={styles.radio}>
          <input
            type="checkbox"
            checked={force}
            onChange={(event) => {
              onOptions(event.target.checked ? { force: true } : {});
            }}
          />
          {t('delete.force')}
        </label>
        <p className={styles.hint}>{t('delete.forceHint')}</p>
      </details>
    </div>
  );
}
