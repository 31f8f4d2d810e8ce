import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { Key } from '../app/Key';
import styles from './PodTabs.module.css';
import { type Tab, TABS } from './place';

/** The keys of the tabs, as they are drawn. */
const TAB_KEYS: Record<Tab, string> = { overview: 'd', logs: 'l', events: 'e', yaml: 'y' };

interface PodTabsProps {
  readonly tab: Tab;
  readonly onTab: (tab: Tab) => void;
  /** The number of events, once it is known. */
  readonly events: number | undefined;
}

/** The tabs of a pod. */
export function PodTabs({ tab: current, onTab, events }: PodTabsProps) {
  const { t } = useTranslation();
  const row = useRef<HTMLDivElement>(null);
  const step = (by: number) => {
    const next = TABS[(TABS.indexOf(current) + by + TABS.length) % TABS.length];
    if (next === undefined) return;
    onTab(next);
    row.current?.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <div
      ref={row}
      className={styles.tabs}
      role="tablist"
      onKeyDown={(event) => {
        if (event.key === 'ArrowRight') step(1);
        else if (event.key === 'ArrowLeft') step(-1);
      }}
    >
      {TABS.map((tab) => (
        <button
          key={tab}
          type="button"
          role="tab"
          data-tab={tab}
          aria-selected={tab === current}
          aria-keyshortcuts={TAB_KEYS[tab]}
          tabIndex={tab === current ? 0 : -1}
          className={styles.tab}
          onClick={() => {
            onTab(tab);
          }}
        >
          {t(`pod.${tab}`)}
          {tab === 'events' && events !== undefined && events > 0 && <span className={styles.number}>{events}</span>}
          <Key name={TAB_KEYS[tab]} />
        </button>
      ))}
    </div>
  );
}
