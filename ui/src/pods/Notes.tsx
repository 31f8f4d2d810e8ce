import { useTranslation } from 'react-i18next';

import { useTicking } from '../app/clock';
import { ConnectionNote } from '../app/ConnectionNote';
import { Note, NoteButton } from '../app/Note';
import { useTimes } from '../app/times';
import type { ClusterState, Facets } from '../live/frames';
import type { Connection } from '../live/socket';
import { short } from './age';
import type { PodQuery } from './query';

interface NotesProps {
  readonly connection: Connection;
  readonly clusters: readonly ClusterState[];
  readonly facets: Facets;
  readonly query: PodQuery;
  readonly onQuery: (query: PodQuery) => void;
  readonly onRetry: () => void;
  readonly recovered: number | undefined;
}

/** What one has to know of the list before one trusts it: a lost connection, and clusters that are not current. */
export function Notes({ connection, clusters, facets, query, onQuery, onRetry, recovered }: NotesProps) {
  const { t } = useTranslation();
  const troubled = clusters.filter(({ state }) => state !== 'synced');
  return (
    <>
      <ConnectionNote connection={connection} onRetry={onRetry} />
      {recovered !== undefined && connection.lostAt === undefined && (
        <Note look="plain">{t('note.recovered', { count: recovered })}</Note>
      )}
      {connection.lostAt === undefined && troubled.length > 0 && (
        <ClusterNote
          clusters={troubled}
          facets={facets}
          onLeaveOut={(names) => {
            const left = clusters.map(({ name }) => name).filter((name) => !names.has(name));
            onQuery({ ...query, cluster: left });
          }}
        />
      )}
    </>
  );
}

interface ClusterNoteProps {
  readonly clusters: readonly ClusterState[];
  readonly facets: Facets;
  readonly onLeaveOut: (names: ReadonlySet<string>) => void;
}

/** One note for all clusters that are not current, by the state that matters most. */
function ClusterNote({ clusters, facets, onLeaveOut }: ClusterNoteProps) {
  const { t, i18n } = useTranslation();
  const { clock } = useTimes();
  const [first] = clusters;
  const age = useTicking((now) =>
    first === undefined || first.syncedAt === '' ? '' : short(now - Date.parse(first.syncedAt)),
  );
  if (first === undefined) return null;
  const names = new Set(clusters.map(({ name }) => name));
  const action = (
    <NoteButton
      onClick={() => {
        onLeaveOut(names);
      }}
    >
      {t('note.leaveOut')}
    </NoteButton>
  );
  if (clusters.length > 1) {
    const list = new Intl.ListFormat(i18n.language).format([...names].slice(0, 5));
    return (
      <Note actions={action}>
        <b>{t('note.several', { count: clusters.length })}</b> {list}
        {names.size > 5 && '…'}
      </Note>
    );
  }
  const { name, state, syncedAt, error } = first;
  const said = error !== '' && <code lang="en">{error}</code>;
  if (state === 'syncing') {
    return (
      <Note look="plain">
        <b>{t('note.syncing', { name })}</b> {t('note.syncingThen')} {said}
      </Note>
    );
  }
  if (syncedAt === '') {
    return (
      <Note actions={action}>
        <b>{t('note.failed', { name })}</b> {t('note.failedThen')} {said}
      </Note>
    );
  }
  const pods = facets['cluster']?.find(({ value }) => value === name)?.count ?? 0;
  return (
    <Note actions={action}>
      <b>{t('note.stale', { name })}</b> {t('note.staleSince', { age, count: pods, time: clock(syncedAt) })} {said}
    </Note>
  );
}
