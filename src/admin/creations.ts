/**
 * Creations of a change set: judged one after the other, each on the graph with those before it, and expanded with
 * what the hooks of their types grant. Called by plan.ts before anything else of the change set is looked at.
 */
import { applyChanges } from '../graph/apply.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { checkChangeFields } from '../graph/validate-change-fields.ts';
import { type EntityRecord, entityKey } from '../model/entity.ts';
import type { ErrorCode, FieldProblem } from '../model/errors.ts';
import type { Creation, RequestedChange } from './api.ts';
import { isNamedByHook, isUsed, recordsOfCreation, withBefore } from './expand.ts';
import { mayCreate } from './gates.ts';
import { Holdings } from './holdings.ts';
import { throwIfAny } from './problems.ts';
import type { Step } from './steps.ts';

export interface Created {
  /** The graph with what was created. */
  readonly snapshot: Snapshot;
  readonly steps: readonly Step[];
}

/**
 * Creations come first, one after the other: what follows in the change set may be about what was created.
 * @throws PosternError NOT_PERMITTED, ALREADY_EXISTS, INVALID_CHANGE
 */
export function create(
  snapshot: Snapshot,
  changes: readonly RequestedChange[],
  subject: string | undefined,
  nowMs: number,
): Created {
  const steps: Step[] = [];
  let current = snapshot;
  const problems: { code: ErrorCode; problem: FieldProblem }[] = [];
  changes.forEach((change, index) => {
    if (change.op !== 'create') return;
    const problem = problemOfCreation(current, change, subject, nowMs);
    if (problem !== undefined) {
      problems.push({ code: problem.code, problem: { field: `changes[${index}].create`, message: problem.message } });
      return;
    }
    const records = withoutRepeats(recordsOfCreation(current, change, subject));
    const made = records
      .map((record) => withBefore(current, { op: 'put', record }))
      .filter(({ before }) => !isLocked(before));
    const { problems: invalid } = checkChangeFields(made, snapshot.options);
    throwIfAny(
      'INVALID_CHANGE',
      invalid.map(({ message }) => ({ field: `changes[${index}].create`, message })),
    );
    current = applyChanges(current, made, snapshot.revision);
    for (const one of made) steps.push({ change: one, index, origin: 'creation' });
  });
  const code = problems[0]?.code;
  if (code !== undefined)
    throwIfAny(
      code,
      problems.map(({ problem }) => problem),
    );
  return { snapshot: current, steps };
}

function problemOfCreation(
  snapshot: Snapshot,
  { object, parents = [] }: Creation,
  subject: string | undefined,
  nowMs: number,
): { code: ErrorCode; message: string } | undefined {
  const below = parents.map((parent) => parent.object);
  if (subject !== undefined && !mayCreate(snapshot, subject, object, below, nowMs)) {
    const where = below.length === 0 ? 'on its type or on the tenant' : `on each of ${below.join(', ')}`;
    return {
      code: 'NOT_PERMITTED',
      message: `${subject} may not create ${object}: it takes the action "create" for it ${where}`,
    };
  }
  if (isUsed(snapshot, object)) {
    const what = `${object} is there already, or members, bindings or objects are about it`;
    return { code: 'ALREADY_EXISTS', message: `${what}; take another name, or remove it first` };
  }
  // What a hook grants to it was granted by who wrote the hook: only who may write one may say who it is.
  const mayName = subject === undefined || new Holdings(snapshot, subject, nowMs).may('manage_policy', '');
  if (mayName || !isNamedByHook(snapshot, object)) return undefined;
  const message = `a hook names ${object}: to create it takes the action "manage_policy" on the tenant, too`;
  return { code: 'ALREADY_EXISTS', message };
}

/** A hook may grant one thing to one subject by two ways: one of them is enough, a locked one before others. */
function withoutRepeats(records: readonly EntityRecord[]): EntityRecord[] {
  const kept = new Map<string, EntityRecord>();
  for (const record of records) {
    const key = JSON.stringify([record.kind, entityKey(record)]);
    if (!isLocked(kept.get(key))) kept.set(key, record);
  }
  return [...kept.values()];
}

/** What is locked stays as it is, also where a hook would grant it anew. */
function isLocked(record: EntityRecord | undefined): boolean {
  return record?.kind === 'binding' && record.locked === true;
}
