import { useTranslation } from 'react-i18next';

import { StateMark } from '../app/icons';
import { classOf, classOfWord, isKnown, type Standing, type StatusClass } from './status';
import styles from './StatusWord.module.css';

/** A pod's status: the shape and the colour of its class, and `kubectl`'s word. */
export function StatusWord({ pod }: { pod: Standing }) {
  const statusClass = classOf(pod);
  const title = useClassWords()(statusClass, pod.status);
  return <Word shape={statusClass} text={pod.status} title={title} />;
}

/** A status word alone, of which nothing but the word is known. */
export function StatusOnly({ status }: { status: string }) {
  const { statusClass, isPlain } = classOfWord(status);
  return <Word shape={statusClass} text={status} isPlain={isPlain} />;
}

interface WordProps {
  readonly shape: StatusClass;
  readonly text: string;
  readonly isPlain?: boolean;
  readonly title?: string;
}

/** A shape and a word. */
export function Word({ shape, text, isPlain = false, title }: WordProps) {
  return (
    <span className={`${styles.word} ${isPlain ? styles.plain : styles[shape]}`} title={title}>
      <StateMark shape={shape} isPlain={isPlain} />
      <span className={styles.text}>{text}</span>
    </span>
  );
}

/** Returns the function that puts a class into words. */
export function useClassWords(): (statusClass: StatusClass, status: string) => string {
  const { t } = useTranslation();
  return (statusClass, status) =>
    statusClass === 'lost' && !isKnown(status) ? t('class.unknown') : t(`class.${statusClass}`);
}
