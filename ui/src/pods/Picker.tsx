import { Popover } from '@base-ui/react/popover';
import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { call } from '../api/client';
import { Button } from '../app/Button';
import { isComposing } from '../app/composing';
import { Icon } from '../app/icons';
import { useSentence } from '../app/messages';
import styles from './Picker.module.css';

interface Count {
  readonly value: string;
  readonly count: number;
}

/** An answer of a list, as far as its counts go. */
interface Counted {
  readonly facets?: Record<string, Count[]>;
  readonly truncatedFacets?: string[];
}

interface PickerProps {
  readonly label: string;
  /** The query of the list without `page` and `pageSize`, from which values are counted. */
  readonly search: URLSearchParams;
  /** The field whose values are offered. */
  readonly facet: string;
  readonly chosen: readonly string[];
  readonly onChoose: (chosen: string[]) => void;
}

/** The height of a value in the list, in pixels. */
const ROW = 30;

/** A button with a list of a field's values and their counts, of which several may be chosen. */
export function Picker(props: PickerProps) {
  const [isOpen, setOpen] = useState(false);
  const count = props.chosen.length;
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger render={<Button />}>
        {props.label}
        {count > 0 && <span className={styles.count}>{count}</span>}
        <Icon name="down" size="small" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner side="bottom" align="end" sideOffset={6} className={styles.positioner}>
          <Popover.Popup className={styles.popup} aria-label={props.label}>
            {isOpen && (
              <Values
                {...props}
                onClose={() => {
                  setOpen(false);
                }}
              />
            )}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

interface ValuesProps extends PickerProps {
  readonly onClose: () => void;
  /** Whether a value leads on to something else, so that only one is chosen. */
  readonly isStep?: boolean;
}

/** A list of values with their counts, and a field to find them by. */
export function Values({ label, search, facet, chosen, onChoose, onClose, isStep = false }: ValuesProps) {
  const { t, i18n } = useTranslation();
  const sentence = useSentence();
  const id = useId();
  const [text, setText] = useState('');
  const [current, setCurrent] = useState(0);
  const whole = useCounts(search, facet, '', true);
  // With more values than are listed, the server searches among all of them.
  const isCut = whole.data?.truncatedFacets?.includes(facet) === true;
  const searched = useCounts(search, facet, text.trim(), isCut && text.trim() !== '');
  const { data, error, isPending } = isCut && text.trim() !== '' ? searched : whole;
  const values = offered(data?.facets?.[facet] ?? [], chosen, text);
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: values.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  const toggle = (value: string) => {
    onChoose(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  };
  const go = (place: number) => {
    const next = Math.max(0, Math.min(values.length - 1, place));
    setCurrent(next);
    virtualizer.scrollToIndex(next);
  };
  function onKeyDown(event: KeyboardEvent) {
    if (isComposing(event)) return;
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const step = steps[event.key];
    const value = values[current]?.value;
    if (step !== undefined) go(current + step);
    else if (event.key === 'Enter' && value !== undefined) {
      if (event.shiftKey || event.metaKey || event.ctrlKey) toggle(value);
      else {
        toggle(value);
        if (!isStep) onClose();
      }
    } else return;
    event.preventDefault();
  }
  const number = new Intl.NumberFormat(i18n.language);
  return (
    <div className={styles.values}>
      <input
        className={styles.input}
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={values.length > 0 ? `${id}-${current}` : undefined}
        aria-label={t('picker.find', { label })}
        placeholder={t('picker.find', { label })}
        autoComplete="off"
        autoFocus
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setCurrent(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={scroller} className={styles.scroller}>
        <div
          id={id}
          role="listbox"
          aria-label={label}
          aria-multiselectable="true"
          style={{ height: virtualizer.getTotalSize(), position: 'relative' }}
        >
          {virtualizer.getVirtualItems().map(({ index, start }) => {
            const entry = values[index];
            if (entry === undefined) return null;
            const isChosen = chosen.includes(entry.value);
            return (
              <div
                key={entry.value}
                id={`${id}-${index}`}
                role="option"
                aria-selected={isChosen}
                aria-setsize={values.length}
                aria-posinset={index + 1}
                className={`${styles.value} ${index === current ? styles.current : ''}`}
                style={{ transform: `translateY(${start}px)` }}
                onMouseMove={() => {
                  setCurrent(index);
                }}
                onClick={() => {
                  toggle(entry.value);
                }}
              >
                {!isStep && <span className={styles.box}>{isChosen && <Icon name="check" size="small" />}</span>}
                <span className={styles.text}>{entry.value === '' ? t('picker.none') : entry.value}</span>
                {!isStep && (
                  <button
                    type="button"
                    tabIndex={-1}
                    className={styles.only}
                    onClick={(event) => {
                      event.stopPropagation();
                      onChoose([entry.value]);
                      onClose();
                    }}
                  >
                    {t('picker.only')}
                  </button>
                )}
                <span className={styles.number}>{number.format(entry.count)}</span>
              </div>
            );
          })}
        </div>
        {error !== null && <p className={styles.message}>{sentence(error)}</p>}
        {!isPending && error === null && values.length === 0 && <p className={styles.message}>{t('picker.noValue')}</p>}
      </div>
      {data?.truncatedFacets?.includes(facet) === true && <p className={styles.message}>{t('picker.truncated')}</p>}
      {chosen.length > 0 && (
        <div className={styles.foot}>
          <Button
            look="quiet"
            onClick={() => {
              onChoose([]);
            }}
          >
            {t('picker.clear')}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Reads the counts of a field, of the values that contain a text. */
function useCounts(search: URLSearchParams, facet: string, text: string, isEnabled: boolean) {
  const asked = new URLSearchParams(search);
  asked.set('pageSize', '1');
  asked.set('facets', facet);
  if (text !== '') asked.set('facetSearch', text);
  return useQuery({
    queryKey: ['values', asked.toString()],
    queryFn: () => call<Counted>('GET', `/api/pods?${asked.toString()}`),
    staleTime: 5000,
    enabled: isEnabled,
    placeholderData: (last: Counted | undefined) => last,
  });
}

/** Returns the values to offer: those chosen first, even if no pod has them now. */
function offered(counts: readonly Count[], chosen: readonly string[], text: string): Count[] {
  const known = new Map(counts.map((entry) => [entry.value, entry]));
  const first = chosen.map((value) => known.get(value) ?? { value, count: 0 });
  const rest = counts.filter(({ value }) => !chosen.includes(value));
  const wanted = text.trim().toLowerCase();
  return [...first, ...rest].filter(({ value }) => value.toLowerCase().includes(wanted));
}
