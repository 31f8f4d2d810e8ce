import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Button, buttonNames } from '../app/Button';
import { Icon, type IconName } from '../app/icons';
import { Key } from '../app/Key';
import { Choose } from './Choose';
import { ALL, type LogChoice, type Since, SINCES } from './choice';
import styles from './LogTools.module.css';
import type { LineOptions } from './useLayout';

interface LogToolsProps {
  readonly containers: readonly string[];
  readonly choice: LogChoice;
  readonly onChoice: (choice: LogChoice) => void;
  readonly options: LineOptions;
  readonly onOptions: (options: LineOptions) => void;
  readonly isFinding: boolean;
  readonly onFind: () => void;
  /** Where the whole log can be downloaded; `undefined` for all containers at once. */
  readonly download: string | undefined;
}

/** A button that is on or off. */
function Toggle(props: { icon: IconName; name: string; shortcut: string; isOn: boolean; onToggle: () => void }) {
  const { icon, name, shortcut, isOn, onToggle } = props;
  return (
    <Button
      isIcon
      className={isOn ? styles.on : ''}
      aria-pressed={isOn}
      aria-label={name}
      aria-keyshortcuts={shortcut}
      title={name}
      onClick={onToggle}
    >
      <Icon name={icon} />
    </Button>
  );
}

/** The two runs of a container, of which one is read. */
function Runs({ isPrevious, onChange }: { isPrevious: boolean; onChange: (isPrevious: boolean) => void }) {
  const { t } = useTranslation();
  const run = (isThis: boolean, words: ReactNode) => (
    <Button
      className={isThis === isPrevious ? styles.on : ''}
      aria-pressed={isThis === isPrevious}
      onClick={() => {
        onChange(isThis);
      }}
    >
      {words}
    </Button>
  );
  return (
    <span className={styles.runs} role="group" aria-label={t('log.runs')}>
      {run(false, t('log.now'))}
      {run(
        true,
        <>
          {t('log.lastRun')} <Key name="p" />
        </>,
      )}
    </span>
  );
}

/** The tools over the lines: what is read, and how it is shown. */
export function LogTools(props: LogToolsProps) {
  const { containers, choice, onChoice, options, onOptions, isFinding, onFind, download } = props;
  const { t } = useTranslation();
  const words: Record<Since, string> = {
    newest: t('log.newest'),
    start: t('log.fromStart'),
    '1': t('log.minutes', { count: 1 }),
    '5': t('log.minutes', { count: 5 }),
    '15': t('log.minutes', { count: 15 }),
    '30': t('log.minutes', { count: 30 }),
    '60': t('log.minutes', { count: 60 }),
  };
  const names = containers.map((value) => ({ value, label: value }));
  const all = containers.length > 1 ? [{ value: ALL, label: t('log.allContainers') }] : [];
  return (
    <div className={styles.tools}>
      <Choose
        name={t('log.container')}
        isMono
        value={choice.container}
        items={[...names, ...all]}
        onChange={(container) => {
          onChoice({ ...choice, container });
        }}
      />
      <Runs
        isPrevious={choice.isPrevious}
        onChange={(isPrevious) => {
          onChoice({ ...choice, isPrevious });
        }}
      />
      <Choose<Since>
        name={t('log.since')}
        icon={<Icon name="clock" />}
        value={choice.since}
        items={SINCES.map((value) => ({ value, label: words[value] }))}
        onChange={(since) => {
          onChoice({ ...choice, since });
        }}
      />
      <span className={styles.grow} />
      <Toggle icon="search" name={t('log.find')} shortcut="/" isOn={isFinding} onToggle={onFind} />
      <Toggle
        icon="clock"
        name={t('log.times')}
        shortcut="t"
        isOn={options.hasTimes}
        onToggle={() => {
          onOptions({ ...options, hasTimes: !options.hasTimes });
        }}
      />
      <Toggle
        icon="wrap"
        name={t('log.wrap')}
        shortcut="w"
        isOn={options.wrap}
        onToggle={() => {
          onOptions({ ...options, wrap: !options.wrap });
        }}
      />
      <Toggle
        icon="braces"
        name={t('log.structured')}
        shortcut="r"
        isOn={options.structured}
        onToggle={() => {
          onOptions({ ...options, structured: !options.structured });
        }}
      />
      {download === undefined ? (
        <Button
          isIcon
          aria-disabled
          title={t('log.downloadOne')}
          aria-label={`${t('log.download')}: ${t('log.downloadOne')}`}
        >
          <Icon name="download" />
        </Button>
      ) : (
        <a
          className={buttonNames('plain', true)}
          href={download}
          download
          title={t('log.download')}
          aria-label={t('log.download')}
        >
          <Icon name="download" />
        </a>
      )}
    </div>
  );
}
