import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

import { now } from '../app/clock';
import { ago } from './age';
import type { Pod } from './pod';

/** Returns the function that puts a row into one sentence, for a screen reader. */
export function useRowSentence(): (pod: Pod) => string {
  const { t, i18n } = useTranslation();
  return useCallback(
    (pod: Pod) => {
      const parts = [pod.name, pod.status, t('row.ready', { ready: pod.ready, total: pod.readyTotal })];
      if (pod.restarts > 0) parts.push(t('row.restarts', { count: pod.restarts }));
      if (pod.lastRestartAt !== '') parts.push(ago(now() - Date.parse(pod.lastRestartAt), i18n.language));
      parts.push(pod.namespace, pod.cluster);
      if (pod.reason !== '') parts.push(pod.reason);
      return parts.join(', ');
    },
    [t, i18n.language],
  );
}
