import { useTranslation } from 'react-i18next';

import type { Connection } from '../live/socket';
import { useTicking } from './clock';
import { Note, NoteButton } from './Note';
import { useTimes } from './times';

/** Says that what is shown is not live: since when, and when the next try follows. */
export function ConnectionNote({ connection, onRetry }: { connection: Connection; onRetry: () => void }) {
  const { t } = useTranslation();
  const { clock } = useTimes();
  const { phase, lostAt, retryAt } = connection;
  const seconds = useTicking(() => (retryAt === undefined ? 0 : Math.max(1, Math.ceil((retryAt - Date.now()) / 1000))));
  if (lostAt === undefined) return null;
  if (phase === 'blocked') {
    return <Note actions={<NoteButton onClick={onRetry}>{t('note.readAgain')}</NoteButton>}>{t('note.blocked')}</Note>;
  }
  return (
    <Note actions={phase === 'waiting' && <NoteButton onClick={onRetry}>{t('note.now')}</NoteButton>}>
      <b>{t('note.notConnected', { time: clock(lostAt) })}</b> {t('note.fromThen')}{' '}
      {/* A screen reader would read each second of it. */}
      {phase === 'waiting' && <span aria-hidden="true">{t('note.tryingIn', { seconds })}</span>}
      {phase === 'connecting' && t('note.trying')}
    </Note>
  );
}
