import { type ReactNode, useCallback, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError, call } from '../api/client';
import type { ClusterState } from '../live/frames';
import { DeleteDialog } from './DeleteDialog';
import { count, Deletion, type Target } from './deletion';
import styles from './useDeletion.module.css';

/**
 * Returns what begins a deletion, its dialog, and a line for the foot that goes on counting when the
 * dialog is closed.
 */
export function useDeletion(clusters: readonly ClusterState[]): {
  begin: (targets: readonly Target[]) => void;
  dialog: ReactNode;
  line: ReactNode;
} {
  const [current, setCurrent] = useState<{ deletion: Deletion; picked: number }>();
  const [isOpen, setOpen] = useState(false);
  const begin = useCallback((targets: readonly Target[]) => {
    if (targets.length === 0) return;
    const deletion = new Deletion(targets, (path) => call('DELETE', path), read);
    setCurrent({ deletion, picked: targets.length });
    setOpen(true);
    void deletion.try();
  }, []);
  const clusterNumber = useCallback(
    (name: string) => {
      const place = clusters.findIndex((cluster) => cluster.name === name);
      return place < 0 || clusters.length > 8 ? undefined : place;
    },
    [clusters],
  );
  const dialog = (
    <DeleteDialog
      deletion={current?.deletion}
      picked={current?.picked ?? 0}
      isOpen={isOpen}
      clusterNumber={clusterNumber}
      onClose={() => {
        setOpen(false);
      }}
    />
  );
  const line = current !== undefined && !isOpen && (
    <Line
      deletion={current.deletion}
      onShow={() => {
        setOpen(true);
      }}
    />
  );
  return { begin, dialog, line };
}

/** How far a deletion is whose dialog is closed. */
function Line({ deletion, onShow }: { deletion: Deletion; onShow: () => void }) {
  const { t } = useTranslation();
  const { fates, phase } = useSyncExternalStore(deletion.subscribe, deletion.state);
  if (phase !== 'running' && phase !== 'done') return null;
  const failed = count(fates, 'failed', 'stopped');
  const words =
    phase === 'running'
      ? t('delete.running', { done: count(fates, 'deleted', 'failed'), all: fates.length })
      : t('delete.deleted', { count: count(fates, 'deleted') });
  return (
    <span role="status">
      {words} {failed > 0 && t('delete.notDeleted', { count: failed })}{' '}
      <button type="button" className={styles.show} onClick={onShow}>
        {t('delete.show')}
      </button>
    </span>
  );
}

function read(error: unknown) {
  if (error instanceof ApiError) return { code: error.code, message: error.message, requestId: error.requestId };
  return { code: 0, message: error instanceof Error ? error.message : String(error), requestId: '' };
}
