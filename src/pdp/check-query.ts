/** The limits of a question. What a graph knows is legal; only unknown names need a closer look. */
import type { Names } from '../graph/names.ts';
import { findMismatch, jsonForms } from '../model/attribute-type.ts';
import type { Attributes, AttributeTypes, AttributeValue } from '../model/condition.ts';
import { PosternError } from '../model/errors.ts';
import { maxActiveRoles, maxAssertedGroups, maxAttributeElements, maxAttributesLength } from '../model/limits.ts';
import {
  anonymous,
  checked,
  isType,
  problemOfAction,
  problemOfName,
  problemOfObject,
  problemOfRoleName,
  problemOfSubject,
  quote,
} from '../model/names.ts';
import { show } from '../model/parse-fields.ts';
import type { Reach } from '../model/query.ts';

const star = 42;

/** Returns the node of the subject, or -1 for one that the graph does not know. @throws PosternError INVALID_SUBJECT */
export function checkSubject(subject: string, names: Names, prefix: string): number {
  const node = names.findNode(subject);
  // Wildcards are known to graphs too, but nobody can ask as one.
  if (node < 0 || subject.charCodeAt(subject.length - 1) === star) {
    checked(subject, problemOfSubject(subject), 'INVALID_SUBJECT', `${prefix}subject`);
  }
  return node;
}

/** Returns the node of the object, or -1 for one that the graph does not know. @throws PosternError INVALID_OBJECT, INVALID_REQUEST */
export function checkObject(object: string, reach: Reach, names: Names, prefix: string): number {
  if (object === '') {
    if (reach === 'inherited') return -1;
    throw new PosternError(
      'INVALID_REQUEST',
      `${prefix}reach "exact" asks about an object; name one, or leave reach out`,
      { field: `${prefix}reach` },
    );
  }
  const node = names.findNode(object);
  if (node < 0 || object.charCodeAt(object.length - 1) === star || object === anonymous) {
    checked(object, problemOfObject(object), 'INVALID_OBJECT', `${prefix}object`);
  }
  return node;
}

/** @throws PosternError INVALID_ACTION */
export function checkAction(action: string, prefix: string): void {
  checked(action, problemOfAction(action), 'INVALID_ACTION', `${prefix}action`);
}

/** @throws PosternError INVALID_TYPE */
export function checkType(type: string): void {
  checked(
    type,
    isType(type) ? undefined : 'is not a type; a type is what stands before the colon of an object',
    'INVALID_TYPE',
    'type',
  );
}

/** @throws PosternError ASSERTION_NOT_ALLOWED, LIMIT_EXCEEDED, INVALID_CONTEXT */
export function checkAssertedGroups(groups: readonly string[], allowed: boolean, prefix: string): void {
  if (groups.length === 0) return;
  const field = `${prefix}context.asserted_groups`;
  if (!allowed) {
    throw new PosternError(
      'ASSERTION_NOT_ALLOWED',
      `${field}: this sidecar takes no asserted groups; its operator can allow them`,
      {
        field,
      },
    );
  }
  if (groups.length > maxAssertedGroups) {
    throw new PosternError(
      'LIMIT_EXCEEDED',
      `${field} holds ${groups.length} groups; at most ${maxAssertedGroups} are taken`,
      { field },
    );
  }
  for (const [i, group] of groups.entries()) {
    const problem = group.startsWith('group:')
      ? group === 'group:*'
        ? 'is a wildcard'
        : problemOfName(group)
      : 'is not "group:<id>"';
    if (problem !== undefined)
      throw new PosternError('INVALID_CONTEXT', `${field}[${i}] ${quote(group)} ${problem}`, {
        field: `${field}[${i}]`,
      });
  }
}

/** Which roles may be active together is the engine's affair. @throws PosternError LIMIT_EXCEEDED, INVALID_CONTEXT */
export function checkActiveRoles(roles: readonly string[] | undefined, prefix: string): void {
  if (roles === undefined) return;
  const field = `${prefix}context.active_roles`;
  if (roles.length > maxActiveRoles) {
    throw new PosternError(
      'LIMIT_EXCEEDED',
      `${field} holds ${roles.length} roles; at most ${maxActiveRoles} are taken`,
      { field, limit: String(maxActiveRoles) },
    );
  }
  for (const [i, role] of roles.entries()) {
    checked(role, problemOfRoleName(role), 'INVALID_CONTEXT', `${field}[${i}]`);
  }
}

/**
 * An attribute that is not declared may be sent all the same: callers serve several tenants.
 * @param types What the tenant declares.
 * @throws PosternError LIMIT_EXCEEDED, INVALID_CONTEXT
 */
export function checkAttributes(
  attributes: Attributes | undefined,
  types: AttributeTypes | undefined,
  prefix: string,
): void {
  if (attributes === undefined) return;
  const field = `${prefix}context.attributes`;
  if (JSON.stringify(attributes).length > maxAttributesLength) {
    throw new PosternError('LIMIT_EXCEEDED', `${field} takes more than ${maxAttributesLength} characters of JSON`, {
      field,
    });
  }
  const large = largestOf(attributes);
  if (large > maxAttributeElements) {
    throw new PosternError(
      'LIMIT_EXCEEDED',
      `${field} has a list or map of ${large} elements; at most ${maxAttributeElements} are taken`,
      { field },
    );
  }
  if (types !== undefined) checkTypes(attributes, types, field);
}

function checkTypes(attributes: Attributes, types: AttributeTypes, field: string): void {
  for (const [name, value] of Object.entries(attributes)) {
    const type = types.get(name);
    const mismatch = type === undefined ? undefined : findMismatch(value, type);
    if (mismatch === undefined) continue;
    const path = `${field}${isPlain.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`}${mismatch.path}`;
    const wanted = `the policy declares it as ${mismatch.type}: send ${jsonForms[mismatch.type]}`;
    throw new PosternError('INVALID_CONTEXT', `${path} is ${show(mismatch.value)}; ${wanted}`, { field: path });
  }
}

/** A name that a path can hold as it is. */
const isPlain = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The number of elements of the largest list or map. */
function largestOf(value: AttributeValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const elements: readonly AttributeValue[] = Array.isArray(value) ? value : Object.values(value);
  return Math.max(elements.length, ...elements.map(largestOf));
}
