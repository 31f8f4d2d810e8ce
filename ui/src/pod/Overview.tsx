import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { components } from '../api/schema';
import { useTicking } from '../app/clock';
import { Button } from '../app/Button';
import { Icon, type IconName, StateMark } from '../app/icons';
import { useTimes } from '../app/times';
import { short } from '../pods/age';
import { type Pod, shortImage } from '../pods/pod';
import { EVERYTHING, writeQuery } from '../pods/query';
import { classOf, classOfWord, type StatusClass } from '../pods/status';
import { StatusWord, Word } from '../pods/StatusWord';
import { Why } from '../pods/WhyCell';
import type { ContainerView, Detail } from './containers';
import { EventList } from './Events';
import styles from './Overview.module.css';
import type { Tab } from './place';

/** How many of the newest events are shown here. */
const NEWEST = 3;

type OnTab = (tab: Tab, choice?: { container: string; isPrevious: boolean }) => void;

interface OverviewProps {
  readonly row: Pod | undefined;
  readonly detail: Detail | undefined;
  readonly containers: readonly ContainerView[];
  readonly events: readonly components['schemas']['PodEvent'][] | undefined;
  readonly asOf: string;
  readonly onTab: OnTab;
}

/** What one wants to know of a pod first. */
export function Overview({ row, detail, containers, events, asOf, onTab }: OverviewProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.page}>
      {row !== undefined && row.reason !== '' && <WhyBox row={row} onTab={onTab} />}
      {row !== undefined && <Facts row={row} detail={detail} />}
      <h3 className={styles.section}>
        {t('pod.containers')} <span className={styles.dim}>{asOf}</span>
      </h3>
      <ul className={styles.box}>
        {containers.map((container) => (
          <ContainerRow key={`${container.kind} ${container.name}`} container={container} onTab={onTab} />
        ))}
      </ul>
      <h3 className={styles.section}>
        {t('pod.newestEvents')}
        {(events?.length ?? 0) > NEWEST && (
          <button
            type="button"
            className={styles.all}
            onClick={() => {
              onTab('events');
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

/** Why the pod is not well, with the way to the next question. */
function WhyBox({ row, onTab }: { row: Pod; onTab: OnTab }) {
  const { t } = useTranslation();
  const container = typeof row.reasonArgs?.['container'] === 'string' ? row.reasonArgs['container'] : '';
  const isRestarted = row.restarts > 0;
  const code = row.reasonCode;
  const isAboutEvents = ['Image', 'Unscheduled', 'Warning', 'CannotStart', 'Waiting', 'NodeLost'].includes(code);
  return (
    <div className={styles.why} role="group" aria-label={t('column.why')}>
      <StateMark shape={classOf(row)} />
      <b>
        <Why pod={row} />
      </b>
      <div className={styles.next}>
        {isAboutEvents && (
          <Next
            icon="yaml"
            onClick={() => {
              onTab('events');
            }}
          >
            {t('pod.events')}
          </Next>
        )}
        {!isAboutEvents && isRestarted && container !== '' && (
          <Next
            icon="logs"
            onClick={() => {
              onTab('logs', { container, isPrevious: true });
            }}
          >
            {t('pod.lastLog')}
          </Next>
        )}
        {!isAboutEvents && (
          <Next
            icon="logs"
            onClick={() => {
              onTab('logs', { container, isPrevious: false });
            }}
          >
            {t('pod.log')}
          </Next>
        )}
      </div>
    </div>
  );
}

function Next({ icon, onClick, children }: { icon: IconName; onClick: () => void; children: string }) {
  return (
    <Button onClick={onClick}>
      <Icon name={icon} />
      {children}
    </Button>
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

function ContainerRow({ container, onTab }: { container: ContainerView; onTab: OnTab }) {
  const { t } = useTranslation();
  const { exact } = useTimes();
  const { name, kind, image, restarts, limits, requests, since } = container;
  const age = useTicking((now) => (since === '' ? '' : short(now - Date.parse(since))));
  const amounts = (resources: Readonly<Record<string, string>>) =>
    Object.entries(resources)
      .map(([resource, amount]) => `${amount} ${resource}`)
      .join(', ');
  return (
    <li className={styles.container}>
      <div>
        <div className={styles.name}>
          {name} {kind !== 'regular' && <span className={styles.tag}>{t(`pod.kind_${kind}`)}</span>}
        </div>
        <code className={styles.small} title={image}>
          {shortImage(image)}
        </code>
      </div>
      <div>
        <Word {...stateOf(container, t)} />
        <span className={styles.small} title={since === '' ? undefined : exact(since)}>
          {endOf(container, t)} {age !== '' && t('pod.since', { age })}
        </span>
      </div>
      <div className={styles.small}>{t('row.restarts', { count: restarts })}</div>
      <div className={styles.small}>
        {amounts(limits) === '' ? t('pod.noLimits') : amounts(limits)}
        {amounts(requests) !== '' && <div>{t('pod.asks', { amounts: amounts(requests) })}</div>}
      </div>
      <div className={styles.rowTools}>
        <Button
          look="quiet"
          isIcon
          aria-label={t('pod.logOf', { name })}
          title={t('pod.logOf', { name })}
          onClick={() => {
            onTab('logs', { container: name, isPrevious: false });
          }}
        >
          <Icon name="logs" />
        </Button>
      </div>
    </li>
  );
}

type Translate = ReturnType<typeof useTranslation>['t'];

function stateOf({ state, reason, isReady, kind }: ContainerView, t: Translate): { shape: StatusClass; text: string } {
  if (state === 'running') return { shape: isReady || kind === 'init' ? 'ok' : 'warn', text: t('pod.running') };
  if (state === 'unknown') return { shape: 'busy', text: t('pod.notStarted') };
  return { shape: classOfWord(reason).statusClass, text: reason === '' ? t(`pod.${state}`) : reason };
}

function endOf({ end }: ContainerView, t: Translate): string {
  if (end === undefined) return '';
  const how =
    end.signal > 0 ? t('why.signal', { signal: String(end.signal) }) : t('why.exit', { code: String(end.exitCode) });
  const millis = Date.parse(end.finishedAt) - Date.parse(end.startedAt);
  return Number.isNaN(millis) ? how : t('pod.ran', { how, length: short(millis) });
}
