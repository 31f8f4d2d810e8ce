import { type KeyboardEvent, type Ref } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { isComposing } from '../app/composing';
import { Icon } from '../app/icons';
import type { FindStatus } from '../lines/finder';
import type { Query } from '../lines/search';
import styles from './FindBar.module.css';

interface FindBarProps {
  readonly query: Query;
  readonly status: FindStatus | null;
  readonly onQuery: (query: Query) => void;
  readonly onMove: (direction: 1 | -1) => void;
  readonly onClose: () => void;
  readonly ref?: Ref<HTMLInputElement>;
}

/** Returns where the search stands, in words. */
function useCount(status: FindStatus | null): string {
  const { t, i18n } = useTranslation();
  if (status === null) return '';
  const number = status.count.toLocaleString(i18n.language);
  if (status.state === 'invalid') return t('log.invalid');
  if (status.state === 'slow') return t('log.slow');
  if (status.current > 0) return t('log.hitOf', { current: status.current.toLocaleString(i18n.language), number });
  if (status.state === 'full') return t('log.hitsFull', { number });
  if (status.state === 'searching' && status.count === 0) return t('log.searching');
  return t('log.hits', { count: status.count, number });
}

/** The bar over the lines in which one looks for text in what is here. */
export function FindBar({ query, status, onQuery, onMove, onClose, ref }: FindBarProps) {
  const { t } = useTranslation();
  const count = useCount(status);
  const isWrong = status?.state === 'invalid' || status?.state === 'slow';

  function onKeyDown(event: KeyboardEvent) {
    if (isComposing(event)) return;
    if (event.key === 'Enter') onMove(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape') onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div className={styles.bar} role="search">
      <label className={styles.field}>
        <Icon name="search" size="small" />
        <input
          ref={ref}
          className={styles.input}
          type="text"
          enterKeyHint="search"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-label={t('log.findHere')}
          aria-invalid={isWrong}
          value={query.text}
          onChange={(event) => {
            onQuery({ ...query, text: event.target.value });
          }}
          onKeyDown={onKeyDown}
        />
        <span className={styles.hint} aria-hidden="true">
          {t('log.inWhatIsHere')}
        </span>
      </label>
      <span className={`${styles.count} ${isWrong ? styles.wrong : ''}`} role="status">
        {count}
      </span>
      <Button
        look="quiet"
        isIcon
        aria-label={t('log.previousHit')}
        aria-keyshortcuts="Shift+N"
        onClick={() => {
          onMove(-1);
        }}
      >
        <Icon name="up" />
      </Button>
      <Button
        look="quiet"
        isIcon
        aria-label={t('log.nextHit')}
        aria-keyshortcuts="N"
        onClick={() => {
          onMove(1);
        }}
      >
        <Icon name="down" />
      </Button>
      <Button
        look="quiet"
        className={`${styles.mono} ${query.isPattern ? styles.on : ''}`}
        aria-pressed={query.isPattern}
        aria-label={t('log.pattern')}
        title={t('log.pattern')}
        onClick={() => {
          onQuery({ ...query, isPattern: !query.isPattern });
        }}
      >
        .*
      </Button>
      <Button
        look="quiet"
        className={query.isCaseSensitive ? styles.on : ''}
        aria-pressed={query.isCaseSensitive}
        aria-label={t('log.case')}
        title={t('log.case')}
        onClick={() => {
          onQuery({ ...query, isCaseSensitive: !query.isCaseSensitive });
        }}
      >
        {t('log.caseSign')}
      </Button>
      <span className={styles.grow} />
      <Button look="quiet" isIcon aria-label={t('log.closeFind')} onClick={onClose}>
        <Icon name="close" />
      </Button>
    </div>
  );
}
