/**
 * Judges a change set by what it touches: the same answer as validate.ts on the whole graph that results, at a cost
 * that a million bindings do not add to. Called by whoever commits, on a snapshot that is valid.
 *
 * It is pure, and every step is linear and iterative. What costs a pass over the whole graph: deleting a role looks
 * through all bindings; declaring, changing or removing a type looks at all roles, objects and scopes, and
 * that of an attribute at all bindings; a new or stricter constraint, and an inclusion that makes a role hold more of a
 * constraint, look at all subjects.
 */
import type { Change } from '../model/change.ts';
import { type ChangeContext, toChanged } from './changed.ts';
import type { Snapshot } from './snapshot.ts';
import { checkChangedAttributes } from './validate-change-attributes.ts';
import { checkChangedConstraints } from './validate-change-constraints.ts';
import { checkChangedCycles } from './validate-change-cycles.ts';
import { checkChangedReferences } from './validate-change-references.ts';
import { checkChangedTypes } from './validate-change-types.ts';
import { createFieldCheck } from './validate-fields.ts';
import type { Suggest } from './validate-nearest.ts';
import { createReport, type Validation } from './validate-report.ts';

export interface ValidateChangesOptions {
  /** The candidate that was probably meant, or undefined where none is near. */
  readonly suggest: Suggest;
  /** Default 1,000. */
  readonly maxProblems?: number;
}

/**
 * Everything that changes have made wrong; no problems means that the graph after them may be put in force. The
 * `index` of a problem is the position of a change in `changes`.
 * @param before A valid graph.
 * @param after What applyChanges made of `before` and all of `changes`; see checkChangeFields for what to do before.
 */
export function validateChanges(
  before: Snapshot,
  after: Snapshot,
  changes: readonly Change[],
  { suggest, maxProblems }: ValidateChangesOptions,
): Validation {
  const list = createReport(maxProblems);
  const context: ChangeContext = { before, after, changed: toChanged(changes), suggest, list };
  const checkFields = createFieldCheck(after.options, list.report);
  for (const at of context.changed.puts) checkFields(at);
  checkChangedReferences(context);
  checkChangedCycles(context);
  checkChangedTypes(context);
  checkChangedAttributes(context);
  checkChangedConstraints(context);
  return list.result();
}
