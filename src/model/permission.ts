/**
 * What a role grants. The short form "type:action" is split at the first colon;
 * `*` stands for any run of characters, anywhere in either part. The long form
 * names a scope, and narrows the actions to the objects that it reaches.
 */
import { PosternError } from './errors.ts';
import { maxActionBytes } from './limits.ts';
import { problemOfText, quote } from './names.ts';
import { formatScope, parseScope, type Scope, type ScopeInput } from './scope.ts';

/** Actions on objects; either part may hold `*`. */
export interface Permission {
  /** Glob over the object's type; "*" is every type, and no type at all. */
  readonly type: string;
  /** Glob over the action. */
  readonly action: string;
  /** Narrows to the objects that this scope reaches; undefined where nothing is narrowed. */
  readonly objects: Exclude<Scope, { kind: 'tenant' }> | undefined;
}

/** A permission as a policy file or a store record writes it. */
export type PermissionInput = string | { readonly objects: ScopeInput; readonly actions: readonly string[] };

const typeGlob = /^[A-Za-z*][A-Za-z0-9_./*-]*$/;

/**
 * Parses one written permission; the long form yields one permission an action.
 * @throws PosternError INVALID_POLICY
 */
export function parsePermission(input: PermissionInput): readonly Permission[] {
  if (typeof input === 'string') return [parseShortPermission(input)];
  const scope = parseScope(input.objects);
  // Below an object there may be objects of any type; the whole tenant narrows nothing.
  const type = scope.kind === 'tenant' || scope.kind === 'object' ? '*' : scope.type;
  const objects = scope.kind === 'tenant' ? undefined : scope;
  return input.actions.map((action) => ({ type, action: checkedAction(action, action), objects }));
}

/** Parses "type:action", "type:*", "*:action" or "*". */
export function parseShortPermission(text: string): Permission {
  if (text === '*') return { type: '*', action: '*', objects: undefined };
  const colon = text.indexOf(':');
  const type = text.slice(0, Math.max(colon, 0));
  if (colon < 0 || !typeGlob.test(type)) {
    throw new PosternError(
      'INVALID_POLICY',
      `permission ${quote(text)} is not "type:action"; write for example "doc:read", "doc:*" or "*"`,
    );
  }
  return { type, action: checkedAction(text.slice(colon + 1), text), objects: undefined };
}

/** The canonical text of a permission, for explanations. */
export function formatPermission(permission: Permission): string {
  if (permission.objects !== undefined) return `${permission.action} on ${formatScope(permission.objects)}`;
  return permission.type === '*' && permission.action === '*' ? '*' : `${permission.type}:${permission.action}`;
}

function checkedAction(action: string, written: string): string {
  const problem = problemOfText(action, 'action', maxActionBytes);
  if (problem === undefined) return action;
  throw new PosternError('INVALID_POLICY', `permission ${quote(written)} ${problem}`);
}
