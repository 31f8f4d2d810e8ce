import { type KeyboardEvent, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { isComposing } from '../app/composing';
import { Icon } from '../app/icons';
import { Key } from '../app/Key';
import type { PodQuery } from './query';
import styles from './SearchField.module.css';
import { chipsOf, searchWords, takeWords, textOf, withoutChip, type Chip } from './searchText';

interface SearchFieldProps {
  readonly query: PodQuery;
  /** Takes a new query. Typing replaces the URL; a chip that comes or goes makes a place to come back to. */
  readonly onQuery: (query: PodQuery, isTyping: boolean) => void;
  /** The field is left for the list. */
  readonly onLeave: () => void;
  readonly ref?: Ref<HTMLInputElement>;
}

/** The one field for words to search for and for filters, which become chips. */
export function SearchField({ query, onQuery, onLeave, ref }: SearchFieldProps) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  useImperativeHandle(ref, () => input.current as unknown as HTMLInputElement, []);
  const inUrl = query.search.join(' ');
  const [text, setText] = useState(inUrl);
  const isInMethod = useRef(false);
  useEffect(() => {
    // The URL has changed by other means than this field: the words follow it.
    setText((typed) => (searchWords(typed).join(' ') === inUrl ? typed : inUrl));
  }, [inUrl]);

  const take = (typed: string, isDone: boolean) => {
    const { query: next, text: left } = takeWords(query, typed, isDone);
    setText(left);
    onQuery({ ...next, search: searchWords(left) }, next === query);
  };
  const chips = chipsOf(query);
  const remove = (chip: Chip) => {
    onQuery(withoutChip(query, chip), false);
    input.current?.focus();
  };

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    if (isComposing(event)) return;
    const { currentTarget: field } = event;
    const last = chips.at(-1);
    if (event.key === 'Backspace' && field.selectionStart === 0 && field.selectionEnd === 0 && last !== undefined) {
      event.preventDefault();
      const turned = textOf(last);
      const left = [turned, text].filter((part) => part !== '').join(' ');
      setText(left);
      onQuery({ ...withoutChip(query, last), search: searchWords(text) }, false);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      take(text, true);
      onLeave();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      if (text === '') onLeave();
      else take('', false);
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      onLeave();
    }
  }

  return (
    <div className={styles.field} role="search">
      <Icon name="search" size="medium" />
      {chips.length > 0 && (
        <ul className={styles.chips} aria-label={t('list.filters')}>
          {chips.map((chip) => (
            <li key={`${chip.name}=${chip.value}`} className={styles.chip}>
              <span className={styles.operator}>{t(`filter.${chip.name}`)}</span> <b>{chip.value}</b>
              <button
                type="button"
                aria-label={t('list.removeFilter', { filter: `${t(`filter.${chip.name}`)} ${chip.value}` })}
                onClick={() => {
                  remove(chip);
                }}
              >
                <Icon name="close" size="small" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <input
        ref={input}
        className={styles.input}
        type="text"
        enterKeyHint="search"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-label={t('list.search')}
        placeholder={chips.length > 0 ? t('list.searchMore') : t('list.searchHint')}
        value={text}
        onCompositionStart={() => (isInMethod.current = true)}
        onCompositionEnd={(event) => {
          isInMethod.current = false;
          take(event.currentTarget.value, false);
        }}
        onChange={(event) => {
          if (isInMethod.current) setText(event.target.value);
          else take(event.target.value, false);
        }}
        onKeyDown={onKeyDown}
      />
      {text !== '' && (
        <button
          type="button"
          className={styles.clear}
          aria-label={t('list.clearSearch')}
          onClick={() => {
            take('', false);
            input.current?.focus();
          }}
        >
          <Icon name="close" size="small" />
        </button>
      )}
      <Key name="/" />
    </div>
  );
}
