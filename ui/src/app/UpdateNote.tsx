import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { Note, NoteButton } from './Note';
import { release } from './release';

/** Offers a reload when the server has another page than this one. */
export function UpdateNote() {
  const { t } = useTranslation();
  const isOutdated = useSyncExternalStore(release.subscribe, release.isOutdated);
  if (!isOutdated) return null;
  return (
    <Note
      look="plain"
      actions={
        <NoteButton
          onClick={() => {
            location.reload();
          }}
        >
          {t('note.reload')}
        </NoteButton>
      }
    >
      <b>{t('note.updated')}</b>
    </Note>
  );
}
