import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';

import { Icon, type IconName, StateMark } from '../app/icons';
import type { Mark, RunEnd } from '../lines/feed';
import { short } from '../pods/age';
import { type Moment, type Zone } from '../lines/time';
import styles from './LogLines.module.css';
import { clockOf } from './times';

interface RuleProps {
  readonly mark: Mark;
  readonly sources: readonly string[];
  readonly zone: Zone;
}

/** The words of a rule: the sentence, and what is known beside it. */
interface Words {
  readonly icon: IconName | 'ended';
  readonly sentence: string;
  /** What the server said, in its own language. */
  readonly said?: string;
  readonly beside?: string;
}

function ended(t: TFunction, name: string, end: RunEnd | null): Omit<Words, 'icon'> {
  if (end === null) return { sentence: t('log.endedPlain', { name }) };
  const { reason, exitCode, run } = end;
  const how =
    reason === '' ? t('log.endedCode', { name, code: exitCode }) : t('log.ended', { name, reason, code: exitCode });
  const length =
    end.startedAt === null || end.finishedAt === null ? '' : `, ${short(end.finishedAt.ms - end.startedAt.ms)}`;
  return { sentence: how, beside: `${t('log.run', { run: run + 1, count: run })}${length}` };
}

function gap(t: TFunction, before: string | undefined, after: string | undefined): string {
  if (before !== undefined && after !== undefined) return t('log.gap', { before, after });
  if (before !== undefined) return t('log.gapAfter', { time: before });
  return after === undefined ? t('log.gapAnywhere') : t('log.gapBefore', { time: after });
}

function wordsOf(t: TFunction, mark: Mark, sources: readonly string[], zone: Zone): Words {
  const clock = (moment: Moment | null) => (moment === null ? undefined : clockOf(moment.ms, zone));
  const name = 'source' in mark ? (sources[mark.source] ?? '') : '';
  switch (mark.kind) {
    case 'gap': {
      const beside = sources.length > 1 ? { beside: name } : {};
      return { icon: 'gap', sentence: gap(t, clock(mark.before), clock(mark.after)), said: mark.reason, ...beside };
    }
    case 'restarted':
      return { icon: 'again', sentence: t('log.restarted', { name, run: mark.run + 1 }) };
    case 'ended':
      return { icon: 'ended', ...ended(t, name, mark.last), ...(mark.fault === '' ? {} : { said: mark.fault }) };
    case 'end':
      return { icon: 'dash', sentence: t('log.end'), said: mark.reason };
    case 'lost':
      return { icon: 'gap', sentence: t('log.lost', { time: clock(mark.at) }) };
    case 'polling':
      return { icon: 'clock', sentence: t('log.polling', { name }) };
    case 'following':
      return { icon: 'clock', sentence: t('log.followingAgain', { name }) };
    case 'user':
      return { icon: 'star', sentence: t('log.userMark', { time: clock(mark.at) }) };
  }
}

/** A rule between two lines, from a frame of the stream or from the reader. */
export function Rule({ mark, sources, zone }: RuleProps) {
  const { t } = useTranslation();
  const { icon, sentence, said, beside } = wordsOf(t, mark, sources, zone);
  const isGap = mark.kind === 'gap';
  const isWell = mark.kind === 'ended' && mark.fault === '' && mark.last?.exitCode === 0;
  return (
    <span className={`${styles.rule} ${isGap ? styles.gap : ''}`}>
      {icon === 'ended' ? <StateMark shape={isWell ? 'over' : 'bad'} /> : <Icon name={icon} size="small" />}
      <b>{sentence}</b>
      {beside !== undefined && <span className={styles.beside}>{beside}</span>}
      {said !== undefined && said !== '' && (
        <span className={styles.beside} lang="en">
          {said}
        </span>
      )}
    </span>
  );
}
