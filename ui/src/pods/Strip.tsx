import { useEffect, useMemo, useRef, useState, type MouseEvent } from 'react';
import { useTranslation } from 'react-i18next';

import type { Facets } from '../live/frames';
import type { PodQuery } from './query';
import { compareWords } from './status';
import { StatusOnly, Word } from './StatusWord';
import styles from './Strip.module.css';

interface StripProps {
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery) => void;
  readonly facets: Facets;
  /** How many pods there are without the strip's own filter. */
  readonly total: number | undefined;
}

/**
 * The statuses of what the other filters let through, with counts. A click filters, a click with ⌘ or
 * Ctrl adds. Counts never change the order, and a word that falls to 0 stays while the pointer is over
 * the strip.
 */
export function Strip({ query, onQuery, facets, total }: StripProps) {
  const { t, i18n } = useTranslation();
  const number = new Intl.NumberFormat(i18n.language);
  const counts = useMemo(() => new Map(facets['status']?.map(({ value, count }) => [value, count])), [facets]);
  const notWell = facets['problem']?.find(({ value }) => value === 'true')?.count ?? 0;
  const words = useWords([...counts.keys(), ...query.status]);
  const isAll = !query.problem && query.status.length === 0;

  const choose = (word: string, event: MouseEvent) => {
    const isMore = event.metaKey || event.ctrlKey;
    const isOn = query.status.includes(word);
    const others = query.status.filter((status) => status !== word);
    const status = isMore ? (isOn ? others : [...query.status, word]) : isOn && others.length === 0 ? [] : [word];
    onQuery({ ...query, status, problem: false });
  };

  return (
    <div className={styles.strip} role="group" aria-label={t('list.strip')} {...words.hover}>
      <button
        type="button"
        className={styles.chip}
        aria-pressed={isAll}
        onClick={() => {
          onQuery({ ...query, status: [], problem: false });
        }}
      >
        {t('list.all')} <span className={styles.count}>{total === undefined ? '' : number.format(total)}</span>
      </button>
      <button
        type="button"
        className={styles.chip}
        aria-pressed={query.problem}
        onClick={() => {
          onQuery({ ...query, status: [], problem: !query.problem });
        }}
      >
        <Word shape="bad" text={t('view.notWell')} isPlain={notWell === 0} />
        <b className={notWell === 0 ? styles.count : styles.bad}>{number.format(notWell)}</b>
      </button>
      <span className={styles.line} />
      {words.list.map((word) => (
        <button
          key={word}
          type="button"
          className={styles.chip}
          aria-pressed={query.status.includes(word)}
          onClick={(event) => {
            choose(word, event);
          }}
        >
          <StatusOnly status={word} />
          <span className={styles.count}>{number.format(counts.get(word) ?? 0)}</span>
        </button>
      ))}
    </div>
  );
}

/** Returns the words to show, in order. While the pointer is over them, none of them leaves. */
function useWords(present: readonly string[]) {
  const [isOver, setOver] = useState(false);
  const shown = useRef<readonly string[]>([]);
  const joined = [...new Set(present)].sort(compareWords).join('\n');
  const list = useMemo(() => {
    const words = joined === '' ? [] : joined.split('\n');
    return isOver ? [...new Set([...shown.current, ...words])].sort(compareWords) : words;
  }, [joined, isOver]);
  useEffect(() => {
    shown.current = list;
  }, [list]);
  const hover = {
    onPointerEnter: () => {
      setOver(true);
    },
    onPointerLeave: () => {
      setOver(false);
    },
  };
  return { list, hover };
}
