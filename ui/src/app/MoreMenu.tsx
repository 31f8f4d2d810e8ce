import { Menu } from '@base-ui/react/menu';
import { useTranslation } from 'react-i18next';

import { buttonNames } from './Button';
import { Icon } from './icons';
import { Key } from './Key';
import styles from './MoreMenu.module.css';

/** Something that can be done. */
export interface MenuItem {
  readonly label: string;
  /** Its key, as it is drawn. */
  readonly keyName?: string;
  readonly onSelect: () => void;
  /** Whether it leads to what can't be undone. */
  readonly isDanger?: boolean;
}

/** The button ⋯ with what else can be done. */
export function MoreMenu({ label, items }: { label: string; items: readonly MenuItem[] }) {
  const { t } = useTranslation();
  return (
    <Menu.Root>
      <Menu.Trigger className={buttonNames('quiet', true)} aria-label={label} title={t('pod.more')}>
        <Icon name="dots" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner side="bottom" align="end" sideOffset={6} className={styles.positioner}>
          <Menu.Popup className={styles.menu}>
            {items.map(({ label: words, keyName, onSelect, isDanger }) => (
              <Menu.Item
                key={words}
                className={`${styles.item} ${isDanger === true ? styles.danger : ''}`}
                onClick={onSelect}
              >
                {words}
                {keyName !== undefined && <Key name={keyName} />}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
