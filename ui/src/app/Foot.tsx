import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import styles from './Foot.module.css';
import { Key } from './Key';
import { setZone, useTimes } from './times';

/** The keys that are used most in a part of the page, as they are drawn, with the words for them. */
const HINTS = {
  list: [
    [['j', 'k'], 'keys.move'],
    [['↵'], 'keys.open'],
    [['l'], 'keys.log'],
    [['x'], 'keys.pick'],
    [['c'], 'keys.copy'],
    [['/'], 'keys.search'],
  ],
  pod: [
    [['j', 'k'], 'keys.walk'],
    [['l'], 'keys.log'],
    [['p'], 'keys.lastLog'],
    [['y'], 'keys.yaml'],
    [['⌃D'], 'keys.delete'],
    [['esc'], 'keys.close'],
  ],
  clusters: [
    [['g', 'p'], 'keys.goPods'],
    [['g', 'w'], 'keys.goNotWell'],
  ],
} as const;

/** The line under a page: the keys on the left, facts and the time zone on the right. */
export function Foot({ region, children }: { region: keyof typeof HINTS; children: ReactNode }) {
  const { t } = useTranslation();
  const { zone } = useTimes();
  return (
    <footer className={styles.foot}>
      {HINTS[region].map(([keys, words]) => (
        <span key={words} className={styles.hint}>
          {keys.map((key) => (
            <Key key={key} name={key} />
          ))}
          {t(words)}
        </span>
      ))}
      <span className={styles.end}>
        {children}
        <button
          type="button"
          className={styles.zone}
          onClick={() => {
            setZone(zone === 'utc' ? 'local' : 'utc');
          }}
        >
          {zone === 'utc' ? t('foot.utc') : t('foot.local')}
        </button>
      </span>
    </footer>
  );
}
