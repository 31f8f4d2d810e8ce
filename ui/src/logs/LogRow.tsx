import { type CSSProperties, memo } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../app/icons';
import { ERROR } from '../lines/level';
import type { Row } from '../lines/render';
import { writeTime, type Zone } from '../lines/time';
import styles from './LogLines.module.css';
import { RowText } from './RowText';
import { Rule } from './Rule';
import { clockOf } from './times';

/** What all rows of a log share. */
export interface RowLook {
  readonly hasTimes: boolean;
  readonly sources: readonly string[];
  readonly zone: Zone;
}

interface LogRowProps extends RowLook {
  readonly row: Row;
  /** The row's upper edge in the view, in pixels. */
  readonly top: number;
  readonly isCurrent: boolean;
  /** Opens the whole of a line that is cut. */
  readonly onOpen: (line: number) => void;
  /** Shows a line's fields below it, or hides them. */
  readonly onUnfold: (line: number) => void;
}

/** The button that shows a structured line's fields. */
function Fold({ row, onUnfold }: { row: Extract<Row, { kind: 'text' }>; onUnfold: (line: number) => void }) {
  const { t } = useTranslation();
  return (
    <button
      type="button"
      className={`${styles.fold} ${row.isUnfolded ? styles.unfolded : ''}`}
      // Each row has one, and the lines are one stop: Enter does the same.
      tabIndex={-1}
      aria-expanded={row.isUnfolded}
      aria-label={t('log.fields')}
      onClick={() => {
        onUnfold(row.line);
      }}
    >
      <Icon name="right" size="small" />
    </button>
  );
}

/** Returns the colour of a source: eight hues, of which the last four are drawn dashed. */
function sourceStyle(source: number): CSSProperties {
  return { '--source': `var(--src-${(source % 8) + 1})` } as CSSProperties;
}

/** Writes a number of bytes with its unit. */
function sizeOf(bytes: number, language: string): string {
  const isSmall = bytes < 1e6;
  const unit = isSmall ? 'kilobyte' : 'megabyte';
  const format = new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: 1 });
  return format.format(bytes / (isSmall ? 1e3 : 1e6));
}

function Content({ row, onOpen, ...look }: Omit<LogRowProps, 'top' | 'isCurrent' | 'onUnfold'>) {
  const { t, i18n } = useTranslation();
  switch (row.kind) {
    case 'text':
      return <RowText spans={row.spans} level={row.level} />;
    case 'cut':
      return (
        <button
          type="button"
          className={styles.more}
          onClick={() => {
            onOpen(row.line);
          }}
        >
          {t('log.cut', { size: sizeOf(row.bytes, i18n.language) })}
        </button>
      );
    case 'field':
      return (
        <span className={`${styles.field} ${row.isLast ? styles.last : ''}`}>
          <span className={styles.key}>{row.key}</span>
          <span className={row.isText ? undefined : styles.number}>{row.text}</span>
        </span>
      );
    case 'mark':
      return <Rule mark={row.mark} sources={look.sources} zone={look.zone} />;
    case 'day': {
      const timeZone = look.zone === 'utc' ? { timeZone: 'UTC' } : {};
      const date = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'full', ...timeZone });
      return <span className={styles.rule}>{date.format(new Date(row.ms))}</span>;
    }
  }
}

/** One visual row. A mark spans several, of which its first that is seen draws it. */
export const LogRow = memo(function LogRow({ top, isCurrent, onUnfold, ...rest }: LogRowProps) {
  const { row, hasTimes, sources, zone } = rest;
  const isRule = row.kind === 'mark' || row.kind === 'day';
  const isLine = row.kind === 'text' && row.isFirst && !Number.isNaN(row.ms);
  const names = [
    isRule ? styles.ruleRow : styles.row,
    row.level >= ERROR && row.kind !== 'field' ? styles.error : '',
    isCurrent && !isRule ? styles.current : '',
    row.source % 8 > 3 ? styles.dashed : '',
  ];
  return (
    <div
      className={names.join(' ')}
      style={{ transform: `translateY(${top}px)` }}
      data-line={row.line}
      data-at={row.at}
    >
      {row.kind === 'text' && row.isFirst && row.hasFields && <Fold row={row} onUnfold={onUnfold} />}
      {!isRule && hasTimes && (
        <time className={styles.time} title={isLine ? writeTime(row) : undefined}>
          {isLine ? clockOf(row.ms, zone) : ''}
        </time>
      )}
      {!isRule && sources.length > 1 && (
        <span className={styles.source} style={sourceStyle(row.source)}>
          {row.kind === 'text' && row.isFirst ? sources[row.source] : ''}
        </span>
      )}
      <Content {...rest} />
    </div>
  );
});
