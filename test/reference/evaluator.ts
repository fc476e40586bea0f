/**
 * The decision, written down as plainly as possible: loops over the records, no
 * index, nothing compiled, nothing kept from one question to the next. It is
 * slow and meant to be obviously right. The engine is held against it, so it
 * must never import from the engine or the graph, only the nouns of the model.
 *
 * The tenant's mode is not applied here; see lists.ts for what it does to lists.
 */
import { type BindingRecord, type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import { anonymous, everyone, idOf, isType, typeOf } from '../../src/model/names.ts';
import { type Permission, parsePermission, parseShortPermission } from '../../src/model/permission.ts';
import type { Query, Verdict } from '../../src/model/query.ts';
import { parseScope, type Scope } from '../../src/model/scope.ts';
import { cannotSay, conditionHolds } from './conditions.ts';

/**
 * Decides one question as mode enforce does. `now` is in milliseconds since 1970.
 * @throws PosternError CONDITION_FAILED where the answer hangs on a condition that cannot be evaluated, ROLES_CONFLICT
 */
export function check(records: readonly EntityRecord[], query: Query, now: number): Verdict {
  refuseConflicts(records, query);
  const principals = principalsOf(records, query.subject, query.assertedGroups, now);
  const denying: string[] = [];
  const allowing: string[] = [];
  const unmet: string[] = [];
  const lacking: string[] = [];
  let perhapsDenied = false;
  let perhapsAllowed = false;
  for (const binding of records) {
    if (binding.kind !== 'binding') continue;
    if (!holds(binding.expiresAt, now)) continue;
    if (!principals.has(binding.subject)) continue;
    if (!bindingReaches(records, binding, query)) continue;
    const denies = binding.effect === 'deny';
    const counting = denies ? [binding.role] : activePartsOf(records, binding.role, query);
    const granted = counting.some((role) => roleGrants(records, role, query));
    const condition = granted ? tryCondition(records, binding, query, now) : 'true';
    if (!granted) {
      if (!denies) lacking.push(entityKey(binding));
    } else if (condition === 'cannot say') {
      if (denies) perhapsDenied = true;
      else perhapsAllowed = true;
    } else if (condition === 'false') {
      if (!denies) unmet.push(entityKey(binding));
    } else if (denies) denying.push(entityKey(binding));
    else allowing.push(entityKey(binding));
  }
  if (denying.length > 0) return { allowed: false, reason: 'EXPLICIT_DENY', binding: smallest(denying) };
  if (allowing.length > 0 && perhapsDenied) return cannotSay();
  if (allowing.length > 0) return { allowed: true, reason: 'ALLOWED', binding: smallest(allowing) };
  if (perhapsAllowed) return cannotSay();
  if (unmet.length > 0) return { allowed: false, reason: 'CONDITION_NOT_MET', binding: smallest(unmet) };
  if (lacking.length > 0) return { allowed: false, reason: 'ROLE_LACKS_PERMISSION', binding: smallest(lacking) };
  return { allowed: false, reason: 'NO_ROLE', binding: '' };
}

/** The roles that count of a bound role: itself where all roles are active, else those active ones that are part of it. */
export function activePartsOf(
  records: readonly EntityRecord[],
  role: string,
  query: Pick<Query, 'activeRoles'>,
): readonly string[] {
  const active = query.activeRoles ?? [];
  if (active.length === 0) return [role];
  return active.filter((name) => withIncluded(records, role).has(name));
}

/** @throws PosternError ROLES_CONFLICT where what is activated holds too many of a dynamic constraint's roles */
export function refuseConflicts(records: readonly EntityRecord[], query: Pick<Query, 'activeRoles'>): void {
  const activated = new Set((query.activeRoles ?? []).flatMap((name) => [...withIncluded(records, name)]));
  const broken: string[] = [];
  for (const record of records) {
    if (record.kind !== 'constraint' || record.dynamic !== true) continue;
    const held = record.roles.filter((role) => activated.has(role));
    if (held.length >= (record.cardinality ?? 2)) broken.push(record.name);
  }
  if (broken.length > 0) throw new PosternError('ROLES_CONFLICT', 'not together', { constraint: smallest(broken) });
}

function tryCondition(
  records: readonly EntityRecord[],
  binding: BindingRecord,
  query: Query,
  now: number,
): 'true' | 'false' | 'cannot say' {
  try {
    return conditionHolds(binding.condition, query, now, records) ? 'true' : 'false';
  } catch (error) {
    if (error instanceof PosternError) return 'cannot say';
    throw error;
  }
}

/** Whether something with this expiry still holds: before the instant, not at it. */
export function holds(expiresAt: number | undefined, now: number): boolean {
  return expiresAt === undefined || now < expiresAt;
}

/** P: the subject, its wildcards, the asserted groups, and every group above any of those. */
export function principalsOf(
  records: readonly EntityRecord[],
  subject: string,
  assertedGroups: readonly string[],
  now: number,
): ReadonlySet<string> {
  const start = new Set([subject, everyone, ...assertedGroups]);
  if (subject !== anonymous) start.add(`${typeOf(subject)}:*`);
  return withGroupsAbove(records, start, now);
}

/** The names given and every group that they are members of, directly or through groups. */
export function withGroupsAbove(
  records: readonly EntityRecord[],
  start: Iterable<string>,
  now: number,
): ReadonlySet<string> {
  const found = new Set(start);
  // A Set visits what is added to it during the loop, once: cycles end.
  for (const member of found) {
    for (const edge of records) {
      if (edge.kind === 'member' && edge.member === member && holds(edge.expiresAt, now)) found.add(edge.group);
    }
  }
  return found;
}

/** The object's ancestors through edges that inherit. Holds the object itself only where it is its own ancestor. */
export function ancestorsOf(records: readonly EntityRecord[], object: string): ReadonlySet<string> {
  const found = new Set<string>();
  const addParentsOf = (child: string) => {
    for (const record of records) {
      if (record.kind !== 'object' || record.object !== child) continue;
      for (const edge of record.parents ?? []) {
        if (edge.inherit !== false) found.add(edge.object);
      }
    }
  };
  addParentsOf(object);
  for (const ancestor of found) addParentsOf(ancestor);
  return found;
}

/** Whether the binding's scope reaches what is asked about, its `cascade` and the question's reach respected. */
export function bindingReaches(records: readonly EntityRecord[], binding: BindingRecord, query: Query): boolean {
  const scope = parseScope(binding.scope);
  if (query.reach === 'exact') return scope.kind === 'object' && scope.object === query.object;
  return scopeReaches(records, scope, query.object, binding.cascade !== false);
}

/** Whether the scope is in S. An empty object is the tenant as a whole, which only the tenant scope reaches. */
export function scopeReaches(
  records: readonly EntityRecord[],
  scope: Scope,
  object: string,
  cascades: boolean,
): boolean {
  if (scope.kind === 'tenant') return true;
  if (object === '') return false;
  switch (scope.kind) {
    case 'type':
      return scope.type === typeOf(object);
    case 'glob':
      return scope.type === typeOf(object) && globMatches(scope.pattern, idOf(object));
    case 'regex':
      // Enough for the simple expressions of the tests; RE2 itself is tested where it is wrapped.
      return scope.type === typeOf(object) && new RegExp(`^(?:${scope.regex})$`, 'su').test(idOf(object));
    case 'object':
      return scope.object === object || (cascades && ancestorsOf(records, object).has(scope.object));
  }
}

/** Whether the role, or a role that it includes, has a permission for the question. */
export function roleGrants(records: readonly EntityRecord[], role: string, query: Query): boolean {
  for (const name of withIncluded(records, role)) {
    for (const record of records) {
      if (record.kind !== 'role' || record.name !== name) continue;
      const own = record.permissions.flatMap(parsePermission);
      const taken = (record.except ?? []).map(parseShortPermission);
      const has = own.some((permission) => permissionCovers(records, permission, query));
      if (has && !taken.some((permission) => permissionCovers(records, permission, query))) return true;
    }
  }
  return false;
}

/** The role and all that it includes. Names that no record defines stay in: they grant nothing. */
export function withIncluded(records: readonly EntityRecord[], role: string): ReadonlySet<string> {
  const found = new Set([role]);
  for (const name of found) {
    for (const record of records) {
      if (record.kind !== 'role' || record.name !== name) continue;
      for (const included of record.includes ?? []) found.add(included);
    }
  }
  return found;
}

/** Whether the permission grants what is asked. */
export function permissionCovers(records: readonly EntityRecord[], permission: Permission, query: Query): boolean {
  const { type, action } = askedOf(query.action, query.object);
  return globMatches(permission.action, action) && permissionReaches(records, permission, type, query.object);
}

/** Whether the permission, whatever its actions, is about this object (or, with none, about this type). */
export function permissionReaches(
  records: readonly EntityRecord[],
  permission: Permission,
  type: string,
  object: string,
): boolean {
  if (permission.objects === undefined) return globMatches(permission.type, type);
  return scopeReaches(records, permission.objects, object, true);
}

/** The type and the action that are asked about: with no object, "type:action" names the type itself. */
export function askedOf(action: string, object: string): { readonly type: string; readonly action: string } {
  if (object !== '') return { type: typeOf(object), action };
  const colon = action.indexOf(':');
  const prefix = action.slice(0, Math.max(colon, 0));
  return isType(prefix) ? { type: prefix, action: action.slice(colon + 1) } : { type: '', action };
}

/** Whether the whole text matches; `*` stands for any run of characters, the empty one too. */
export function globMatches(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('*')) {
    return globMatches(glob.slice(1), text) || (text !== '' && globMatches(glob, text.slice(1)));
  }
  return text !== '' && glob[0] === text[0] && globMatches(glob.slice(1), text.slice(1));
}

function smallest(keys: readonly string[]): string {
  return [...keys].sort()[0] as string;
}
