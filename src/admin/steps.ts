/** What a change set comes to, step by step, and the list of what is wrong with it. Shared by plan.ts and the judges. */
import type { Snapshot } from '../graph/snapshot.ts';
import type { Change } from '../model/change.ts';
import { type EntityRecord, type RoleRecord, recordOfKey } from '../model/entity.ts';
import { quote } from '../model/names.ts';
import { formatPermission } from '../model/permission.ts';
import { formatScope, type Scope } from '../model/scope.ts';
import type { Held } from './cover.ts';
import type { Extent, Holdings } from './holdings.ts';

/** One change to one record, and what asked for it. */
export interface Step {
  /** With the record that it replaces, where there is one. */
  readonly change: Change;
  /** Position of what asked for it, in the request. */
  readonly index: number;
  /** A creation and a removal bring more than what they name; that is judged as a whole. */
  readonly origin: 'asked' | 'creation' | 'removal';
}

/** What the judges look at. */
export interface Case {
  /** The graph before anything. */
  readonly start: Snapshot;
  /** What the caller holds, creations included: to create something and to share it may be one change set. */
  readonly holdings: Holdings;
  readonly steps: readonly Step[];
  /** What is removed, by the position that asks for it. */
  readonly removals: ReadonlyMap<number, string>;
  /** Notes what is wrong with the change at a position of the request. */
  readonly report: (index: number, message: string) => void;
  /** The same for what somebody may change, and is not there. */
  readonly reportMissing: (index: number, message: string) => void;
}

/** The record before and after a step; undefined where there is none. */
export function recordsOfStep({ change }: Step): { before: EntityRecord | undefined; after: EntityRecord | undefined } {
  return { before: change.before, after: change.op === 'put' ? change.record : undefined };
}

/** What a step is about: the record, or as much of it as its identity says where there is none to delete. */
export function subjectOf(step: Step): EntityRecord {
  const { change } = step;
  if (change.op === 'put') return change.record;
  return change.before ?? recordOfKey(change.kind, change.key);
}

/** The role as it stands, or else as this change set makes it. */
export function roleRecord({ start, steps }: Case, name: string): RoleRecord | undefined {
  const known = start.roles[start.names.findRole(name)]?.record;
  if (known !== undefined) return known;
  for (const { change } of steps) {
    if (change.op === 'put' && change.record.kind === 'role' && change.record.name === name) return change.record;
  }
  return undefined;
}

/** The refusal of an action that is missing. */
export function refuse({ holdings, report }: Case, index: number, doing: string, action: string, where: string): void {
  report(index, `${holdings.subject} may not ${doing}: it takes the action ${quote(action)} ${where}`);
}

/**
 * Reports where something is given that the caller neither holds, all of it and everywhere there, nor may escalate to.
 * @param key See Holdings.lacks.
 */
export function checkHeld(
  judged: Case,
  index: number,
  doing: string,
  given: Iterable<Held>,
  extent: Extent,
  key?: string,
): void {
  const { holdings, report } = judged;
  const lacking = holdings.lacks(given, extent, key);
  if (lacking === undefined) return;
  const who = holdings.subject;
  const where = placeOf(extent.scope);
  report(
    index,
    `${who} may not ${doing} ${where}: that takes ${quote(formatPermission(lacking.permission))}, which ${who} does not ` +
      'hold there (without a condition, and for as long); ask somebody who does, or who has the action "escalate" there',
  );
}

/** Words for a place: "on doc:1", "on the tenant". */
export function placeOf(scope: Scope): string {
  return scope.kind === 'tenant' ? 'on the tenant' : `on ${formatScope(scope)}`;
}
