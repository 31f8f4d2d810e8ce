import { Dialog } from '@base-ui/react/dialog';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Button } from '../app/Button';
import { Icon } from '../app/icons';
import styles from './LongLine.module.css';
import type { Log } from './useLog';

/** How much is read at a time, in UTF-16 units. */
const STEP = 65_536;

/** The text of a line from its start, as far as it was read. */
function Text({ log, line }: { log: Log; line: number }) {
  const { t } = useTranslation();
  const [parts, setParts] = useState<readonly string[]>([]);
  const [length, setLength] = useState(0);
  const [wanted, setWanted] = useState(1);
  useEffect(() => {
    let isCurrent = true;
    if (parts.length < wanted) {
      void log.client.ask('part', { line, from: parts.length * STEP, length: STEP }).then((part) => {
        if (!isCurrent) return;
        setLength(part.length);
        setParts((before) => [...before, part.text]);
      });
    }
    return () => {
      isCurrent = false;
    };
  }, [log, line, parts, wanted]);
  return (
    <>
      <div className={styles.text} tabIndex={0}>
        {parts.map((part, at) => (
          <div key={at}>{part}</div>
        ))}
      </div>
      {parts.length * STEP < length && (
        <Button
          onClick={() => {
            setWanted((before) => before + 1);
          }}
        >
          {t('log.moreOfLine')}
        </Button>
      )}
    </>
  );
}

/** The whole of a line that is too long for the log, in a pane of its own. */
export function LongLine({ log, line, onClose }: { log: Log; line: number | undefined; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog.Root
      open={line !== undefined}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.scrim} />
        <Dialog.Popup className={styles.pane}>
          <header className={styles.head}>
            <Dialog.Title className={styles.title}>{t('log.wholeLine')}</Dialog.Title>
            <Dialog.Close render={<Button look="quiet" isIcon aria-label={t('log.closeLine')} />}>
              <Icon name="close" />
            </Dialog.Close>
          </header>
          {line !== undefined && <Text log={log} line={line} key={line} />}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
