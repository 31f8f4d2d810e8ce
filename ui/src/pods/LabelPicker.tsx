import { Popover } from '@base-ui/react/popover';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { Icon } from '../app/icons';
import { choiceOf, withChoice } from './labels';
import { Values } from './Picker';
import styles from './Picker.module.css';
import { requirements } from './searchText';

interface LabelPickerProps {
  readonly search: URLSearchParams;
  readonly selector: string;
  readonly onSelect: (selector: string) => void;
}

/** A button with the keys of labels, and then the values of one. */
export function LabelPicker({ search, selector, onSelect }: LabelPickerProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const [key, setKey] = useState<string>();
  const count = requirements(selector).length;
  const close = () => {
    setOpen(false);
    setKey(undefined);
  };
  return (
    <Popover.Root
      open={isOpen}
      onOpenChange={(open) => {
        if (open) setOpen(true);
        else close();
      }}
    >
      <Popover.Trigger render={<Button />}>
        {t('filter.labelSelector')}
        {count > 0 && <span className={styles.count}>{count}</span>}
        <Icon name="down" size="small" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner side="bottom" align="end" sideOffset={6} className={styles.positioner}>
          <Popover.Popup className={styles.popup} aria-label={t('filter.labelSelector')}>
            {isOpen && key === undefined && (
              <Values
                key="keys"
                isStep
                label={t('filter.labelSelector')}
                search={search}
                facet="label"
                chosen={[]}
                onChoose={([chosen]) => {
                  setKey(chosen);
                }}
                onClose={close}
              />
            )}
            {isOpen && key !== undefined && (
              <>
                <button
                  type="button"
                  className={styles.back}
                  onClick={() => {
                    setKey(undefined);
                  }}
                >
                  <Icon name="left" size="small" />
                  {t('picker.back')}
                </button>
                <Values
                  key={key}
                  label={key}
                  search={search}
                  facet={`label:${key}`}
                  chosen={choiceOf(selector, key)}
                  onChoose={(chosen) => {
                    onSelect(withChoice(selector, key, chosen));
                  }}
                  onClose={close}
                />
              </>
            )}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
