/**
 * A recorded decision as the question that it answered, to be asked again. Called by replay.ts and by whoever explains a
 * record. It must never make a question of what is left of one: where a part was masked, there is none.
 */
import type { DecisionRecord } from '../decision-log/record.ts';
import type { Attributes } from '../model/condition.ts';
import type { Query } from '../model/query.ts';

/** Why a record cannot be decided again. */
export type NoQuestion = 'list' | 'masked';

export interface Question {
  readonly query: Query;
  /** When it was asked; milliseconds since 1970. */
  readonly nowMs: number;
}

/** What a decision depends on, as records name it. */
const asked: ReadonlySet<string> = new Set([
  'subject',
  'action',
  'object',
  'reach',
  'asserted_groups',
  'active_roles',
  'attributes',
]);

/**
 * @param attributesCount Whether the graph that is to decide has conditions: where it has none, attributes may be masked.
 */
export function questionOf(record: DecisionRecord, attributesCount: boolean): Question | NoQuestion {
  if (record.results !== undefined || record.source.startsWith('list_')) return 'list';
  if (maskedParts(record).some((part) => part !== 'attributes' || attributesCount)) return 'masked';
  return {
    nowMs: Date.parse(record.time),
    query: {
      subject: record.subject ?? '',
      action: record.action,
      object: record.object ?? '',
      reach: record.reach === 'exact' ? 'exact' : 'inherited',
      assertedGroups: record.asserted_groups ?? none,
      activeRoles: record.active_roles,
      attributes: record.attributes as Attributes | undefined,
    },
  };
}

/** The parts of the question that are not as they were asked; a part of the attributes is "attributes". */
export function maskedParts({ masked }: DecisionRecord): readonly string[] {
  if (masked === undefined) return none;
  return masked.map((field) => field.replace(/[.[].*$/s, '')).filter((field) => asked.has(field));
}

/** What mode enforce answered; undefined where enforcement was off, and nobody knows. */
export function enforcedAnswer(record: DecisionRecord): boolean | undefined {
  return record.mode === 'off' ? undefined : (record.enforced_allowed ?? record.allowed);
}

const none: readonly string[] = [];
