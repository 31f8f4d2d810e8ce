import { Popover } from '@base-ui/react/popover';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useRouterState } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { LONGEST, renamed, type View, withoutView, withView } from '../account/preferences';
import { me } from '../account/session';
import { preferences, usePreferences } from '../account/usePreferences';
import { EVERYTHING, readQuery, writeQuery } from '../pods/query';
import { Button } from './Button';
import { useTicking } from './clock';
import { Icon, type IconName } from './icons';
import { useNotWell } from './live';
import { useSentence } from './messages';
import { parseSearch, stringifySearch } from './search';
import styles from './Sidebar.module.css';
import own from './Views.module.css';

const HOUR = 3_600_000;
/** People who ask within so many milliseconds share one live query. */
const SHARED = 300_000;

/** The views: what is not well, what has restarted, and one's own. */
export function Views() {
  const { t } = useTranslation();
  const notWell = useNotWell();
  const user = useQueryClient().getQueryData(me.queryKey);
  const kept = usePreferences(user?.username ?? '');
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const search = useRouterState({ select: ({ location }) => location.searchStr });
  // Two addresses are one view if the list reads the same in them.
  const here = path.endsWith('/pods') ? normal(search) : undefined;
  const since = useTicking((now) => new Date(Math.floor((now - HOUR) / SHARED) * SHARED).toISOString());
  const restarted = { ...EVERYTHING, restartedSince: since, sort: 'lastRestartAt' } as const;
  const isRestarted = here !== undefined && readQuery(parseSearch(search)).restartedSince !== '';
  return (
    <>
      <h2 className={styles.title}>
        {t('nav.views')}
        {here !== undefined && here !== '' && <SaveView query={here} views={kept?.views ?? []} />}
      </h2>
      <ul className={styles.list}>
        <ViewEntry to="/" icon="filter" isCurrent={path === '/' || path === ''} count={notWell}>
          {t('view.notWell')}
        </ViewEntry>
        <ViewEntry to="/pods" search={writeQuery(restarted)} icon="again" isCurrent={isRestarted}>
          {t('view.restarted')}
        </ViewEntry>
        {kept?.views?.map((view) => (
          <ViewEntry
            key={view.name}
            to="/pods"
            search={writeQuery(readQuery(parseSearch(view.query)))}
            icon="star"
            isCurrent={here === normal(view.query)}
            tools={<EditView view={view} />}
          >
            {view.name}
          </ViewEntry>
        ))}
      </ul>
    </>
  );
}

/** Writes the query of an address anew, without an open pod. */
function normal(search: string): string {
  return stringifySearch(writeQuery(readQuery(parseSearch(search)))).replace(/^\?/, '');
}

interface ViewEntryProps {
  readonly to: '/' | '/pods';
  readonly search?: Record<string, string | string[]>;
  readonly icon: IconName;
  readonly isCurrent: boolean;
  readonly count?: number | undefined;
  readonly tools?: ReactNode;
  readonly children: string;
}

function ViewEntry({ to, search, icon, isCurrent, count, tools, children }: ViewEntryProps) {
  const { i18n } = useTranslation();
  return (
    <li className={own.view}>
      <Link
        to={to}
        search={search ?? {}}
        className={styles.entry}
        aria-current={isCurrent ? 'page' : undefined}
        title={children}
      >
        <Icon name={icon} />
        <span className={styles.word}>{children}</span>
        {count !== undefined && count > 0 && (
          <span className={styles.badCount}>{new Intl.NumberFormat(i18n.language).format(count)}</span>
        )}
      </Link>
      {tools}
    </li>
  );
}

/** The button that keeps the list that is shown under a name. */
function SaveView({ query, views }: { query: string; views: readonly View[] }) {
  const { t } = useTranslation();
  return (
    <NameForm
      label={t('view.save')}
      icon="plus"
      className={styles.add}
      first=""
      hint={(name) => (views.some((view) => view.name === name) ? t('view.replaces', { name }) : '')}
      onName={(name) => preferences.change((before) => withView(before, { name, query }))}
    />
  );
}

/** The button that renames or removes a view. */
function EditView({ view: { name } }: { view: View }) {
  const { t } = useTranslation();
  return (
    <NameForm
      label={t('view.change', { name })}
      icon="dots"
      className={own.edit}
      first={name}
      hint={() => ''}
      onName={(next) => preferences.change((before) => renamed(before, name, next))}
      onRemove={() => preferences.change((before) => withoutView(before, name))}
    />
  );
}

interface NameFormProps {
  readonly label: string;
  readonly icon: IconName;
  readonly className: string | undefined;
  /** The name that it begins with. */
  readonly first: string;
  readonly hint: (name: string) => string;
  readonly onName: (name: string) => Promise<void>;
  readonly onRemove?: () => Promise<void>;
}

/** A button with a small form for a name. */
function NameForm({ label, icon, className, first, hint, onName, onRemove }: NameFormProps) {
  const { t } = useTranslation();
  const sentence = useSentence();
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState(first);
  const [refusal, setRefusal] = useState('');
  const end = async (change: Promise<void>) => {
    try {
      await change;
      setOpen(false);
    } catch (error) {
      setRefusal(sentence(error));
    }
  };
  const trimmed = name.trim();
  return (
    <Popover.Root
      open={isOpen}
      onOpenChange={(next) => {
        setOpen(next);
        setName(first);
        setRefusal('');
      }}
    >
      <Popover.Trigger className={className} aria-label={label} title={label}>
        <Icon name={icon} size="small" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner side="right" align="start" sideOffset={8} className={own.positioner}>
          <Popover.Popup className={own.popup} aria-label={label}>
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (trimmed !== '') void end(onName(trimmed));
              }}
            >
              <label className={own.field}>
                {t('view.name')}
                <input
                  type="text"
                  autoComplete="off"
                  maxLength={LONGEST}
                  value={name}
                  onChange={(event) => {
                    setName(event.target.value);
                  }}
                />
              </label>
              <p className={own.hint} role="status">
                {refusal === '' ? hint(trimmed) : refusal}
              </p>
              <div className={own.foot}>
                {onRemove !== undefined && (
                  <Button
                    look="danger"
                    onClick={() => {
                      void end(onRemove());
                    }}
                  >
                    {t('view.remove')}
                  </Button>
                )}
                <Button type="submit" look="primary" aria-disabled={trimmed === ''}>
                  {onRemove === undefined ? t('view.save') : t('view.rename')}
                </Button>
              </div>
            </form>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
