import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { base } from '../app/base';
import { type Action, IS_MAC, isTyping, KeyReader } from '../app/keys';
import { NoteButton } from '../app/Note';
import { useTimes } from '../app/times';
import type { FeedState } from '../lines/feed';
import type { Query } from '../lines/search';
import { configOf, downloadOf, type LogChoice, type PodName } from './choice';
import { FindBar } from './FindBar';
import { LogFoot } from './LogFoot';
import { LogLines } from './LogLines';
import { LogTools } from './LogTools';
import { LongLine } from './LongLine';
import styles from './LogView.module.css';
import { useActions } from './useActions';
import type { LineOptions } from './useLayout';
import { type Log, useDrawn, useLog } from './useLog';
import { useReturn } from './useReturn';

interface LogViewProps {
  readonly pod: PodName;
  /** The names of the pod's containers, those that are read most first. */
  readonly containers: readonly string[];
  readonly choice: LogChoice;
  readonly onChoice: (choice: LogChoice) => void;
  /** So many lines were copied. */
  readonly onCopied?: (lines: number) => void;
}

/** A pod's log: its tools, its lines, and whether they are followed. */
export function LogView(props: LogViewProps) {
  const { pod, choice } = props;
  const { cluster, namespace, name } = pod;
  const { container, isPrevious, since } = choice;
  const [attempt, setAttempt] = useState(0);
  const config = useMemo(
    () => configOf(base, { cluster, namespace, name }, { container, isPrevious, since }),
    // Another attempt reads the same once more.
    [cluster, namespace, name, container, isPrevious, since, attempt],
  );
  const log = useLog(config);
  if (log === undefined) return <section className={styles.log} aria-busy="true" />;
  return (
    <OpenLog
      {...props}
      log={log}
      onAgain={() => {
        setAttempt((before) => before + 1);
      }}
    />
  );
}

const OPTIONS: LineOptions = { wrap: true, structured: true, hasTimes: true };
/** The keys that read line by line, with Alt. */
const READ: Partial<Record<string, Action>> = { ArrowDown: 'readNext', ArrowUp: 'readPrevious' };
const NOTHING: Query = { text: '', isPattern: false, isCaseSensitive: false };

function OpenLog(props: LogViewProps & { log: Log; onAgain: () => void }) {
  const { pod, containers, choice, onChoice, onCopied, log, onAgain } = props;
  const { t } = useTranslation();
  const { zone } = useTimes();
  const drawn = useDrawn(log);
  useReturn(log, drawn.status?.feed);
  const [options, setOptions] = useState(OPTIONS);
  const [query, setQuery] = useState<Query>();
  const [opened, setOpened] = useState<number>();
  const lines = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [reader] = useState(() => new KeyReader());

  const find = (next: Query | undefined) => {
    setQuery(next);
    log.client.send({ type: 'find', query: next ?? null, near: log.viewport.line });
  };
  const openFind = () => {
    setQuery((before) => before ?? NOTHING);
    // The field is there after this render.
    requestAnimationFrame(() => {
      field.current?.select();
    });
  };
  const { act, current, setCurrent, unfold, move } = useActions({
    log,
    lines: () => lines.current,
    containers,
    choice,
    onChoice,
    options,
    onOptions: setOptions,
    onFind: openFind,
    onCopied: onCopied ?? (() => undefined),
  });

  function onKeyDown(event: KeyboardEvent) {
    if (isTyping(event.target)) return;
    if (event.key === 'Escape' && query !== undefined) {
      find(undefined);
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const step = event.altKey ? READ[event.key] : undefined;
    const action = step ?? reader.read(event, 'log', event.timeStamp, IS_MAC);
    if (action === undefined || !act(action)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <section className={styles.log} aria-label={t('log.title')}>
      <LogTools
        containers={containers}
        choice={choice}
        onChoice={onChoice}
        options={options}
        onOptions={setOptions}
        isFinding={query !== undefined}
        onFind={() => {
          if (query === undefined) openFind();
          else find(undefined);
        }}
        download={downloadOf(base, pod, choice)}
      />
      {query !== undefined && (
        <FindBar
          ref={field}
          query={query}
          status={drawn.status?.find ?? null}
          onQuery={find}
          onMove={(direction) => void move('hit', direction)}
          onClose={() => {
            find(undefined);
            lines.current?.focus();
          }}
        />
      )}
      <LogLines
        ref={lines}
        log={log}
        options={options}
        zone={zone}
        current={current}
        onCurrent={setCurrent}
        onUnfold={unfold}
        onOpen={setOpened}
        onKeyDown={onKeyDown}
        empty={<Empty feed={drawn.status?.feed} choice={choice} onChoice={onChoice} onAgain={onAgain} />}
      />
      <LogFoot drawn={drawn} />
      <LongLine
        log={log}
        line={opened}
        onClose={() => {
          setOpened(undefined);
        }}
      />
    </section>
  );
}

interface EmptyProps {
  readonly feed: FeedState | undefined;
  readonly choice: LogChoice;
  readonly onChoice: (choice: LogChoice) => void;
  readonly onAgain: () => void;
}

/** What is said where there are no lines: why, and what to do. */
function Empty({ feed, choice, onChoice, onAgain }: EmptyProps) {
  const { t } = useTranslation();
  if (feed === undefined || feed.kind === 'opening') return null;
  if (feed.kind === 'failed') {
    return (
      <p className={styles.empty} role="alert">
        <span lang="en">{feed.message}</span>
        <NoteButton onClick={onAgain}>{t('error.again')}</NoteButton>
      </p>
    );
  }
  const isBounded = choice.since !== 'start' && choice.since !== 'newest';
  return (
    <p className={styles.empty}>
      {isBounded ? t('log.noneSince', { count: Number(choice.since) }) : t('log.nothingYet')}
      {isBounded && (
        <NoteButton
          onClick={() => {
            onChoice({ ...choice, since: 'newest' });
          }}
        >
          {t('log.lookBack')}
        </NoteButton>
      )}
    </p>
  );
}
