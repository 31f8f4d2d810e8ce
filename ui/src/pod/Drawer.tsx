import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { ApiError, call } from '../api/client';
import type { components } from '../api/schema';
import { Button } from '../app/Button';
import { copyText } from '../app/copyText';
import { Icon, StateMark } from '../app/icons';
import { useSentence } from '../app/messages';
import { Note } from '../app/Note';
import { lazily } from '../app/release';
import { useTimes } from '../app/times';
import { ClusterName } from '../clusters/ClusterName';
import type { Since } from '../logs/choice';
import { NameCell } from '../pods/cells';
import type { Pod } from '../pods/pod';
import { classOf } from '../pods/status';
import { containersOf, type Detail, forLogs } from './containers';
import styles from './Drawer.module.css';
import { Events } from './Events';
import { Overview } from './Overview';
import { type Place, type Tab, TABS } from './place';

const LogView = lazy(() => lazily(async () => ({ default: (await import('../logs/LogView')).LogView })));

type PodEvent = components['schemas']['PodEvent'];

/** How long after a change of the row the pod is read again, and how often events are, in milliseconds. */
const AFTER = 300;
const EVENTS = 10_000;

interface DrawerProps {
  readonly place: Place;
  /** The pod's row, while the list has it. */
  readonly row: Pod | undefined;
  readonly clusterNumber: number | undefined;
  readonly onPlace: (place: Place) => void;
  readonly onClose: () => void;
  /** Opens the list's next or previous pod. */
  readonly onMove: (step: 1 | -1) => void;
}

/** One pod beside the list: why it is not well, its containers, its logs and its events. */
export function Drawer({ place, row, clusterNumber, onPlace, onClose, onMove }: DrawerProps) {
  const { t } = useTranslation();
  const { clock } = useTimes();
  const sentence = useSentence();
  const path = pathOf(place);
  const detail = useQuery({ queryKey: ['pod', path], queryFn: () => call<Detail>('GET', path) });
  useFollow(['pod', path], row);
  const isEventful = place.tab !== 'logs';
  const events = useQuery({
    queryKey: ['pod', path, 'events'],
    queryFn: () => call<PodEvent[]>('GET', `${path}/events`),
    enabled: isEventful,
    refetchInterval: EVENTS,
  });
  const isGone = detail.error instanceof ApiError && detail.error.code === 404_001;
  const isOther = detail.data !== undefined && place.uid !== '' && detail.data.uid !== place.uid;
  const containers = detail.data === undefined ? [] : containersOf(detail.data);
  const asOf = (time: number) => (time === 0 ? '' : t('pod.asOf', { time: clock(time) }));
  return (
    <aside className={styles.drawer} aria-label={t('pod.label', { name: place.name })}>
      <header className={styles.head}>
        <div className={styles.line}>
          {row !== undefined && <StateMark shape={classOf(row)} />}
          <h2 className={styles.title}>
            <NameCell pod={{ name: place.name, owner: row?.owner ?? null }} />
          </h2>
          <Tool label={t('pod.copyName')} icon="copy" onClick={() => void copyText(place.name)} />
          <span className={styles.tools}>
            <Tool
              label={t('pod.previous')}
              icon="up"
              onClick={() => {
                onMove(-1);
              }}
            />
            <Tool
              label={t('pod.next')}
              icon="down"
              onClick={() => {
                onMove(1);
              }}
            />
            <Tool label={t('pod.close')} icon="close" onClick={onClose} />
          </span>
        </div>
        <div className={styles.crumb}>
          <ClusterName name={place.cluster} number={clusterNumber} />
          <Icon name="right" size="small" />
          {place.namespace}
        </div>
      </header>
      {isGone && <Note>{t('pod.gone')}</Note>}
      {isOther && <Note>{t('pod.other')}</Note>}
      {detail.error !== null && !isGone && <Note>{sentence(detail.error)}</Note>}
      <Tabs place={place} onPlace={onPlace} events={events.data?.length} />
      <div className={styles.panel} role="tabpanel" aria-label={t(`pod.${place.tab}`)}>
        {place.tab === 'overview' && (
          <Overview
            row={row}
            detail={detail.data}
            containers={containers}
            events={events.data}
            asOf={asOf(detail.dataUpdatedAt)}
            onTab={(tab, choice) => {
              onPlace({ ...place, tab, container: choice?.container ?? '', isPrevious: choice?.isPrevious ?? false });
            }}
          />
        )}
        {place.tab === 'events' && (
          <Events events={events.data} error={events.error} asOf={asOf(events.dataUpdatedAt)} />
        )}
        {place.tab === 'logs' && containers.length > 0 && (
          <Suspense fallback={null}>
            <Logs place={place} containers={forLogs(containers)} onPlace={onPlace} />
          </Suspense>
        )}
      </div>
    </aside>
  );
}

/** The pod's logs. Which one is read is in the URL; from when on is the reader's own. */
function Logs({ place, containers, onPlace }: { place: Place; containers: string[]; onPlace: (place: Place) => void }) {
  const since = useRef<Since>('newest');
  const container = place.container === '' ? (containers[0] ?? '') : place.container;
  return (
    <LogView
      pod={place}
      containers={containers}
      choice={{ container, isPrevious: place.isPrevious, since: since.current }}
      onChoice={(choice) => {
        since.current = choice.since;
        onPlace({ ...place, container: choice.container, isPrevious: choice.isPrevious });
      }}
    />
  );
}

function Tabs({
  place,
  onPlace,
  events,
}: {
  place: Place;
  onPlace: (place: Place) => void;
  events: number | undefined;
}) {
  const { t } = useTranslation();
  const row = useRef<HTMLDivElement>(null);
  const go = (tab: Tab) => {
    onPlace({ ...place, tab, container: '', isPrevious: false });
  };
  const step = (by: number) => {
    const next = TABS[(TABS.indexOf(place.tab) + by + TABS.length) % TABS.length];
    if (next === undefined) return;
    go(next);
    row.current?.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <div
      ref={row}
      className={styles.tabs}
      role="tablist"
      onKeyDown={(event) => {
        if (event.key === 'ArrowRight') step(1);
        else if (event.key === 'ArrowLeft') step(-1);
      }}
    >
      {TABS.map((tab) => (
        <button
          key={tab}
          type="button"
          role="tab"
          data-tab={tab}
          aria-selected={tab === place.tab}
          tabIndex={tab === place.tab ? 0 : -1}
          className={styles.tab}
          onClick={() => {
            go(tab);
          }}
        >
          {t(`pod.${tab}`)}
          {tab === 'events' && events !== undefined && events > 0 && <span className={styles.number}>{events}</span>}
        </button>
      ))}
    </div>
  );
}

function Tool({
  label,
  icon,
  onClick,
}: {
  label: string;
  icon: 'copy' | 'up' | 'down' | 'close';
  onClick: () => void;
}): ReactNode {
  return (
    <Button look="quiet" isIcon aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </Button>
  );
}

/** Reads a pod again soon after its row has changed. */
function useFollow(key: readonly string[], row: Pod | undefined): void {
  const queries = useQueryClient();
  const joined = key.join(' ');
  const last = useRef({ joined, row });
  useEffect(() => {
    const before = last.current;
    last.current = { joined, row };
    if (before.joined !== joined || before.row === row || before.row === undefined) return undefined;
    const timer = setTimeout(() => {
      void queries.invalidateQueries({ queryKey: joined.split(' ') });
    }, AFTER);
    return () => {
      clearTimeout(timer);
    };
  }, [joined, row, queries]);
}

function pathOf({ cluster, namespace, name }: Place): string {
  return `/api/${['clusters', cluster, 'namespaces', namespace, 'pods', name].map(encodeURIComponent).join('/')}`;
}
