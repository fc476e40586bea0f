/**
 * Gathers decisions that would change into groups that a person can read: what they have in common, how many they are,
 * and some of them as examples. Called by replay.ts. Memory is bounded: by groups, by names that are counted, and by
 * examples; what is beyond is counted and told.
 */
import type { DecisionRecord } from '../decision-log/record.ts';
import { typeOf } from '../model/names.ts';
import type { Outcome } from './decide-again.ts';
import { type Budget, Distinct } from './distinct.ts';

export const directions = ['newly_denied', 'newly_allowed', 'newly_failing'] as const;
export type Direction = (typeof directions)[number];

export const groupings = ['cause', 'subject', 'action', 'type', 'role'] as const;
/** What the decisions of a group have in common, beside the direction. "cause": reasons, roles, action and type. */
export type Grouping = (typeof groupings)[number];

/** One decision that would be another one. */
export interface ChangedDecision {
  readonly record: DecisionRecord;
  readonly direction: Direction;
  readonly before: Outcome;
  readonly after: Outcome;
}

export interface Example {
  readonly subject: string;
  readonly action: string;
  /** Empty for a question about the tenant. */
  readonly object: string;
  readonly before: Outcome;
  readonly after: Outcome;
  /** Of the last one like it. */
  time: string;
  decision: string;
  /** How many were like it. */
  count: number;
}

export interface Group {
  readonly direction: Direction;
  /** What they have in common: the names are stable. */
  readonly common: Readonly<Record<string, string>>;
  count: number;
  readonly subjects: Distinct;
  readonly objects: Distinct;
  /** The bindings that decided, or were closest. */
  readonly bindingsBefore: Distinct;
  readonly bindingsAfter: Distinct;
  /** The first that differ in subject, action or object. */
  readonly examples: Example[];
  first: string;
  last: string;
}

export interface Tally {
  add(changed: ChangedDecision): void;
  /** The largest first. */
  groups(): readonly Group[];
  /** Decisions that are in no group, because there were too many groups. */
  readonly ungrouped: number;
}

export function totalOf(changed: Readonly<Record<Direction, number>>): number {
  return changed.newly_allowed + changed.newly_denied + changed.newly_failing;
}

const mostGroups = 20_000;
const mostNames = 500_000;
const mostExamples = 3;

export function createTally(grouping: Grouping): Tally {
  const groups = new Map<string, Group>();
  const budget: Budget = { left: mostNames };
  let ungrouped = 0;
  return {
    add(changed) {
      const common = commonOf(changed, grouping);
      const key = JSON.stringify([changed.direction, ...Object.values(common)]);
      let group = groups.get(key);
      if (group === undefined) {
        if (groups.size >= mostGroups) {
          ungrouped++;
          return;
        }
        group = createGroup(changed, common, budget);
        groups.set(key, group);
      }
      addTo(group, changed);
    },
    groups: () => [...groups.values()].sort((a, b) => b.count - a.count || (a.first < b.first ? -1 : 1)),
    get ungrouped() {
      return ungrouped;
    },
  };
}

function commonOf({ record, direction, before, after }: ChangedDecision, grouping: Grouping): Record<string, string> {
  const type = record.object === undefined ? '' : typeOf(record.object);
  switch (grouping) {
    case 'subject':
      return { subject: record.subject ?? '' };
    case 'action':
      return { action: record.action };
    case 'type':
      return { type };
    case 'role':
      // Who gives, or takes: of a denial without a deny it is the role that gave.
      return { role: roleOf(direction === 'newly_allowed' || after.reason === 'EXPLICIT_DENY' ? after : before) };
    case 'cause':
      return {
        reasonBefore: before.reason,
        roleBefore: roleOf(before),
        reasonAfter: after.reason,
        roleAfter: roleOf(after),
        action: record.action,
        type,
      };
  }
}

/** The role of the binding that decided; empty where none did. */
function roleOf({ binding }: Outcome): string {
  return binding === '' ? '' : String((JSON.parse(binding) as readonly unknown[])[1]);
}

function createGroup({ direction, record }: ChangedDecision, common: Group['common'], budget: Budget): Group {
  return {
    direction,
    common,
    count: 0,
    subjects: new Distinct(budget),
    objects: new Distinct(budget),
    bindingsBefore: new Distinct(budget),
    bindingsAfter: new Distinct(budget),
    examples: [],
    first: record.time,
    last: record.time,
  };
}

function addTo(group: Group, { record, before, after }: ChangedDecision): void {
  const { subject = '', action, object = '', time, id } = record;
  group.count++;
  group.subjects.add(subject);
  if (object !== '') group.objects.add(object);
  if (before.binding !== '') group.bindingsBefore.add(before.binding);
  if (after.binding !== '') group.bindingsAfter.add(after.binding);
  if (time < group.first) group.first = time;
  if (time > group.last) group.last = time;
  const { examples } = group;
  const known = examples.find((one) => one.subject === subject && one.action === action && one.object === object);
  if (known !== undefined) {
    known.count++;
    if (time < known.time) return;
    known.time = time;
    known.decision = id;
  } else if (examples.length < mostExamples) {
    examples.push({ subject, action, object, before, after, time, decision: id, count: 1 });
  }
}
