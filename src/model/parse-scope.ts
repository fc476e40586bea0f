/**
 * Scopes and permissions of untrusted records, and the names that only records hold. Called by parse-record.ts and
 * parse-hook.ts. It must never let a form pass that scope.ts or permission.ts would not write.
 */
import { messageOf } from './errors.ts';
import { isType, problemOfAction, problemOfName, quote } from './names.ts';
import { corrupt, namesAt, objectAt, onlyFields, textAt } from './parse-fields.ts';
import { type PermissionInput, parsePermission } from './permission.ts';
import { parseScope, type ScopeInput, toScopeInput } from './scope.ts';

const objectScopeFields = new Set(['object']);
const regexScopeFields = new Set(['type', 'regex']);

/** A scope, in its shortest form. @throws PosternError STORE_CORRUPT */
export function scopeAt(json: unknown, where: string, field: string): ScopeInput {
  // The commonest scope is one object as text; it is canonical, and needs no parsed form.
  if (typeof json === 'string' && !json.includes('*')) {
    const problem = problemOfName(json);
    if (problem === undefined) return json;
    throw corrupt(where, field, `${quote(json)} ${problem}`);
  }
  if (typeof json !== 'string') {
    const from = objectAt(json, where, `${field}.`);
    if (from.object !== undefined) {
      onlyFields(from, objectScopeFields, where, `${field}.`);
      textAt(from, 'object', where, `${field}.`);
    } else {
      onlyFields(from, regexScopeFields, where, `${field}.`);
      textAt(from, 'type', where, `${field}.`);
      textAt(from, 'regex', where, `${field}.`);
    }
  }
  try {
    return toScopeInput(parseScope(json as ScopeInput));
  } catch (error) {
    throw corrupt(where, field, `is not legal: ${messageOf(error)}`);
  }
}

const longPermissionFields = new Set(['objects', 'actions']);

/** A permission as it is written. @throws PosternError STORE_CORRUPT */
export function permissionAt(json: unknown, where: string, field: string): PermissionInput {
  let input: PermissionInput;
  if (typeof json === 'string') input = json;
  else {
    const from = objectAt(json, where, `${field}.`);
    onlyFields(from, longPermissionFields, where, `${field}.`);
    const objects = scopeAt(from.objects, where, `${field}.objects`);
    input = { objects, actions: namesAt(from, 'actions', problemOfAction, where, `${field}.`) };
  }
  try {
    parsePermission(input);
    return input;
  } catch (error) {
    throw corrupt(where, field, `is not legal: ${messageOf(error)}`);
  }
}

/** What is wrong with a type, or undefined. */
export function problemOfType(text: string): string | undefined {
  return isType(text) ? undefined : 'is not a legal type';
}

/** What is wrong with a group, or undefined. */
export function problemOfGroup(text: string): string | undefined {
  return text.startsWith('group:') ? problemOfName(text) : 'is not a group; write it as "group:id"';
}
