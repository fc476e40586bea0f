/** Whether an explanation at an earlier revision says what was recorded then. Pure; called by `postern audit explain`. */
import type { DecisionRecord } from '../decision-log/record.ts';
import type { Decision } from '../model/query.ts';
import { enforcedAnswer } from './question.ts';

export interface Difference {
  /** The key of the record. */
  readonly field: 'mode' | 'allowed' | 'reason' | 'binding';
  /** Empty where there is none. */
  readonly recorded: string;
  readonly explained: string;
}

/** What differs; a field that was masked is not compared. */
export function differencesOf(
  record: DecisionRecord,
  explained: Pick<Decision, 'mode' | 'enforcedAllowed' | 'reason' | 'binding'>,
): Difference[] {
  const pairs: readonly (readonly [Difference['field'], string, string])[] = [
    ['mode', record.mode, explained.mode],
    ['allowed', String(enforcedAnswer(record) ?? true), String(explained.enforcedAllowed)],
    ['reason', record.reason, explained.reason],
    ['binding', record.binding === undefined ? '' : JSON.stringify(record.binding), explained.binding],
  ];
  return pairs
    .filter(([field, recorded, now]) => recorded !== now && record.masked?.includes(field) !== true)
    .map(([field, recorded, now]) => ({ field, recorded, explained: now }));
}
