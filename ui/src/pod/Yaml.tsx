import '@fontsource-variable/jetbrains-mono/wght.css';

import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { callForText } from '../api/client';
import { Button } from '../app/Button';
import { isComposing } from '../app/composing';
import { copyText } from '../app/copyText';
import { saveText } from '../app/saveText';
import { Icon } from '../app/icons';
import { useSentence } from '../app/messages';
import { Note } from '../app/Note';
import { apiPath, type Place } from './place';
import styles from './Yaml.module.css';
import { findIn, firstHit, foldedAtFirst, type Hit, type Line, linesOf, marked, revealing, unfolded } from './yaml';

interface YamlProps {
  readonly place: Place;
  readonly isGone: boolean;
  /** The pod's version, by which the manifest is read anew. */
  readonly version: string;
  readonly onFind: (text: string) => void;
}

/** The pod's manifest, to read: folds, search, and links to lines. */
export function Yaml({ place, isGone, version, onFind }: YamlProps) {
  const { t } = useTranslation();
  const sentence = useSentence();
  const path = apiPath(place);
  const { data, error, refetch } = useQuery({
    queryKey: ['yaml', path, place.uid],
    queryFn: () => callForText(path, 'application/yaml'),
    enabled: !isGone,
  });
  const read = useRef(version);
  useEffect(() => {
    if (read.current === version) return;
    // The first version is that of the manifest that is being read.
    if (read.current !== '') void refetch();
    read.current = version;
  }, [version, refetch]);
  if (data === undefined) return error === null ? null : <Note>{sentence(error)}</Note>;
  return (
    <>
      {error !== null && !isGone && <Note>{sentence(error)}</Note>}
      {isGone && <p className={styles.hint}>{t('yaml.last')}</p>}
      <Manifest manifest={data} place={place} onFind={onFind} />
    </>
  );
}

function Manifest({ manifest, place, onFind }: { manifest: string; place: Place; onFind: (text: string) => void }) {
  const lines = useMemo(() => linesOf(manifest), [manifest]);
  const [folded, setFolded] = useState(() => foldedAtFirst(lines));
  const { find, container } = place;
  const hits = useMemo(() => findIn(lines, find), [lines, find]);
  const [current, setCurrent] = useState(() => firstHit(lines, hits, container));
  const [target, setTarget] = useState(lineOfHash);
  const rows = useRef<HTMLDivElement>(null);
  const { t } = useTranslation();
  const hit = hits[Math.min(current, hits.length - 1)];

  const show = (number: number) => {
    setFolded((before) => revealing(lines, before, number));
    requestAnimationFrame(() => {
      rows.current?.querySelector(`[data-line="${number}"]`)?.scrollIntoView({ block: 'center' });
    });
  };
  useEffect(() => {
    const first = hit?.number ?? target;
    if (first !== undefined) show(first);
    // Only what is looked for moves the view: a new version of the manifest does not.
  }, [hit?.number, find]);
  useEffect(() => {
    const follow = () => {
      const number = lineOfHash();
      setTarget(number);
      if (number !== undefined) show(number);
    };
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('hashchange', follow);
    };
  });

  const move = (step: 1 | -1) => {
    if (hits.length > 0) setCurrent((before) => (Math.min(before, hits.length - 1) + step + hits.length) % hits.length);
  };
  const shown = useMemo(() => unfolded(lines, folded), [lines, folded]);
  return (
    <div className={styles.yaml}>
      <Tools
        find={find}
        count={hits.length}
        current={hit === undefined ? 0 : hits.indexOf(hit) + 1}
        onFind={(text) => {
          setCurrent(0);
          onFind(text);
        }}
        onMove={move}
        manifest={manifest}
        name={place.name}
      />
      <div ref={rows} className={styles.rows} role="region" tabIndex={0} aria-label={t('pod.yaml')}>
        {shown.map((line) => (
          <Row
            key={line.number}
            line={line}
            isFolded={folded.has(line.number)}
            isTarget={line.number === target}
            hits={hits}
            current={hit}
            onFold={(number) => {
              setFolded((before) => {
                const next = new Set(before);
                if (!next.delete(number)) next.add(number);
                return next;
              });
            }}
            onTarget={(number) => {
              // The address leads here for whoever gets it, and back stays where it was.
              history.replaceState(history.state, '', `#L${number}`);
              setTarget(number);
            }}
          />
        ))}
      </div>
      <Lines count={lines.length} />
    </div>
  );
}

/** How many lines there are. */
function Lines({ count }: { count: number }) {
  const { t, i18n } = useTranslation();
  return <p className={styles.hint}>{t('yaml.lines', { count, number: count.toLocaleString(i18n.language) })}</p>;
}

interface ToolsProps {
  readonly find: string;
  readonly count: number;
  /** The number of the current hit, from 1; 0 for none. */
  readonly current: number;
  readonly onFind: (text: string) => void;
  readonly onMove: (step: 1 | -1) => void;
  readonly manifest: string;
  readonly name: string;
}

function Tools({ find, count, current, onFind, onMove, manifest, name }: ToolsProps) {
  const { t } = useTranslation();
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Enter') onMove(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape' && find !== '') onFind('');
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className={styles.tools} role="search">
      <label className={styles.field}>
        <Icon name="search" size="small" />
        <input
          data-find
          type="text"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-label={t('yaml.find')}
          placeholder={t('yaml.find')}
          value={find}
          onChange={(event) => {
            onFind(event.target.value);
          }}
          onKeyDown={onKeyDown}
        />
        <span className={styles.count} role="status">
          {find === '' ? '' : count === 0 ? t('yaml.none') : t('yaml.hitOf', { current, count })}
        </span>
      </label>
      <Button
        look="quiet"
        isIcon
        aria-label={t('yaml.previous')}
        title={t('yaml.previous')}
        onClick={() => {
          onMove(-1);
        }}
      >
        <Icon name="up" />
      </Button>
      <Button
        look="quiet"
        isIcon
        aria-label={t('yaml.next')}
        title={t('yaml.next')}
        onClick={() => {
          onMove(1);
        }}
      >
        <Icon name="down" />
      </Button>
      <span className={styles.line} />
      <Button look="quiet" onClick={() => void copyText(manifest)}>
        <Icon name="copy" />
        {t('yaml.copy')}
      </Button>
      <Button
        look="quiet"
        isIcon
        aria-label={t('yaml.download')}
        title={t('yaml.download')}
        onClick={() => {
          saveText(`${name}.yaml`, 'application/yaml', manifest);
        }}
      >
        <Icon name="download" />
      </Button>
    </div>
  );
}

interface RowProps {
  readonly line: Line;
  readonly isFolded: boolean;
  readonly isTarget: boolean;
  readonly hits: readonly Hit[];
  readonly current: Hit | undefined;
  readonly onFold: (number: number) => void;
  readonly onTarget: (number: number) => void;
}

const Row = memo(function Row({ line, isFolded, isTarget, hits, current, onFold, onTarget }: RowProps) {
  const { t } = useTranslation();
  const { number, folds } = line;
  const isCurrent = current !== undefined && number === current.number;
  return (
    <div data-line={number} className={`${styles.row} ${isTarget || isCurrent ? styles.target : ''}`}>
      <button
        type="button"
        className={styles.place}
        tabIndex={-1}
        aria-label={t('yaml.linkTo', { number })}
        onClick={() => {
          onTarget(number);
        }}
      >
        {number}
      </button>
      {folds > 0 ? (
        <button
          type="button"
          className={styles.fold}
          aria-expanded={!isFolded}
          aria-label={t(isFolded ? 'yaml.unfold' : 'yaml.fold', { number })}
          onClick={() => {
            onFold(number);
          }}
        >
          <Icon name={isFolded ? 'right' : 'down'} size="small" />
        </button>
      ) : (
        <span className={styles.fold} />
      )}
      <span className={styles.text}>
        {marked(line, hits).map((part, place) =>
          part.hit === undefined ? (
            <span key={place} className={styles[part.look]}>
              {part.text}
            </span>
          ) : (
            <mark key={place} className={part.hit === current ? styles.now : styles.hit}>
              {part.text}
            </mark>
          ),
        )}
        {isFolded && (
          <button
            type="button"
            className={styles.more}
            onClick={() => {
              onFold(number);
            }}
          >
            {t('yaml.folded', { count: folds })}
          </button>
        )}
      </span>
    </div>
  );
});

/** Returns the line that the address leads to, as in `#L40`. */
function lineOfHash(): number | undefined {
  const number = /^#L(\d+)$/.exec(location.hash)?.[1];
  return number === undefined ? undefined : Number(number);
}
