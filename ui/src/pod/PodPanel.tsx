import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { copyText } from '../app/copyText';
import { type Action, IS_MAC, isTyping, KeyReader } from '../app/keys';
import { useSentence } from '../app/messages';
import { Note, NoteButton } from '../app/Note';
import { lazily } from '../app/release';
import { useTimes } from '../app/times';
import type { Since } from '../logs/choice';
import type { Pod } from '../pods/pod';
import { containersOf, forLogs } from './containers';
import { Events } from './Events';
import { Overview } from './Overview';
import { PodHead } from './PodHead';
import styles from './PodPanel.module.css';
import { PodTabs } from './PodTabs';
import { at, type Place, type Spot } from './place';
import { type OpenPod, usePod, useSuccessor } from './usePod';
import { WhyBox } from './WhyBox';
import { Yaml } from './Yaml';

const LogView = lazy(() => lazily(async () => ({ default: (await import('../logs/LogView')).LogView })));

interface PodPanelProps {
  readonly place: Place;
  /** The pod's row in the list beside it, while that has it. */
  readonly listed?: Pod | undefined;
  readonly clusterNumber: number | undefined;
  readonly onPlace: (place: Place) => void;
  readonly onClose: () => void;
  readonly onMove?: (step: 1 | -1) => void;
  readonly onPage?: () => void;
  readonly onDelete: (pod: Pod) => void;
}

/** One pod: why it is not well, its containers, its logs, its events and its manifest. */
export function PodPanel(props: PodPanelProps) {
  const { place, listed, clusterNumber, onPlace, onClose, onMove, onPage, onDelete } = props;
  const { t } = useTranslation();
  const { clock } = useTimes();
  const pod = usePod(place, listed);
  const { row, detail } = pod;
  const containers = detail === undefined ? [] : containersOf(detail);
  const go = (spot: Spot) => {
    onPlace(at(place, spot));
  };
  const askToDelete =
    row === undefined || pod.fate !== 'there'
      ? undefined
      : () => {
          onDelete(row);
        };
  const container = useRef<HTMLDivElement>(null);
  useFocusOnOpen(container, place);
  const onKeyDown = usePodKeys({
    next:
      onMove &&
      (() => {
        onMove(1);
      }),
    previous:
      onMove &&
      (() => {
        onMove(-1);
      }),
    overview: () => {
      go({ tab: 'overview' });
    },
    log: () => {
      go({ tab: 'logs' });
    },
    lastLog: () => {
      go({ tab: 'logs', isPrevious: true });
    },
    events: () => {
      go({ tab: 'events' });
    },
    yaml: () => {
      go({ tab: 'yaml' });
    },
    copy: () => void copyText(place.name),
    delete: askToDelete,
    page: onPage,
    clear: onClose,
  });
  const asOf = (time: number) => (time === 0 ? '' : t('pod.asOf', { time: clock(time) }));
  const { tab } = place;
  return (
    <div ref={container} className={styles.pod} data-region="pod" onKeyDown={onKeyDown}>
      <PodHead
        place={place}
        row={row}
        clusterNumber={clusterNumber}
        onMove={onMove}
        onDelete={askToDelete}
        onPage={onPage}
        onClose={onClose}
      />
      <Fate pod={pod} place={place} onPlace={onPlace} />
      {row !== undefined && row.reason !== '' && (
        <WhyBox row={row} containers={containers} isShort={tab !== 'overview'} onSpot={go} />
      )}
      <PodTabs
        tab={tab}
        onTab={(next) => {
          go({ tab: next });
        }}
        events={pod.events?.length}
      />
      <div className={styles.panel} role="tabpanel" aria-label={t(`pod.${tab}`)}>
        {tab === 'overview' && (
          <Overview
            row={row}
            detail={detail}
            containers={containers}
            events={pod.events}
            asOf={asOf(pod.readAt)}
            onSpot={go}
          />
        )}
        {tab === 'events' && <Events events={pod.events} error={pod.eventsError} asOf={asOf(pod.eventsAt)} />}
        {tab === 'logs' && containers.length > 0 && (
          <Suspense fallback={null}>
            <Logs place={place} containers={forLogs(containers)} onPlace={onPlace} />
          </Suspense>
        )}
        {tab === 'yaml' && (
          <Yaml
            key={`${place.cluster} ${place.uid}`}
            place={place}
            isGone={pod.fate !== 'there'}
            version={detail?.resourceVersion ?? ''}
            onFind={(find) => {
              onPlace({ ...place, find });
            }}
          />
        )}
      </div>
    </div>
  );
}

/** What has become of the pod, if it is not simply there. */
function Fate({ pod, place, onPlace }: { pod: OpenPod; place: Place; onPlace: (place: Place) => void }) {
  const { t } = useTranslation();
  const { clock } = useTimes();
  const sentence = useSentence();
  const successor = useSuccessor(pod, place);
  const { fate, goneAt, error } = pod;
  if (fate === 'there') return error === null ? null : <Note>{sentence(error)}</Note>;
  const words =
    goneAt !== undefined
      ? t('pod.goneSince', { time: clock(goneAt) })
      : fate === 'replaced'
        ? t('pod.other')
        : t('pod.gone');
  const actions = successor !== null && (
    <NoteButton
      onClick={() => {
        const { cluster, namespace, name, uid } = successor;
        onPlace({ ...place, cluster, namespace, name, uid });
      }}
    >
      {t('pod.openSuccessor')}
    </NoteButton>
  );
  return <Note actions={actions}>{words}</Note>;
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

/** Returns what follows the keys of a pod. Keys of its log and those of the whole page are left to them. */
function usePodKeys(actions: Partial<Record<Action, (() => void) | undefined>>) {
  const [reader] = useState(() => new KeyReader());
  return (event: React.KeyboardEvent) => {
    if (event.defaultPrevented || isTyping(event.target)) return;
    const action = reader.read(event, 'pod', event.timeStamp, IS_MAC);
    const act = action === undefined ? undefined : actions[action];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
}

/** Moves the focus to a pod that is opened from the list, so that its keys act. */
function useFocusOnOpen(container: React.RefObject<HTMLDivElement | null>, { cluster, uid, name }: Place): void {
  useEffect(() => {
    const active = document.activeElement;
    if (active !== document.body && active?.closest('[role=grid]') == null) return;
    container.current?.querySelector<HTMLElement>('[role=tab][aria-selected=true]')?.focus({ preventScroll: true });
  }, [container, cluster, uid, name]);
}
