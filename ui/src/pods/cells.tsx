import { useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { useTicking } from '../app/clock';
import { useTimes } from '../app/times';
import { ago, short } from './age';
import styles from './cells.module.css';
import { type Pod, splitName } from './pod';

/** A pod's name with its generated part dimmed. */
export function NameCell({ pod }: { pod: Pick<Pod, 'name' | 'owner'> }) {
  const { workload, suffix } = splitName(pod);
  return (
    <span className={styles.name} title={pod.name}>
      {workload}
      {suffix !== '' && <span className={styles.suffix}>{suffix}</span>}
    </span>
  );
}

/** How many containers are ready. */
export function ReadyCell({ pod }: { pod: Pod }) {
  const isOver = pod.status === 'Completed' || pod.status === 'Succeeded';
  const isShort = pod.ready < pod.readyTotal && !isOver;
  const text = `${pod.ready}/${pod.readyTotal}`;
  return <Flash value={text} className={isOver ? styles.dim : isShort ? styles.short : styles.mid} />;
}

/** How often containers have restarted, and when the last time was. */
export function RestartsCell({ pod: { restarts, lastRestartAt } }: { pod: Pod }) {
  const { i18n } = useTranslation();
  const { exact } = useTimes();
  const when = useTicking((now) => (lastRestartAt === '' ? '' : ago(now - Date.parse(lastRestartAt), i18n.language)));
  if (restarts === 0) return <span className={styles.dim}>0</span>;
  return (
    <span title={lastRestartAt === '' ? undefined : exact(lastRestartAt)}>
      <Flash value={String(restarts)} className={styles.strong} /> <span className={styles.dim}>{when}</span>
    </span>
  );
}

/** How long ago the pod was created. */
export function AgeCell({ pod: { createdAt } }: { pod: Pod }) {
  const { exact } = useTimes();
  const age = useTicking((now) => (createdAt === '' ? '' : short(now - Date.parse(createdAt))));
  return (
    <span className={styles.mid} title={createdAt === '' ? undefined : exact(createdAt)}>
      {age}
    </span>
  );
}

/** A plain text. */
export function TextCell({ text }: { text: string }) {
  return (
    <span className={styles.mid} title={text}>
      {text}
    </span>
  );
}

/** A text whose background lights up when it changes while it is shown. */
export function Flash({ value, className }: { value: string; className?: string | undefined }) {
  const last = useRef({ value, changes: 0 });
  if (last.current.value !== value) last.current = { value, changes: last.current.changes + 1 };
  const { changes } = last.current;
  // Two animations that look alike take turns, because a browser does not start one anew.
  const flash = changes === 0 ? '' : changes % 2 === 0 ? styles.flashEven : styles.flashOdd;
  return <span className={`${className ?? ''} ${flash}`}>{value}</span>;
}
