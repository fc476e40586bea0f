/** Scopes as text, which is how the wire has them: canonical, with JSON for the long forms. */
import { messageOf } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';
import { formatScope, parseScope, type ScopeInput } from '../../model/scope.ts';
import type { Problems } from './problems.ts';

/** The scope as a record would hold it, still untrusted; undefined where it is not even JSON, which is a problem. */
export function toScopeDraft(text: string, field: string, problems: Problems): unknown {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    problems.add(
      field,
      `${quote(text)} is not JSON (${messageOf(error)}); write {"object":"doc:a*"} or {"type":"doc","regex":"a+"}`,
    );
    return undefined;
  }
}

/** The canonical text of a scope. */
export function fromScope(scope: ScopeInput): string {
  // What is text in a record is canonical already.
  return typeof scope === 'string' ? scope : formatScope(parseScope(scope));
}
