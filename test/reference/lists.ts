/**
 * The lists, by brute force: everything that the graph knows is put to check(),
 * one question each. What a list names besides (whole scopes, wildcards, action
 * patterns) is read off the bindings. Like the evaluator, it must never import
 * from the engine or the graph.
 */
import type { BindingRecord, EntityRecord, Mode, RoleRecord } from '../../src/model/entity.ts';
import { anonymous, everyone, idOf, isType, typeOf } from '../../src/model/names.ts';
import { type Permission, parsePermission } from '../../src/model/permission.ts';
import type { Query } from '../../src/model/query.ts';
import { formatScope, parseScope } from '../../src/model/scope.ts';
import {
  activePartsOf,
  askedOf,
  bindingReaches,
  check,
  globMatches,
  holds,
  permissionReaches,
  principalsOf,
  refuseConflicts,
  roleGrants,
  withGroupsAbove,
  withIncluded,
} from './evaluator.ts';

/** Objects of the type on which the subject may do the action, and the whole scopes where it may; both sorted. */
export function listObjects(
  records: readonly EntityRecord[],
  query: Omit<Query, 'object'>,
  type: string,
  now: number,
): { readonly objects: readonly string[]; readonly scopes: readonly string[] } {
  if (modeOf(records) !== 'off') refuseConflicts(records, query);
  const known = knownObjects(records).filter((object) => typeOf(object) === type);
  if (modeOf(records) !== 'enforce') return { objects: sorted(known), scopes: ['*'] };
  const objects = known.filter((object) => check(records, { ...query, object }, now).allowed);
  const scopes: string[] = [];
  const principals = principalsOf(records, query.subject, query.assertedGroups, now);
  for (const binding of records) {
    if (query.reach === 'exact') break;
    if (binding.kind !== 'binding' || binding.effect === 'deny' || binding.condition !== undefined) continue;
    if (!holds(binding.expiresAt, now) || !principals.has(binding.subject)) continue;
    const scope = parseScope(binding.scope);
    if (scope.kind === 'object') continue;
    if (scope.kind !== 'tenant' && scope.type !== type) continue;
    const counting = activePartsOf(records, binding.role, query);
    if (counting.some((role) => roleGrantsOnType(records, role, query.action, type))) scopes.push(formatScope(scope));
  }
  return { objects: sorted(objects), scopes: sorted(scopes) };
}

/** Whether permissions of the role that are not narrowed to some objects grant the action on every object of the type. */
function roleGrantsOnType(records: readonly EntityRecord[], role: string, action: string, type: string): boolean {
  const wide = (permission: RoleRecord['permissions'][number]) =>
    typeof permission === 'string' || permission.objects === '*';
  const wideOnly = records.map((record) =>
    record.kind === 'role' ? { ...record, permissions: record.permissions.filter(wide) } : record,
  );
  const someObject = `${type}:some object that no record names`;
  const query: Query = { subject: '', action, object: someObject, reach: 'inherited', assertedGroups: [] };
  return roleGrants(wideOnly, role, query);
}

/** A question about all subjects. */
export type SubjectQuestion = Omit<Query, 'subject' | 'assertedGroups' | 'activeRoles'>;

/** Subjects of the type (empty: of every type) that may do the action, and the wildcards that may; both sorted. */
export function listSubjects(
  records: readonly EntityRecord[],
  question: SubjectQuestion,
  type: string,
  now: number,
): { readonly subjects: readonly string[]; readonly wildcards: readonly string[] } {
  const named = records.flatMap((record) => {
    if (record.kind === 'member') return [record.member];
    if (record.kind === 'binding') return [record.subject];
    return [];
  });
  // Whoever has no id has no type either: anonymous is on the list of every type, and on no other.
  const known = named.filter((name) => {
    if (isWildcard(name)) return false;
    return type === '' || (name !== anonymous && typeOf(name) === type);
  });
  if (modeOf(records) !== 'enforce') return { subjects: sorted(known), wildcards: [everyone] };

  const subjects = known.filter((subject) => {
    return check(records, { ...question, subject, assertedGroups: [], activeRoles: [] }, now).allowed;
  });
  const wildcards = named.filter((wildcard) => {
    if (!isWildcard(wildcard)) return false;
    if (type !== '' && wildcard !== everyone && wildcard !== `${type}:*`) return false;
    const principals = withGroupsAbove(records, [wildcard], now);
    const query: Query = { ...question, subject: wildcard, assertedGroups: [], activeRoles: [] };
    return records.some(
      (binding) =>
        binding.kind === 'binding' &&
        principals.has(binding.subject) &&
        allowReaches(records, binding, query, now) &&
        roleGrants(records, binding.role, query),
    );
  });
  return { subjects: sorted(subjects), wildcards: sorted(wildcards) };
}

/** Actions that the subject may do on the object, and the patterns of actions granted to it there; both sorted. */
export function listActions(
  records: readonly EntityRecord[],
  query: Omit<Query, 'action'>,
  now: number,
): { readonly actions: readonly string[]; readonly patterns: readonly string[] } {
  if (modeOf(records) !== 'off') refuseConflicts(records, query);
  const known = knownActions(records, query.object);
  if (modeOf(records) !== 'enforce') return { actions: sorted(known), patterns: ['*'] };

  const actions = known.filter((action) => check(records, { ...query, action }, now).allowed);
  const patterns: string[] = [];
  const principals = principalsOf(records, query.subject, query.assertedGroups, now);
  const { type } = askedOf('', query.object);
  for (const binding of records) {
    if (binding.kind !== 'binding' || !principals.has(binding.subject)) continue;
    if (!allowReaches(records, binding, { ...query, action: '' }, now)) continue;
    const counting = activePartsOf(records, binding.role, query);
    for (const permission of counting.flatMap((role) => permissionsOf(records, role))) {
      if (!isGlob(permission.action)) continue;
      if (permissionReaches(records, permission, type, query.object)) patterns.push(permission.action);
    }
  }
  return { actions: sorted(actions), patterns: sorted(patterns) };
}

/** Every object that is registered, is named by a binding's scope, or is somebody's parent. */
export function knownObjects(records: readonly EntityRecord[]): readonly string[] {
  return records.flatMap((record) => {
    if (record.kind === 'object') return [record.object, ...(record.parents ?? []).map((edge) => edge.object)];
    if (record.kind !== 'binding') return [];
    const scope = parseScope(record.scope);
    return scope.kind === 'object' ? [scope.object] : [];
  });
}

/** Actions declared for the object's type or named by a permission that covers it; with no object, "type:action". */
function knownActions(records: readonly EntityRecord[], object: string): readonly string[] {
  const known: string[] = [];
  for (const record of records) {
    if (record.kind === 'type') {
      for (const action of record.actions ?? []) {
        if (object === '') known.push(`${record.name}:${action}`);
        else if (record.name === typeOf(object)) known.push(action);
      }
    }
    if (record.kind === 'role') {
      for (const permission of record.permissions.flatMap(parsePermission)) {
        if (isGlob(permission.action)) continue;
        if (object !== '') {
          if (globMatches(permission.type, typeOf(object))) known.push(permission.action);
        } else if (permission.type === '*') known.push(permission.action);
        else if (isType(permission.type)) known.push(`${permission.type}:${permission.action}`);
      }
    }
  }
  return known;
}

/** Whether an allow binding without a condition reaches: only such are told of as a whole. */
function allowReaches(records: readonly EntityRecord[], binding: BindingRecord, query: Query, now: number): boolean {
  const allows = binding.effect !== 'deny' && binding.condition === undefined;
  return allows && holds(binding.expiresAt, now) && bindingReaches(records, binding, query);
}

function permissionsOf(records: readonly EntityRecord[], role: string): readonly Permission[] {
  const names = withIncluded(records, role);
  return records.flatMap((record) =>
    record.kind === 'role' && names.has(record.name) ? record.permissions.flatMap(parsePermission) : [],
  );
}

/** The tenant's mode; enforce where no record says otherwise. */
export function modeOf(records: readonly EntityRecord[]): Mode {
  return records.find((record) => record.kind === 'settings')?.mode ?? 'enforce';
}

function isWildcard(name: string): boolean {
  return name === everyone || idOf(name) === '*';
}

function isGlob(action: string): boolean {
  return action.includes('*');
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
