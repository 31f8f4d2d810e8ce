import { useEffect, useState } from 'react';

import type { Drawn } from '../lines/viewport';
import styles from './LogLines.module.css';
import type { Log } from './useLog';

/** The time between two looks at the strip, in milliseconds. */
const PACE = 1_000;
/** Parts of the strip. */
const PARTS = 200;

/** Where hits and errors are, beside the scroll bar. It is shown while something is sought. */
export function HitStrip({ log, drawn }: { log: Log; drawn: Drawn }) {
  const [strip, setStrip] = useState<Uint8Array>();
  const isFinding = (drawn.status?.find?.count ?? 0) > 0;
  useEffect(() => {
    if (!isFinding) return undefined;
    let isCurrent = true;
    const ask = () =>
      void log.client.ask('strip', { parts: PARTS }).then((parts) => {
        if (isCurrent) setStrip(parts);
      });
    ask();
    const timer = setInterval(ask, PACE);
    return () => {
      isCurrent = false;
      clearInterval(timer);
      setStrip(undefined);
    };
  }, [log, isFinding]);
  if (strip === undefined) return null;
  return (
    <svg className={styles.strip} viewBox={`0 0 6 ${PARTS}`} preserveAspectRatio="none" aria-hidden="true">
      {[...strip].map((bits, at) =>
        bits === 0 ? null : (
          <rect
            key={at}
            className={(bits & 1) === 0 ? styles.stripError : styles.stripHit}
            x={(bits & 1) === 0 ? 4 : 0}
            y={at}
            width={(bits & 1) === 0 ? 2 : 6}
            height={0.6}
          />
        ),
      )}
    </svg>
  );
}
