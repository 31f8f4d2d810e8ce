import { memo } from 'react';

import type { Span } from '../lines/render';
import styles from './LogLines.module.css';
import { styleOf } from './looks';

const LEVEL_STYLES = [undefined, styles.quiet, styles.quiet, styles.quiet, styles.warn, styles.bad, styles.bad];

/** The text of a row. What is plain is text alone, so that most rows are one node. */
export const RowText = memo(function RowText({ spans, level }: { spans: readonly Span[]; level: number }) {
  return (
    <span className={styles.text} data-text>
      {spans.map(({ text, look, hit }, at) => {
        const role = look.role === 'key' ? styles.key : look.role === 'level' ? LEVEL_STYLES[level] : undefined;
        const style = styleOf(look);
        const piece =
          role === undefined && style === undefined ? (
            text
          ) : (
            <span className={role} style={style} key={at}>
              {text}
            </span>
          );
        if (hit === 0) return piece;
        return (
          <mark className={hit === 2 ? styles.now : styles.hit} key={at}>
            {piece}
          </mark>
        );
      })}
    </span>
  );
});
