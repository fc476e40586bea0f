/** Scopes as text, which is how the wire has them: canonical, with JSON for the long forms. */
import { messageOf } from '../../model/errors.ts';
import { formatScope, parseScope, type ScopeInput } from '../../model/scope.ts';
import { scopeDraftOf } from '../../model/scope-text.ts';
import type { Problems } from './problems.ts';

/** The scope as a record would hold it, still untrusted; undefined where it is not even JSON of texts, which is a problem. */
export function toScopeDraft(text: string, field: string, problems: Problems): unknown {
  try {
    return scopeDraftOf(text);
  } catch (error) {
    problems.add(field, messageOf(error));
    return undefined;
  }
}

/** The canonical text of a scope. */
export function fromScope(scope: ScopeInput): string {
  // What is text in a record is canonical already.
  return typeof scope === 'string' ? scope : formatScope(parseScope(scope));
}
