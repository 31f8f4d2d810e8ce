import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import styles from './cells.module.css';
import type { Pod } from './pod';
import { type Part, whyParts } from './why';

/** Why a pod is not well, in one line; the server's whole sentence is in the tooltip. */
export function WhyCell({ pod }: { pod: Pod }) {
  if (pod.reason === '') return null;
  return (
    <span className={styles.why} title={pod.reason}>
      <Why pod={pod} />
    </span>
  );
}

/** Why a pod is not well, without what other columns say. What a cluster said stays as it is. */
export function Why({ pod }: { pod: Pick<Pod, 'reason' | 'reasonCode' | 'reasonArgs'> }) {
  const { t } = useTranslation();
  const parts = whyParts(pod, t);
  if (parts === undefined) return <span lang="en">{pod.reason}</span>;
  return parts.map((part, place) => <WhyPart key={place} part={part} />);
}

function WhyPart({ part }: { part: Part }): ReactNode {
  if (part.kind === 'code') return <code>{part.text}</code>;
  return part.kind === 'foreign' ? <span lang="en">{part.text}</span> : part.text;
}
