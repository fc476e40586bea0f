/**
 * Untrusted JSON to hooks and constraints: the records that say what happens to later changes. Called by
 * parse-record.ts, whose promises it keeps.
 */
import type { ConstraintRecord, HookBinding, HookGrant, HookMember, HookRecord } from './entity.ts';
import { maxConstraintRoles, maxHookGrants } from './limits.ts';
import { isHookSubject, problemOfPrincipal, problemOfRoleName } from './names.ts';
import {
  corrupt,
  flagAt,
  type Json,
  listAt,
  nameAt,
  namesAt,
  noteAt,
  objectAt,
  onlyFields,
  show,
} from './parse-fields.ts';
import { problemOfGroup, problemOfType, scopeAt } from './parse-scope.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const hookFields = new Set(['kind', 'type', 'grants']);
const hookBindingFields = new Set(['role', 'subject', 'scope', 'cascade', 'locked', 'note']);
const hookMemberFields = new Set(['group', 'member']);

/** @throws PosternError STORE_CORRUPT */
export function parseHook(from: Json, where: string): HookRecord {
  onlyFields(from, hookFields, where, '');
  const grants = listAt(from, 'grants', where);
  if (grants.length > maxHookGrants) throw corrupt(where, 'grants', `has more than ${maxHookGrants} entries`);
  return {
    kind: 'hook',
    type: nameAt(from, 'type', problemOfType, where),
    grants: grants.map((grant, i) => parseGrant(grant, where, `grants[${i}].`)),
  };
}

function parseGrant(json: unknown, where: string, prefix: string): HookGrant {
  const from = objectAt(json, where, prefix);
  return from.group === undefined ? parseHookBinding(from, where, prefix) : parseHookMember(from, where, prefix);
}

function parseHookBinding(from: Json, where: string, prefix: string): HookBinding {
  onlyFields(from, hookBindingFields, where, prefix);
  const grant: Writable<HookBinding> = {
    role: nameAt(from, 'role', problemOfRoleName, where, prefix),
    subject: nameAt(from, 'subject', problemOfHookSubject, where, prefix),
  };
  if (from.scope !== undefined) grant.scope = scopeAt(from.scope, where, `${prefix}scope`);
  if (!flagAt(from, 'cascade', true, where, prefix)) grant.cascade = false;
  if (flagAt(from, 'locked', false, where, prefix)) grant.locked = true;
  const note = noteAt(from, 'note', where, prefix);
  if (note !== undefined) grant.note = note;
  return grant;
}

function parseHookMember(from: Json, where: string, prefix: string): HookMember {
  onlyFields(from, hookMemberFields, where, prefix);
  return {
    group: nameAt(from, 'group', problemOfHookGroup, where, prefix),
    member: nameAt(from, 'member', problemOfHookSubject, where, prefix),
  };
}

const constraintFields = new Set(['kind', 'name', 'description', 'roles', 'cardinality', 'dynamic']);

/** @throws PosternError STORE_CORRUPT */
export function parseConstraint(from: Json, where: string): ConstraintRecord {
  onlyFields(from, constraintFields, where, '');
  const roles = namesAt(from, 'roles', problemOfRoleName, where);
  if (roles.length > maxConstraintRoles) throw corrupt(where, 'roles', `has more than ${maxConstraintRoles} entries`);
  const { cardinality = 2 } = from;
  if (typeof cardinality !== 'number' || !Number.isSafeInteger(cardinality) || cardinality < 2) {
    throw corrupt(where, 'cardinality', `is ${show(cardinality)}; it must be a whole number from 2`);
  }
  const description = noteAt(from, 'description', where);
  return {
    kind: 'constraint',
    name: nameAt(from, 'name', problemOfRoleName, where),
    ...(description === undefined ? {} : { description }),
    roles,
    ...(cardinality === 2 ? {} : { cardinality }),
    ...(flagAt(from, 'dynamic', false, where) ? { dynamic: true as const } : {}),
  };
}

function problemOfHookSubject(text: string): string | undefined {
  return isHookSubject(text) ? undefined : problemOfPrincipal(text);
}

function problemOfHookGroup(text: string): string | undefined {
  return text === 'created' ? undefined : problemOfGroup(text);
}
