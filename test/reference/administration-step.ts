/** One accepted commit as the judge sees it: the records on both sides, and what can be read off them plainly. */
import { isDeepStrictEqual } from 'node:util';
import type { RequestedChange } from '../../src/admin/api.ts';
import {
  type BindingRecord,
  type EntityKind,
  type EntityRecord,
  entityKey,
  type HookGrant,
  type MemberRecord,
  type ObjectRecord,
} from '../../src/model/entity.ts';
import { typeOf } from '../../src/model/names.ts';
import { parseScope, toScopeInput } from '../../src/model/scope.ts';
import { applyPlainly } from './arbitraries.ts';

export interface Step {
  readonly before: readonly EntityRecord[];
  readonly after: readonly EntityRecord[];
  readonly requested: readonly RequestedChange[];
  /** Whose credential it was. */
  readonly caller: string;
  /** Who is judged: the caller, or whom it acts for. */
  readonly acting: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What became of one record. At least one side is there. */
export interface Difference {
  readonly kind: EntityKind;
  readonly key: string;
  readonly before: EntityRecord | undefined;
  readonly after: EntityRecord | undefined;
}

export function identityOf(kind: EntityKind, key: string): string {
  return JSON.stringify([kind, key]);
}

const indexed = (records: readonly EntityRecord[]) =>
  new Map(records.map((record) => [identityOf(record.kind, entityKey(record)), record]));

export function differencesBetween(
  before: readonly EntityRecord[],
  after: readonly EntityRecord[],
): readonly Difference[] {
  const [old, young] = [indexed(before), indexed(after)];
  const found: Difference[] = [];
  for (const key of new Set([...old.keys(), ...young.keys()])) {
    const [was, is] = [old.get(key), young.get(key)];
    if (isDeepStrictEqual(was, is)) continue;
    const record = (is ?? was) as EntityRecord;
    found.push({ kind: record.kind, key: entityKey(record), before: was, after: is });
  }
  return found;
}

/**
 * The names that have an object or a group record, and had none. A group that anything was about was there, record or
 * not: to describe it is no creation, unless a creation was asked for.
 */
export function createdNames({ before, after, requested }: Step): readonly string[] {
  const names = new Set(after.flatMap((record) => nameOf(record)));
  const asked = new Set(requested.flatMap((change) => (change.op === 'create' ? [change.object] : [])));
  return [...names].filter(
    (name) =>
      !before.some((record) => nameOf(record).includes(name)) &&
      (asked.has(name) || !before.some((record) => isAbout(record, name))),
  );
}

/** Whether a membership or a binding is about a name. */
function isAbout(record: EntityRecord, name: string): boolean {
  if (record.kind === 'member') return record.group === name || record.member === name;
  return record.kind === 'binding' && (record.subject === name || record.scope === name);
}

/** The names whose removal, with all that is theirs, was asked for. */
export function removedNames({ requested }: Step): readonly string[] {
  return requested.flatMap((change) => (change.op === 'remove' ? [change.object] : []));
}

export function nameOf(record: EntityRecord): string[] {
  if (record.kind === 'object') return [record.object];
  return record.kind === 'group' ? [record.group] : [];
}

/** The object records that a commit made anew, in the place that the creation asked for. */
export function createdObjects(step: Step): readonly ObjectRecord[] {
  const created = createdNames(step);
  const records = step.after
    .filter((record) => record.kind === 'object')
    .filter((record) => created.includes(record.object));
  return records.map((record) => {
    const creation = step.requested.find((change) => change.op === 'create' && change.object === record.object);
    if (creation?.op !== 'create') return record;
    const { object, parents = [] } = creation;
    return { kind: 'object', object, ...(parents.length === 0 ? {} : { parents }) };
  });
}

/**
 * The graph before, with nothing but what was created, in its place, and what the hooks made of that. Everything else
 * is judged on this graph: the creations alone might have been a change set of their own before it.
 */
export function withCreated(step: Step): readonly EntityRecord[] {
  return put(put(step.before, createdObjects(step)), hookResults(step));
}

export function put(records: readonly EntityRecord[], more: readonly EntityRecord[]): readonly EntityRecord[] {
  return applyPlainly(
    records,
    more.map((record) => ({ op: 'put', record })),
  );
}

/** What the hooks of the graph before make of what was created with hooks. */
export function hookResults(step: Step, requested = step.requested): readonly (BindingRecord | MemberRecord)[] {
  return requested.flatMap((change) => {
    if (change.op !== 'create') return [];
    const hook = step.before.find((record) => record.kind === 'hook' && record.type === typeOf(change.object));
    return hook?.kind === 'hook' ? hook.grants.map((grant) => resultOf(grant, change.object, step.acting)) : [];
  });
}

function resultOf(grant: HookGrant, created: string, creator: string): BindingRecord | MemberRecord {
  const named = (name: string) => (name === 'created' ? created : name === 'creator' ? creator : name);
  if ('group' in grant) return { kind: 'member', group: named(grant.group), member: named(grant.member) };
  return {
    kind: 'binding',
    subject: named(grant.subject),
    role: grant.role,
    scope: grant.scope ?? toScopeInput({ kind: 'object', object: created }),
    ...(grant.cascade === false ? { cascade: false } : {}),
    ...(grant.locked === true ? { locked: true } : {}),
    ...(grant.note === undefined ? {} : { note: grant.note }),
  };
}

/** Whether a record goes when this name is removed. */
export function belongsTo(record: EntityRecord, name: string): boolean {
  switch (record.kind) {
    case 'object':
    case 'group':
      return nameOf(record).includes(name);
    case 'member':
      return record.group === name || record.member === name;
    case 'binding': {
      const scope = parseScope(record.scope);
      return record.subject === name || (scope.kind === 'object' && scope.object === name);
    }
    default:
      return false;
  }
}
