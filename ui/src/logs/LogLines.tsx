import '@fontsource-variable/jetbrains-mono/wght.css';

import {
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  type Ref,
  useEffect,
  useImperativeHandle,
  useRef,
} from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../app/icons';
import { Key } from '../app/Key';
import { heightOf } from '../lines/scale';
import type { Zone } from '../lines/time';
import { selectedText } from './copy';
import { HitStrip } from './HitStrip';
import styles from './LogLines.module.css';
import { LogRow } from './LogRow';
import { type LineOptions, nameColumns, useLayout } from './useLayout';
import { type Log, useDrawn } from './useLog';
import { useScroll } from './useScroll';

interface LogLinesProps {
  readonly log: Log;
  readonly options: LineOptions;
  readonly zone: Zone;
  /** The line that keys act on. */
  readonly current: number | undefined;
  readonly onCurrent: (line: number) => void;
  readonly onUnfold: (line: number) => void;
  readonly onOpen: (line: number) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  /** What is said where there are no lines. */
  readonly empty: ReactNode;
  readonly ref?: Ref<HTMLDivElement>;
}

/** The rows of a log that are seen, and the bar beside them. */
export function LogLines(props: LogLinesProps) {
  const { log, options, zone, current, onCurrent, onUnfold, onOpen, onKeyDown, empty, ref } = props;
  const { t, i18n } = useTranslation();
  const { viewport } = log;
  const drawn = useDrawn(log);
  const scroller = useRef<HTMLDivElement>(null);
  useImperativeHandle(ref, () => scroller.current as unknown as HTMLDivElement, []);
  const sources = drawn.status?.sources ?? [];
  const names = nameColumns(sources);
  const column = useLayout(log, scroller, options, names, zone);
  const onScroll = useScroll(scroller, viewport, drawn);

  useEffect(() => {
    const hold = () => {
      const selection = getSelection();
      const isHere = selection?.isCollapsed === false && scroller.current?.contains(selection.anchorNode) === true;
      if (isHere) viewport.hold();
    };
    document.addEventListener('selectionchange', hold);
    return () => {
      document.removeEventListener('selectionchange', hold);
    };
  }, [viewport]);

  const lineAt = ({ target }: MouseEvent) => {
    const row = target instanceof Element ? target.closest<HTMLElement>('[data-line]') : null;
    return row === null ? undefined : Number(row.dataset['line']);
  };
  const { row: rowHeight, view: height } = drawn.scale;
  const seen = drawn.rows.slice(0, Math.ceil(height / rowHeight) + 1);
  const widest = options.wrap ? 0 : (drawn.status?.widest ?? 0);
  return (
    <div className={styles.lines}>
      <div
        ref={scroller}
        className={styles.scroller}
        role="log"
        aria-live="off"
        aria-label={t('log.lines')}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        onCopy={(event) => {
          const text = selectedText(event.currentTarget);
          if (text === '') return;
          event.clipboardData.setData('text/plain', text);
          event.preventDefault();
        }}
        onClick={(event) => {
          const line = lineAt(event);
          if (line !== undefined) onCurrent(line);
        }}
      >
        <div style={{ height: heightOf(drawn.scale), minWidth: widest > 0 ? (widest + 34) * column : undefined }}>
          <div className={styles.layer} style={{ height, '--names': `${names}ch` } as CSSProperties}>
            {seen.map((row, at) => {
              const part = row.kind === 'mark' || row.kind === 'day' ? row.part : 0;
              // A rule is drawn by the first of its rows that is seen.
              if (part > 0 && at > 0) return null;
              return (
                <LogRow
                  key={`${row.line}:${row.at - part}`}
                  row={row}
                  top={(at - part) * rowHeight - drawn.offset}
                  isCurrent={row.line === current}
                  hasTimes={options.hasTimes}
                  sources={sources}
                  zone={zone}
                  onOpen={onOpen}
                  onUnfold={onUnfold}
                />
              );
            })}
          </div>
        </div>
      </div>
      {drawn.scale.total === 0 && <div className={styles.empty}>{empty}</div>}
      <HitStrip log={log} drawn={drawn} />
      {!drawn.isFollowing && drawn.newLines > 0 && (
        <button
          type="button"
          className={styles.pill}
          aria-keyshortcuts="Shift+G"
          onClick={() => {
            viewport.follow();
            scroller.current?.focus();
          }}
        >
          <Icon name="sortDown" size="small" />
          {t('log.newLines', { count: drawn.newLines, number: drawn.newLines.toLocaleString(i18n.language) })}
          <Key name="G" />
        </button>
      )}
    </div>
  );
}
