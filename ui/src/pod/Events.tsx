import { useTranslation } from 'react-i18next';

import type { components } from '../api/schema';
import { useTicking } from '../app/clock';
import { StateMark } from '../app/icons';
import { useSentence } from '../app/messages';
import { Note } from '../app/Note';
import { useTimes } from '../app/times';
import { ago } from '../pods/age';
import styles from './Events.module.css';

type PodEvent = components['schemas']['PodEvent'];

interface EventsProps {
  readonly events: readonly PodEvent[] | undefined;
  readonly error: Error | null;
  readonly asOf: string;
}

/** The pod's events, newest first. */
export function Events({ events, error, asOf }: EventsProps) {
  const { t } = useTranslation();
  const sentence = useSentence();
  return (
    <div className={styles.page}>
      {error !== null && <Note>{sentence(error)}</Note>}
      {events?.length === 0 && <p className={styles.hint}>{t('pod.noEvents')}</p>}
      {events !== undefined && events.length > 0 && <EventList events={events} />}
      <p className={styles.hint}>
        {asOf} {t('pod.eventsHint')}
      </p>
    </div>
  );
}

/** A list of events. What the cluster says of them stays as it is. */
export function EventList({ events }: { events: readonly PodEvent[] }) {
  return (
    <ul className={styles.list}>
      {events.map((event) => (
        <EventRow key={`${event.reason} ${event.firstSeen} ${event.message}`} event={event} />
      ))}
    </ul>
  );
}

function EventRow({ event }: { event: PodEvent }) {
  const { t, i18n } = useTranslation();
  const { exact } = useTimes();
  const { reason, message, lastSeen, count, type, source, container } = event;
  const when = useTicking((now) => (lastSeen === '' ? '' : ago(now - Date.parse(lastSeen), i18n.language)));
  const isWarning = type === 'Warning';
  return (
    <li className={styles.event}>
      <StateMark shape={isWarning ? 'warn' : 'ok'} isPlain={!isWarning} />
      <span className={isWarning ? styles.warning : undefined} lang="en">
        {reason}
      </span>
      <span className={styles.message} lang="en">
        {message}
      </span>
      <span className={styles.when} title={lastSeen === '' ? undefined : exact(lastSeen)}>
        {count > 1 && `${t('pod.times', { count })} `}
        {when}
      </span>
      <span className={styles.source} lang="en">
        {[container, source].filter((word) => word !== '').join(' · ')}
      </span>
    </li>
  );
}
