import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { call } from '../api/client';
import type { components } from '../api/schema';
import { Button } from '../app/Button';
import { Icon, StateMark } from '../app/icons';
import { useSentence } from '../app/messages';
import type { Cluster } from './cluster';
import styles from './TestButton.module.css';

type Result = { readonly isOk: boolean; readonly words: string } | 'running' | undefined;

/** Tries the connection to a cluster, and says what came of it. */
export function TestButton({ cluster: { id, name } }: { cluster: Cluster }) {
  const { t } = useTranslation();
  const sentence = useSentence();
  const [result, setResult] = useState<Result>();
  async function run() {
    if (result === 'running') return;
    setResult('running');
    try {
      const { version } = await call<components['schemas']['ClusterTest']>('POST', `/api/clusters/${id}/test`);
      setResult({ isOk: true, words: t('clusters.answers', { version }) });
    } catch (error) {
      setResult({ isOk: false, words: sentence(error) });
    }
  }
  return (
    <>
      <Button
        aria-label={t('clusters.testOf', { name })}
        aria-disabled={result === 'running'}
        onClick={() => void run()}
      >
        <Icon name="again" />
        {result === 'running' ? t('clusters.testing') : t('clusters.test')}
      </Button>
      <span role="status" className={styles.status}>
        {typeof result === 'object' && (
          <span className={styles.result}>
            <StateMark shape={result.isOk ? 'over' : 'bad'} />
            {result.words}
          </span>
        )}
      </span>
    </>
  );
}
