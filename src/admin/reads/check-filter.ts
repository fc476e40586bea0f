/** The filters of lists as callers send them: what is malformed is refused before anything is looked up. */
import { nodeNameOfScope } from '../../graph/binding.ts';
import { messageOf, PosternError } from '../../model/errors.ts';
import { maxPatternBytes } from '../../model/limits.ts';
import {
  checked,
  isType,
  problemOfObject,
  problemOfPrincipal,
  problemOfRoleName,
  problemOfText,
} from '../../model/names.ts';
import { problemOfGroup, scopeAt } from '../../model/parse-scope.ts';
import { parseScope, type Scope } from '../../model/scope.ts';
import { scopeDraftOf } from '../../model/scope-text.ts';
import type { BindingFilter, MemberFilter, ObjectFilter, RoleFilter } from '../api.ts';

const mostPermissions = 1_000;

/** @throws PosternError INVALID_REQUEST, INVALID_TYPE, LIMIT_EXCEEDED */
export function checkRoleFilter({ name, objectType, containsPermissions }: RoleFilter): void {
  checkGlob(name);
  if (objectType !== '') checkType(objectType, 'object_type');
  if (containsPermissions.length > mostPermissions) {
    throw new PosternError(
      'LIMIT_EXCEEDED',
      `contains_permissions holds ${containsPermissions.length} permissions; at most ${mostPermissions} are taken`,
      { field: 'contains_permissions', limit: String(mostPermissions) },
    );
  }
}

/** @throws PosternError INVALID_REQUEST */
export function checkGlob(name: string): void {
  if (name !== '') checked(name, problemOfText(name, 'name', maxPatternBytes), 'INVALID_REQUEST', 'name');
}

/** @throws PosternError INVALID_SUBJECT, INVALID_REQUEST */
export function checkMemberFilter({ group, member, transitive }: MemberFilter): void {
  if (group !== '') checked(group, problemOfGroup(group), 'INVALID_SUBJECT', 'group');
  if (member !== '') checked(member, problemOfPrincipal(member), 'INVALID_SUBJECT', 'member');
  if (transitive && group === '' && member === '') throw needs('transitive', 'a group or a member');
}

/** @throws PosternError INVALID_SUBJECT, INVALID_OBJECT, INVALID_REQUEST */
export function checkBindingFilter({ subject, throughGroups, role, object, inherited }: BindingFilter): void {
  if (subject !== '') checked(subject, problemOfPrincipal(subject), 'INVALID_SUBJECT', 'subject');
  if (object !== '') checked(object, problemOfObject(object), 'INVALID_OBJECT', 'object');
  if (role !== '') checked(role, problemOfRoleName(role), 'INVALID_REQUEST', 'role');
  if (throughGroups && subject === '') throw needs('through_groups', 'a subject');
  if (inherited && object === '') throw needs('inherited', 'an object');
}

/** @throws PosternError INVALID_OBJECT, INVALID_TYPE */
export function checkObjectFilter({ type, parent, object }: ObjectFilter): void {
  if (type !== '') checkType(type, 'type');
  if (parent !== '') checked(parent, problemOfObject(parent), 'INVALID_OBJECT', 'parent');
  if (object !== '') checked(object, problemOfObject(object), 'INVALID_OBJECT', 'object');
}

/**
 * The scope of a filter, and the name of its node; undefined where nothing is asked.
 * @throws PosternError INVALID_REQUEST
 */
export function parseScopeFilter(text: string): { readonly scope: Scope; readonly node: string } | undefined {
  if (text === '') return undefined;
  try {
    const scope = parseScope(scopeAt(scopeDraftOf(text), 'the filter', 'scope'));
    return { scope, node: nodeNameOfScope(scope) };
  } catch (error) {
    throw new PosternError('INVALID_REQUEST', `scope: ${messageOf(error)}`, { field: 'scope' }, error);
  }
}

function checkType(type: string, field: string): void {
  const problem = isType(type) ? undefined : 'is not a type; a type is what stands before the colon of an object';
  checked(type, problem, 'INVALID_TYPE', field);
}

function needs(field: string, what: string): PosternError {
  return new PosternError('INVALID_REQUEST', `${field} says how far to look from ${what}; name one, or leave it out`, {
    field,
  });
}
