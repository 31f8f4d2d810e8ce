import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { components } from '../api/schema';
import type { Pod } from '../pods/pod';
import { EVERYTHING, writeQuery } from '../pods/query';
import { StatusWord } from '../pods/StatusWord';
import { ContainerRow } from './ContainerRow';
import type { ContainerView, Detail } from './containers';
import { EventList } from './Events';
import styles from './Overview.module.css';
import type { Spot } from './place';

/** How many of the newest events are shown here. */
const NEWEST = 3;

interface OverviewProps {
  readonly row: Pod | undefined;
  readonly detail: Detail | undefined;
  readonly containers: readonly ContainerView[];
  readonly events: readonly components['schemas']['PodEvent'][] | undefined;
  readonly asOf: string;
  readonly onSpot: (spot: Spot) => void;
}

/** What one wants to know of a pod first. */
export function Overview({ row, detail, containers, events, asOf, onSpot }: OverviewProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.page}>
      {row !== undefined && <Facts row={row} detail={detail} />}
      <h3 className={styles.section}>
        {t('pod.containers')} <span className={styles.dim}>{asOf}</span>
      </h3>
      <ul className={styles.box}>
        {containers.map((container) => (
          <ContainerRow key={`${container.kind} ${container.name}`} container={container} onSpot={onSpot} />
        ))}
      </ul>
      <h3 className={styles.section}>
        {t('pod.newestEvents')}
        {(events?.length ?? 0) > NEWEST && (
          <button
            type="button"
            className={styles.all}
            onClick={() => {
              onSpot({ tab: 'events' });
            }}
          >
            {t('pod.allEvents', { count: events?.length ?? 0 })}
          </button>
        )}
      </h3>
      {events !== undefined && events.length > 0 && <EventList events={events.slice(0, NEWEST)} />}
      {events?.length === 0 && <p className={styles.dim}>{t('pod.noEvents')}</p>}
    </div>
  );
}

function Facts({ row, detail }: { row: Pod; detail: Detail | undefined }) {
  const { t } = useTranslation();
  const account = (detail?.spec as Readonly<Record<string, unknown>> | undefined)?.['serviceAccountName'];
  const { owner, nodeName } = row;
  const link = (search: Record<string, string | string[]>, text: string): ReactNode => (
    <Link to="/pods" search={search}>
      {text}
    </Link>
  );
  const facts: [string, ReactNode][] = [
    [t('column.status'), <StatusWord key="status" pod={row} />],
    [t('column.ready'), `${row.ready}/${row.readyTotal}`],
    [
      t('column.owner'),
      owner === null
        ? t('pod.noOwner')
        : link(
            writeQuery({
              ...EVERYTHING,
              cluster: [row.cluster],
              namespace: [row.namespace],
              owner: [`${owner.kind}/${owner.name}`],
            }),
            `${owner.kind} ${owner.name}`,
          ),
    ],
    [t('column.qosClass'), row.qosClass],
    [
      t('column.node'),
      nodeName === ''
        ? t('pod.noNode')
        : link(writeQuery({ ...EVERYTHING, cluster: [row.cluster], nodeName: [nodeName] }), nodeName),
    ],
    [t('pod.account'), typeof account === 'string' ? account : ''],
    [t('column.podIP'), row.podIP],
  ];
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name} className={styles.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
