/**
 * One change set from what was asked to what would be committed: expanded, compiled, validated and judged against one
 * snapshot. Pure but for the clock that it is given: nothing is written here, and no name stays behind. Called by
 * administration.ts.
 */
import { applyChanges } from '../graph/apply.ts';
import { sameData } from '../graph/diff.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { validateChanges } from '../graph/validate-changes.ts';
import type { Suggest } from '../graph/validate-nearest.ts';
import type { Change } from '../model/change.ts';
import { type EntityRecord, entityKey } from '../model/entity.ts';
import { type FieldProblem, PosternError } from '../model/errors.ts';
import { parseRecord } from '../model/parse-record.ts';
import { checkAdministrators } from './administrators.ts';
import type { RecordChange, RequestedChange } from './api.ts';
import { checkExpressions, checkShapes } from './check-requested.ts';
import { create } from './creations.ts';
import { recordsOfRemoval, withBefore } from './expand.ts';
import { checkGates } from './gates.ts';
import { Holdings } from './holdings.ts';
import { throwIfAny, toFieldProblem } from './problems.ts';
import { type Case, recordsOfStep, refuse, type Step } from './steps.ts';
import { checkWidening, widens } from './widening.ts';

/** Records that one change set may come to, with what removals take along. */
const maxSteps = 100_000;

export interface PlanOptions {
  readonly snapshot: Snapshot;
  readonly changes: readonly RequestedChange[];
  /** Whom it is judged for; undefined for an operator, who may do whatever is valid. */
  readonly subject: string | undefined;
  readonly allowNoAdministrator: boolean;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly suggest: Suggest;
}

export interface Plan {
  /** What to commit; empty where everything is as asked already. */
  readonly changes: readonly Change[];
  readonly described: readonly RecordChange[];
}

/**
 * @throws PosternError INVALID_CHANGE, NOT_PERMITTED, ALREADY_EXISTS, NOT_FOUND, LAST_ADMINISTRATOR, LIMIT_EXCEEDED,
 * CONDITION_FAILED
 */
export function planChanges(options: PlanOptions): Plan {
  // Trying out a change must not make the graph know its names for ever.
  const forget = options.snapshot.names.remember();
  try {
    return plan(options);
  } finally {
    forget();
  }
}

function plan(options: PlanOptions): Plan {
  const { snapshot, changes: requested, subject, nowMs } = options;
  checkShapes(requested);
  const made = create(snapshot, requested, subject, nowMs);
  const problems: FieldProblem[] = [];
  const missing: FieldProblem[] = [];
  const removals = removalsOf(requested);
  const steps: Step[] = [...made.steps];
  const judged: Case | undefined =
    subject === undefined
      ? undefined
      : {
          start: snapshot,
          holdings: new Holdings(made.snapshot, subject, nowMs),
          steps,
          removals,
          report: (index, message) => problems.push({ field: `changes[${index}]`, message }),
          reportMissing: (index, message) => missing.push({ field: `changes[${index}].put`, message }),
        };
  if (judged !== undefined) checkRemovals(judged);
  throwIfAny('NOT_PERMITTED', problems);
  steps.push(...expandOthers(requested, made.snapshot));
  if (judged !== undefined) checkGates(judged);
  throwIfAny('NOT_PERMITTED', problems);
  // Only now: whether something is there, and as it is asked for, is told to those who may change it.
  throwIfAny('NOT_FOUND', [...missing, ...missingAmong(steps, removals)]);
  checkExpressions(requested, snapshot);
  return finish(options, steps.filter(isChange), judged, problems);
}

function finish(
  { snapshot, allowNoAdministrator, nowMs, suggest }: PlanOptions,
  steps: readonly Step[],
  judged: Case | undefined,
  problems: readonly FieldProblem[],
): Plan {
  const changes = steps.map(({ change }) => change);
  const after = applyChanges(snapshot, changes, snapshot.revision);
  // A suggestion names what is there: that is for those who may read it.
  const mayRead = judged === undefined || judged.holdings.may('read_policy', '');
  const { problems: invalid, omitted } = validateChanges(snapshot, after, changes, {
    suggest: mayRead ? suggest : () => undefined,
  });
  throwIfAny(
    'INVALID_CHANGE',
    invalid.map((problem) => toFieldProblem(problem, steps)),
    omitted,
  );
  if (judged !== undefined) checkWidening({ ...judged, steps }, after);
  throwIfAny('NOT_PERMITTED', problems);
  if (!allowNoAdministrator) {
    checkAdministrators(snapshot, after, nowMs, 'make somebody else an administrator first');
  }
  return {
    changes,
    described: steps.map((step) => ({ ...recordsOfStep(step), widens: widens(step, snapshot, after) })),
  };
}

function removalsOf(changes: readonly RequestedChange[]): ReadonlyMap<number, string> {
  return new Map(
    [...changes.entries()].flatMap(([index, change]) =>
      change.op === 'remove' ? [[index, change.object] as const] : [],
    ),
  );
}

/** Before they are expanded: what hangs on a name may be much. */
function checkRemovals(judged: Case): void {
  for (const [index, object] of judged.removals) {
    if (!judged.holdings.may('delete', object)) refuse(judged, index, `remove ${object}`, 'delete', `on ${object}`);
  }
}

function expandOthers(changes: readonly RequestedChange[], snapshot: Snapshot): readonly Step[] {
  const steps: Step[] = [];
  // What is deleted by name as well as with something else is deleted once.
  const removed = new Set(
    changes.flatMap((change) => (change.op === 'delete' ? [JSON.stringify([change.kind, change.key])] : [])),
  );
  changes.forEach((change, index) => {
    if (change.op === 'remove') {
      for (const record of recordsOfRemoval(snapshot, change.object)) {
        const key = JSON.stringify([record.kind, entityKey(record)]);
        if (!removed.has(key)) steps.push({ change: toDelete(record), index, origin: 'removal' });
        removed.add(key);
      }
    } else if (change.op !== 'create') {
      steps.push({ change: withBefore(snapshot, canonical(change)), index, origin: 'asked' });
    }
    if (steps.length > maxSteps) {
      const message = `the changes come to more than ${maxSteps} records with all that is removed along; split them`;
      throw new PosternError('LIMIT_EXCEEDED', message, { field: 'changes', limit: String(maxSteps) });
    }
  });
  return steps;
}

/** Equal records have one form, and one key: a store would otherwise keep both of them. What cannot be parsed was refused. */
function canonical(change: Change): Change {
  if (change.op === 'put') return { op: 'put', record: parseRecord(change.record, 'a change') };
  return { op: 'delete', kind: change.kind, key: change.key };
}

/** What is to be deleted or removed, and is not there. */
function missingAmong(steps: readonly Step[], removals: ReadonlyMap<number, string>): FieldProblem[] {
  const missing: FieldProblem[] = [];
  const found = new Set(steps.map(({ index }) => index));
  for (const { change, index } of steps) {
    if (change.op === 'put' || change.before !== undefined) continue;
    missing.push({ field: `changes[${index}].delete`, message: `there is no ${change.kind} ${change.key}` });
  }
  for (const [index, object] of removals) {
    if (!found.has(index)) missing.push({ field: `changes[${index}].remove`, message: `${object} is not there` });
  }
  return missing;
}

function toDelete(record: EntityRecord): Change {
  return { op: 'delete', kind: record.kind, key: entityKey(record), before: record };
}

/** Whether a step changes anything: what is as it should be is left alone, so that a commit can be sent again. */
function isChange({ change }: Step): boolean {
  return change.op === 'delete' || !sameData(change.record, change.before);
}
