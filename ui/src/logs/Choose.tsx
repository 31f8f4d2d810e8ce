import { Menu } from '@base-ui/react/menu';
import type { ReactNode } from 'react';

import { Button } from '../app/Button';
import { Icon } from '../app/icons';
import styles from './LogTools.module.css';

interface ChooseProps<Value extends string> {
  /** The name of the choice, for a screen reader. */
  readonly name: string;
  readonly icon?: ReactNode;
  readonly value: Value;
  readonly items: readonly { value: Value; label: string }[];
  readonly isMono?: boolean;
  readonly onChange: (value: Value) => void;
}

/** A button with a menu of which one item is chosen. */
export function Choose<Value extends string>({ name, icon, value, items, isMono, onChange }: ChooseProps<Value>) {
  const label = items.find((item) => item.value === value)?.label ?? value;
  const look = isMono === true ? styles.mono : undefined;
  return (
    <Menu.Root>
      <Menu.Trigger render={<Button />} aria-label={`${name}: ${label}`}>
        {icon}
        <span className={look}>{label}</span>
        <Icon name="down" size="small" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner side="bottom" align="start" sideOffset={6} className={styles.positioner}>
          <Menu.Popup className={styles.menu}>
            <Menu.RadioGroup value={value} onValueChange={onChange}>
              {items.map((item) => (
                <Menu.RadioItem
                  key={item.value}
                  value={item.value}
                  className={`${styles.item} ${look ?? ''}`}
                  closeOnClick
                >
                  {item.label}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
