import type { Ref } from 'react';
import { useTranslation } from 'react-i18next';

import { Picker } from './Picker';
import { type PodQuery, writeQuery } from './query';
import styles from './QueryBar.module.css';
import { SearchField } from './SearchField';

interface QueryBarProps {
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery, isTyping: boolean) => void;
  readonly onLeave: () => void;
  readonly searchRef: Ref<HTMLInputElement>;
}

const PICKERS = ['cluster', 'namespace', 'nodeName'] as const;

/** The search field and the lists of what to filter by. */
export function QueryBar({ query, onQuery, onLeave, searchRef }: QueryBarProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.bar}>
      <SearchField ref={searchRef} query={query} onQuery={onQuery} onLeave={onLeave} />
      {PICKERS.map((name) => (
        <Picker
          key={name}
          label={t(`filter.${name}`)}
          facet={name}
          search={countedWithout(query, name)}
          chosen={query[name]}
          onChoose={(chosen) => {
            onQuery({ ...query, [name]: chosen }, false);
          }}
        />
      ))}
    </div>
  );
}

/** Returns the query whose matches are counted by a field: without the field's own filter. */
function countedWithout(query: PodQuery, name: (typeof PICKERS)[number]): URLSearchParams {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(writeQuery({ ...query, [name]: [], sort: '', order: '' }))) {
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, one);
  }
  return search;
}
