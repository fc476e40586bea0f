/**
 * What holds after every accepted commit of somebody who is not an operator, whoever gains: locked bindings and system
 * roles are as they were, nobody has roles that are kept apart, somebody still administers, and what was created had
 * a name that nothing used.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ConstraintRecord, EntityRecord } from '../../src/model/entity.ts';
import { anonymous, everyone, isWildcard, typeOf } from '../../src/model/names.ts';
import { parseScope } from '../../src/model/scope.ts';
import {
  belongsTo,
  createdNames,
  differencesBetween,
  hookResults,
  nameOf,
  removedNames,
  type Step,
  withCreated,
} from './administration-step.ts';
import { may } from './administration-table.ts';
import { instantsFrom, subjects } from './administration-universe.ts';
import { check, principalsOf, withIncluded } from './evaluator.ts';

export function brokenRules(step: Step): readonly string[] {
  return [
    ...changesToLocked(step),
    ...changesToSystemRoles(step),
    ...locksInHooks(step),
    ...conflictsOf(step.after),
    ...lostAdministrators(step),
    ...createdNames(step)
      .filter((name) =>
        step.before.some((record) => uses(record, name) && !(record.kind === 'hook' && maySayWhoIsMeant(step))),
      )
      .map((name) => `created ${name}, whose name was in use`),
  ];
}

function changesToLocked(step: Step): readonly string[] {
  const made = hookResults(step);
  return differencesBetween(step.before, step.after).flatMap(({ key, before, after }) => {
    const lockedBefore = before?.kind === 'binding' && before.locked === true;
    const lockedAfter = after?.kind === 'binding' && after.locked === true;
    if (!lockedBefore && !lockedAfter) return [];
    if (before === undefined && made.some((result) => isDeepStrictEqual(result, after))) return [];
    if (after === undefined && before !== undefined && isOnRemoved(step, before)) return [];
    return [
      `locked binding ${key} was ${before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'}`,
    ];
  });
}

/** What is locked on an object goes with the object; what somebody has elsewhere does not go with somebody. */
function isOnRemoved(step: Step, record: EntityRecord): boolean {
  const scope = record.kind === 'binding' ? parseScope(record.scope) : undefined;
  return scope?.kind === 'object' && removedNames(step).includes(scope.object);
}

/** A hook that locks would be a way round: only an operator writes one. */
function locksInHooks({ before, after }: Step): readonly string[] {
  return differencesBetween(before, after).flatMap(({ key, before: was, after: is }) => {
    if (is?.kind !== 'hook') return [];
    const known = was?.kind === 'hook' ? was.grants.map((grant) => JSON.stringify(grant)) : [];
    const fresh = is.grants.filter((grant) => 'role' in grant && grant.locked === true);
    return fresh.some((grant) => !known.includes(JSON.stringify(grant))) ? [`hook ${key} makes locked bindings`] : [];
  });
}

function changesToSystemRoles(step: Step): readonly string[] {
  return differencesBetween(step.before, step.after)
    .filter(({ before, after }) => [before, after].some((record) => record?.kind === 'role' && record.system === true))
    .map(({ key }) => `system role ${key} was changed`);
}

/** INCITS 359-2004, static separation of duty: what is written counts, ended or conditional. */
export function conflictsOf(records: readonly EntityRecord[]): readonly string[] {
  const constraints = records.filter((record) => record.kind === 'constraint' && record.dynamic !== true);
  if (constraints.length === 0) return [];
  const unending = records.map((record) =>
    record.kind === 'member' ? ({ kind: 'member', group: record.group, member: record.member } as const) : record,
  );
  const problems: string[] = [];
  for (const subject of subjects) {
    const principals = principalsOf(unending, subject, [], 0);
    const roles = new Set(
      records.flatMap((record) =>
        record.kind === 'binding' && record.effect !== 'deny' && principals.has(record.subject)
          ? [...withIncluded(records, record.role)]
          : [],
      ),
    );
    for (const { name, roles: apart, cardinality = 2 } of constraints as readonly ConstraintRecord[]) {
      if (apart.filter((role) => roles.has(role)).length >= cardinality)
        problems.push(`${name} is violated by ${subject}`);
    }
  }
  return problems;
}

/** Whom no record names; a wildcard may stand for them. */
const strangers = ['user:stranger', 'service:stranger'];

/** At no instant from now on does a tenant without an administrator follow from one with one. */
function lostAdministrators({ before, after, now }: Step): readonly string[] {
  return instantsFrom(now)
    .filter((at) => hasAdministrator(certainly(before), at) && !hasAdministrator(perhaps(after), at, strangers))
    .map((at) => `no administrator is left at +${at - now} ms`);
}

/** Conditions are out of the way: an allow that has one does not count, a denial that has one counts always. */
function certainly(records: readonly EntityRecord[]): readonly EntityRecord[] {
  return records.flatMap((record): readonly EntityRecord[] => {
    if (record.kind !== 'binding' || record.condition === undefined) return [record];
    const { condition: _, ...always } = record;
    return record.effect === 'deny' ? [always] : [];
  });
}

/** The same, but a denial that has a condition does not count. */
function perhaps(records: readonly EntityRecord[]): readonly EntityRecord[] {
  return records.filter((record) => record.kind !== 'binding' || record.condition === undefined);
}

function hasAdministrator(records: readonly EntityRecord[], at: number, others: readonly string[] = []): boolean {
  const named = records.flatMap((record) =>
    record.kind === 'binding' ? [record.subject] : record.kind === 'member' ? [record.member] : [],
  );
  return [...named, ...others]
    .filter((name) => name !== anonymous && name !== everyone && !isWildcard(name) && typeOf(name) !== 'group')
    .some((subject) => {
      const query = { subject, action: 'grant', object: '', reach: 'inherited' as const, assertedGroups: [] };
      return check(records, query, at).allowed;
    });
}

/** Whether a record means this name, whatever it says of it. */
/** Who may write hooks may say who it is that one names. */
function maySayWhoIsMeant(step: Step): boolean {
  return may(withCreated(step), step.acting, 'manage_policy', '', step.now);
}

function uses(record: EntityRecord, name: string): boolean {
  if (nameOf(record).includes(name) || belongsTo(record, name)) return true;
  if (record.kind === 'object') return record.parents?.some((edge) => edge.object === name) === true;
  if (record.kind !== 'hook') return false;
  return record.grants.some((grant) => {
    if ('group' in grant) return grant.group === name || grant.member === name;
    const scope = grant.scope === undefined ? undefined : parseScope(grant.scope);
    return grant.subject === name || (scope?.kind === 'object' && scope.object === name);
  });
}

/** Whether somebody holds everything everywhere for ever, and nothing is denied to anybody: a refusal would surprise. */
export function holdsEverything(records: readonly EntityRecord[], subject: string): boolean {
  const everything = records.filter((record) => {
    if (record.kind !== 'role' || record.except !== undefined) return false;
    return record.permissions.includes('*');
  });
  const bound = records.some(
    (record) =>
      record.kind === 'binding' &&
      record.subject === subject &&
      record.effect !== 'deny' &&
      record.scope === '*' &&
      record.expiresAt === undefined &&
      record.condition === undefined &&
      everything.some((role) => role.kind === 'role' && role.name === record.role),
  );
  return bound && !records.some((record) => record.kind === 'binding' && record.effect === 'deny');
}
