import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Button, buttonNames } from '../app/Button';
import { Icon, StateMark } from '../app/icons';
import type { ListState } from '../live/list';
import styles from './Empty.module.css';
import { EVERYTHING, isFiltered, NOT_WELL, type PodQuery, withoutFilters } from './query';

interface EmptyProps {
  readonly state: ListState;
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery) => void;
  /** How many pods are known at all, and how many of them are not well. */
  readonly known: { pods: number; notWell: number } | undefined;
}

/** The words for a list without rows: each reason has its own, with what to do. */
export function Empty({ state, query, onQuery, known }: EmptyProps) {
  const { t, i18n } = useTranslation();
  const number = (count: number) => new Intl.NumberFormat(i18n.language).format(count);
  const { clusters, refusal } = state;
  const syncing = clusters.filter(({ state: word }) => word === 'syncing');
  const notCurrent = clusters.filter(({ state: word }) => word !== 'synced');
  if (refusal !== undefined) {
    return (
      <Message mark={<StateMark shape="bad" />} title={t('empty.refused')} text={refusal.message} lang="en">
        <ClearButton query={query} onQuery={onQuery} />
      </Message>
    );
  }
  if (clusters.length === 0)
    return (
      <Message
        mark={<Icon name="clusters" size="large" />}
        title={t('empty.noCluster')}
        text={t('empty.noClusterThen')}
      >
        <Link to="/clusters/{-$name}" params={{ name: 'new' }} className={buttonNames('primary')}>
          {t('clusters.add')}
        </Link>
      </Message>
    );
  if (syncing.length > 0 && syncing.length === clusters.length) {
    const name = new Intl.ListFormat(i18n.language).format(syncing.map((cluster) => cluster.name).slice(0, 3));
    return (
      <Message mark={<StateMark shape="busy" />} title={t('empty.syncing', { name })} text={t('empty.syncingThen')} />
    );
  }
  if (query.problem && query.status.length === 0 && !isFiltered(query)) {
    if (state.connection.phase !== 'open') {
      return <Message mark={<StateMark shape="warn" />} title={t('empty.wellAsKnown')} text={t('empty.notLiveThen')} />;
    }
    if (notCurrent.length > 0) {
      const name = new Intl.ListFormat(i18n.language).format(notCurrent.map((cluster) => cluster.name).slice(0, 3));
      return (
        <Message
          mark={<StateMark shape="warn" />}
          title={t('empty.wellAsKnown')}
          text={t('empty.wellAsKnownThen', { name })}
        />
      );
    }
    return (
      <Message
        mark={<StateMark shape="over" />}
        isGood
        title={t('empty.allWell')}
        text={t('empty.allWellThen', { pods: number(known?.pods ?? 0), count: clusters.length })}
      >
        <Button
          onClick={() => {
            onQuery(EVERYTHING);
          }}
        >
          <Icon name="pods" />
          {t('empty.allPods')}
        </Button>
      </Message>
    );
  }
  if (query.problem) {
    return (
      <Message mark={<StateMark shape="over" />} isGood title={t('empty.viewWell')} text="">
        <Button
          onClick={() => {
            onQuery(NOT_WELL);
          }}
        >
          {t('empty.everywhere', { count: known?.notWell ?? 0 })}
        </Button>
      </Message>
    );
  }
  if (!isFiltered(query) && query.status.length === 0) {
    return <Message mark={<Icon name="pods" size="large" />} title={t('empty.noPods')} text={t('empty.noPodsThen')} />;
  }
  return (
    <Message
      mark={<Icon name="search" size="large" />}
      title={t('empty.noMatch')}
      text={t('empty.noMatchThen', { pods: number(known?.pods ?? 0) })}
    >
      <ClearButton query={query} onQuery={onQuery} />
    </Message>
  );
}

function ClearButton({ query, onQuery }: Pick<EmptyProps, 'query' | 'onQuery'>) {
  const { t } = useTranslation();
  return (
    <Button
      onClick={() => {
        onQuery(withoutFilters(query));
      }}
    >
      {t('empty.clear')}
    </Button>
  );
}

interface MessageProps {
  readonly mark: ReactNode;
  readonly title: string;
  readonly text: string;
  readonly isGood?: boolean;
  readonly lang?: string;
  readonly children?: ReactNode;
}

function Message({ mark, title, text, isGood = false, lang, children }: MessageProps) {
  return (
    <div className={styles.empty} role="status">
      <span className={`${styles.mark} ${isGood ? styles.good : ''}`}>{mark}</span>
      <h2 className={styles.title}>{title}</h2>
      {text !== '' && (
        <p className={styles.text} lang={lang}>
          {text}
        </p>
      )}
      {children}
    </div>
  );
}
