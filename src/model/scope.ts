/**
 * Where a binding holds, or what a long-form permission is narrowed to.
 * A scope has one canonical text, used as part of keys, in answers and in logs.
 */
import { PosternError } from './errors.ts';
import { maxPatternBytes } from './limits.ts';
import { isType, problemOfObject, problemOfText, quote } from './names.ts';

export type Scope =
  /** The whole tenant: "*". */
  | { readonly kind: 'tenant' }
  /** All objects of a type: "doc:*". */
  | { readonly kind: 'type'; readonly type: string }
  /** One object and, unless the binding says otherwise, its descendants: "doc:42". */
  | { readonly kind: 'object'; readonly object: string }
  /** Objects of a type whose id matches; `*` stands for any run of characters: "endpoint:/metadata/*". */
  | { readonly kind: 'glob'; readonly type: string; readonly pattern: string }
  /** Objects of a type whose whole id matches an RE2 expression: {type, regex}. */
  | { readonly kind: 'regex'; readonly type: string; readonly regex: string };

/** A scope as a policy file or a store record writes it. */
export type ScopeInput = string | { readonly object: string } | { readonly type: string; readonly regex: string };

export const tenantScope: Scope = { kind: 'tenant' };

/**
 * Parses what a policy or a record holds. In the short form an id with a `*`
 * is a glob; an object whose id really holds one is written {object: "doc:a*b"}.
 * @throws PosternError INVALID_POLICY
 */
export function parseScope(input: ScopeInput): Scope {
  if (typeof input === 'string') return parseScopeText(input);
  if ('object' in input) return { kind: 'object', object: checkedScope(input.object, problemOfObject(input.object)) };
  checkedScope(input.type, isType(input.type) ? undefined : 'has a type that is not legal');
  checkedScope(input.regex, problemOfText(input.regex, 'regular expression', maxPatternBytes));
  return { kind: 'regex', type: input.type, regex: input.regex };
}

function parseScopeText(text: string): Scope {
  if (text === '*') return tenantScope;
  const colon = text.indexOf(':');
  const type = text.slice(0, Math.max(colon, 0));
  const id = text.slice(colon + 1);
  if (colon >= 0 && isType(type)) {
    if (id === '*') return { kind: 'type', type };
    if (id.includes('*')) {
      checkedScope(text, problemOfText(id, 'pattern', maxPatternBytes));
      return { kind: 'glob', type, pattern: id };
    }
  }
  return { kind: 'object', object: checkedScope(text, problemOfObject(text)) };
}

function checkedScope(text: string, problem: string | undefined): string {
  if (problem === undefined) return text;
  throw new PosternError(
    'INVALID_POLICY',
    `scope ${quote(text)} ${problem}; a scope is "*", "type:*", "type:id", "type:pattern*" or {type, regex}`,
  );
}

/**
 * The canonical text of a scope; equal texts mean equal scopes. The long forms
 * are JSON, and no type begins with a brace, so the text is unambiguous.
 */
export function formatScope(scope: Scope): string {
  const input = toScopeInput(scope);
  return typeof input === 'string' ? input : JSON.stringify(input);
}

/** The shortest form that parseScope reads back as the same scope. */
export function toScopeInput(scope: Scope): ScopeInput {
  switch (scope.kind) {
    case 'tenant':
      return '*';
    case 'type':
      return `${scope.type}:*`;
    case 'object':
      return scope.object.includes('*') ? { object: scope.object } : scope.object;
    case 'glob':
      return `${scope.type}:${scope.pattern}`;
    case 'regex':
      return { type: scope.type, regex: scope.regex };
  }
}
