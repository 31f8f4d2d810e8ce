import type { KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { Icon } from '../app/icons';
import { Key } from '../app/Key';
import styles from './SelectionBar.module.css';

interface SelectionBarProps {
  readonly count: number;
  /** How many of them are not in the list that is shown. */
  readonly elsewhere: number;
  /** How many pods match in all, if more than are picked can be. */
  readonly matches: number | undefined;
  readonly onAll: () => void;
  readonly onCopy: () => void;
  readonly onDelete: () => void;
  readonly onClear: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** What can be done with the pods that are picked. It takes the foot's place. */
export function SelectionBar({
  count,
  elsewhere,
  matches,
  onAll,
  onCopy,
  onDelete,
  onClear,
  onKeyDown,
}: SelectionBarProps) {
  const { t, i18n } = useTranslation();
  return (
    <div className={styles.bar} role="toolbar" aria-label={t('list.selection')} onKeyDown={onKeyDown}>
      <b>{t('list.selected', { count })}</b>
      {elsewhere > 0 && <span className={styles.elsewhere}>{t('list.elsewhere', { count: elsewhere })}</span>}
      {matches !== undefined && (
        <Button look="quiet" onClick={onAll}>
          {t('list.selectAll', { number: new Intl.NumberFormat(i18n.language).format(matches) })}
        </Button>
      )}
      <span className={styles.line} />
      <Button look="quiet" aria-keyshortcuts="c" onClick={onCopy}>
        <Icon name="copy" />
        {t('list.copyNames')}
        <Key name="c" />
      </Button>
      <Button look="danger" aria-keyshortcuts="Control+D" onClick={onDelete}>
        <Icon name="trash" />
        {t('list.delete')}
        <Key name="⌃" />
        <Key name="D" />
      </Button>
      <Button look="quiet" className={styles.end} aria-keyshortcuts="Escape" onClick={onClear}>
        {t('list.clear')}
        <Key name="esc" />
      </Button>
    </div>
  );
}
