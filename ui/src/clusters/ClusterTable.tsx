import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../app/icons';
import { MoreMenu } from '../app/MoreMenu';
import { EVERYTHING, NOT_WELL, writeQuery } from '../pods/query';
import { type Cluster, type Filter, filtered, type Row, sorted, standingOf } from './cluster';
import { ClusterName } from './ClusterName';
import styles from './ClusterTable.module.css';
import { StandingMark } from './StandingMark';

interface ClusterTableProps {
  readonly rows: readonly Row[];
  readonly onEdit: (cluster: Cluster) => void;
  readonly onRemove: (cluster: Cluster) => void;
}

/** Many clusters, those first that somebody has to look at. */
export function ClusterTable({ rows, onEdit, onRemove }: ClusterTableProps) {
  const { t, i18n } = useTranslation();
  const [filter, setFilter] = useState<Filter>({ text: '', isNotLive: false, isNotWell: false });
  const shown = sorted(filtered(rows, filter));
  const notLive = rows.filter(({ cluster }) => standingOf(cluster.sync.state) !== 'live').length;
  const notWell = rows.filter((row) => row.notWell > 0).length;
  const number = (value: number | null | undefined) => value?.toLocaleString(i18n.language) ?? '';
  return (
    <div className={styles.area}>
      <div className={styles.tools} role="search">
        <label className={styles.field}>
          <Icon name="search" size="small" />
          <input
            type="text"
            autoComplete="off"
            spellCheck={false}
            aria-label={t('clusters.search')}
            placeholder={t('clusters.search')}
            value={filter.text}
            onChange={(event) => {
              setFilter({ ...filter, text: event.target.value });
            }}
          />
        </label>
        <Toggle
          words={t('live.off')}
          count={notLive}
          isOn={filter.isNotLive}
          onChange={(isNotLive) => {
            setFilter({ ...filter, isNotLive });
          }}
        />
        <Toggle
          words={t('view.notWell')}
          count={notWell}
          isOn={filter.isNotWell}
          onChange={(isNotWell) => {
            setFilter({ ...filter, isNotWell });
          }}
        />
      </div>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label={t('nav.clusters')}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t('clusters.cluster')}</th>
              <th scope="col">{t('clusters.state')}</th>
              <th scope="col" className={styles.number}>
                {t('view.notWell')}
              </th>
              <th scope="col" className={styles.number}>
                {t('nav.pods')}
              </th>
              <th scope="col" className={styles.number}>
                {t('clusters.nodes')}
              </th>
              <th scope="col">{t('clusters.version')}</th>
              <th scope="col">{t('clusters.note')}</th>
              <th scope="col" aria-label={t('pod.more')} />
            </tr>
          </thead>
          <tbody>
            {shown.map(({ cluster, notWell: bad }) => (
              <tr key={cluster.id}>
                <th scope="row">
                  <Link to="/pods" search={writeQuery({ ...EVERYTHING, cluster: [cluster.name] })}>
                    <ClusterName name={cluster.name} />
                  </Link>
                </th>
                <td>
                  <StandingMark cluster={cluster} />
                </td>
                <td className={styles.number}>
                  {cluster.sync.syncedAt !== '' && (
                    <Link
                      to="/pods"
                      search={writeQuery({ ...NOT_WELL, cluster: [cluster.name] })}
                      className={bad > 0 ? styles.bad : styles.dim}
                    >
                      {number(bad)}
                    </Link>
                  )}
                </td>
                <td className={styles.number}>{cluster.sync.syncedAt !== '' && number(cluster.podCount)}</td>
                <td className={styles.number}>{number(cluster.nodeCount)}</td>
                <td>{cluster.version.replace(/^v/, '')}</td>
                <td
                  className={styles.note}
                  lang={cluster.sync.error === '' ? undefined : 'en'}
                  title={cluster.sync.error}
                >
                  {cluster.sync.error}
                </td>
                <td className={styles.more}>
                  <MoreMenu
                    label={t('pod.moreOf', { name: cluster.name })}
                    items={
                      cluster.readOnly
                        ? [
                            {
                              label: t('clusters.showDetails'),
                              onSelect: () => {
                                onEdit(cluster);
                              },
                            },
                          ]
                        : [
                            {
                              label: t('clusters.edit'),
                              onSelect: () => {
                                onEdit(cluster);
                              },
                            },
                            {
                              label: t('clusters.remove'),
                              isDanger: true,
                              onSelect: () => {
                                onRemove(cluster);
                              },
                            },
                          ]
                    }
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length === 0 && <p className={styles.none}>{t('clusters.noMatch')}</p>}
      </div>
    </div>
  );
}

interface ToggleProps {
  readonly words: string;
  readonly count: number;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Toggle({ words, count, isOn, onChange }: ToggleProps) {
  return (
    <button
      type="button"
      className={styles.toggle}
      aria-pressed={isOn}
      onClick={() => {
        onChange(!isOn);
      }}
    >
      {words} <span className={styles.dim}>{count}</span>
    </button>
  );
}
