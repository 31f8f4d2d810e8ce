import type { Ref } from 'react';
import { useTranslation } from 'react-i18next';

import { LabelPicker } from './LabelPicker';
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
          search={counted(query)}
          chosen={query[name]}
          onChoose={(chosen) => {
            onQuery({ ...query, [name]: chosen }, false);
          }}
        />
      ))}
      <LabelPicker
        search={counted(query)}
        selector={query.labelSelector}
        onSelect={(labelSelector) => {
          onQuery({ ...query, labelSelector }, false);
        }}
      />
    </div>
  );
}

/** Returns the query whose matches are counted: each value beside the filters of its own field. */
function counted(query: PodQuery): URLSearchParams {
  const search = new URLSearchParams({ facetMode: 'others' });
  for (const [key, value] of Object.entries(writeQuery({ ...query, sort: '', order: '' }))) {
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, one);
  }
  return search;
}
