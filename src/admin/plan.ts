/**
 * One change set from what was asked to what would be committed: expanded, compiled, validated and judged against one
 * snapshot. Pure but for the clock that it is given: nothing is written here. Called by administration.ts.
 */
import { applyChanges } from '../graph/apply.ts';
import { sameData } from '../graph/diff.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { checkChangeFields } from '../graph/validate-change-fields.ts';
import { validateChanges } from '../graph/validate-changes.ts';
import type { Suggest } from '../graph/validate-nearest.ts';
import type { Problem } from '../graph/validate-report.ts';
import type { Change } from '../model/change.ts';
import { type EntityRecord, entityKey } from '../model/entity.ts';
import { type ErrorCode, type FieldProblem, PosternError } from '../model/errors.ts';
import { problemOfObject, quote } from '../model/names.ts';
import { parseRecord } from '../model/parse-record.ts';
import { losesAdministrators } from './administrators.ts';
import type { Creation, RecordChange, RequestedChange } from './api.ts';
import { isNamedByHook, isUsed, recordsOfCreation, recordsOfRemoval, withBefore } from './expand.ts';
import { checkGates, mayCreate } from './gates.ts';
import { Holdings } from './holdings.ts';
import { type Case, recordsOfStep, type Step } from './steps.ts';
import { checkWidening, widens } from './widening.ts';

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

/** @throws PosternError INVALID_CHANGE, NOT_PERMITTED, ALREADY_EXISTS, NOT_FOUND, LAST_ADMINISTRATOR, CONDITION_FAILED */
export function planChanges(options: PlanOptions): Plan {
  const { snapshot, subject, nowMs, suggest } = options;
  checkRequested(options);
  const made = create(options);
  const { steps: others, removals } = expandOthers(options, made.snapshot);
  const asked = [...made.steps, ...others];
  const problems: FieldProblem[] = [];
  const judged: Case | undefined =
    subject === undefined
      ? undefined
      : {
          start: snapshot,
          holdings: new Holdings(made.snapshot, subject, nowMs),
          steps: asked,
          removals,
          report: (index, message) => problems.push({ field: `changes[${index}]`, message }),
        };
  if (judged !== undefined) checkGates(judged);
  throwIfAny('NOT_PERMITTED', problems);
  // Only now: whether something is there, and as it is asked for, is told to those who may change it.
  checkFound(asked, removals);
  const steps = asked.filter(isChange);
  const changes = steps.map(({ change }) => change);
  const after = applyChanges(snapshot, changes, snapshot.revision);
  const { problems: invalid, omitted } = validateChanges(snapshot, after, changes, { suggest });
  throwIfAny(
    'INVALID_CHANGE',
    invalid.map((problem) => toFieldProblem(problem, steps)),
    omitted,
  );
  if (judged !== undefined) checkWidening(judged, after);
  throwIfAny('NOT_PERMITTED', problems);
  if (!options.allowNoAdministrator && losesAdministrators(snapshot, after, nowMs)) {
    const what = 'nobody would be left who may "grant" on the tenant, without a condition and without an end';
    throw new PosternError('LAST_ADMINISTRATOR', `${what}; make somebody else an administrator first`);
  }
  return {
    changes,
    described: steps.map((step) => ({ ...recordsOfStep(step), widens: widens(step, snapshot, after) })),
  };
}

/** What can be said of each change by itself, before anything is looked up by it. */
function checkRequested({ snapshot, changes }: PlanOptions): void {
  const problems: FieldProblem[] = [];
  const places: number[] = [];
  const plain: Change[] = [];
  changes.forEach((change, index) => {
    if (change.op === 'put' || change.op === 'delete') {
      places.push(index);
      plain.push(change);
      return;
    }
    const problem = problemOfObject(change.object);
    const field = `changes[${index}].${change.op}.object`;
    if (problem !== undefined) problems.push({ field, message: `${quote(change.object)} ${problem}` });
  });
  const { problems: invalid, omitted } = checkChangeFields(plain, snapshot.options);
  problems.push(
    ...invalid.map((problem) => fieldProblem(problem, places[problem.index] as number, plain[problem.index] as Change)),
  );
  throwIfAny('INVALID_CHANGE', problems, omitted);
}

interface Created {
  /** The graph with what was created. */
  readonly snapshot: Snapshot;
  readonly steps: readonly Step[];
}

/** Creations come first, one after the other: what follows in the change set may be about what was created. */
function create({ snapshot, changes, subject, nowMs }: PlanOptions): Created {
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
    const records = recordsOfCreation(current, change, subject);
    const made = records.map((record) => withBefore(current, { op: 'put', record }));
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

function expandOthers(
  { changes }: PlanOptions,
  snapshot: Snapshot,
): { steps: readonly Step[]; removals: ReadonlyMap<number, string> } {
  const steps: Step[] = [];
  const removals = new Map<number, string>();
  changes.forEach((change, index) => {
    if (change.op === 'remove') {
      removals.set(index, change.object);
      for (const record of recordsOfRemoval(snapshot, change.object)) {
        steps.push({ change: toDelete(record), index, origin: 'removal' });
      }
    } else if (change.op !== 'create') {
      steps.push({ change: withBefore(snapshot, canonical(change)), index, origin: 'asked' });
    }
  });
  return { steps, removals };
}

/** Equal records have one form, and one key: a store would otherwise keep both of them. What cannot be parsed was refused. */
function canonical(change: Change): Change {
  if (change.op === 'put') return { op: 'put', record: parseRecord(change.record, 'a change') };
  return { op: 'delete', kind: change.kind, key: change.key };
}

function checkFound(steps: readonly Step[], removals: ReadonlyMap<number, string>): void {
  const missing: FieldProblem[] = [];
  for (const { change, index } of steps) {
    if (change.op === 'put' || change.before !== undefined) continue;
    missing.push({ field: `changes[${index}].delete`, message: `there is no ${change.kind} ${change.key}` });
  }
  for (const [index, object] of removals) {
    if (steps.some((step) => step.index === index)) continue;
    missing.push({ field: `changes[${index}].remove`, message: `${object} is not there` });
  }
  throwIfAny('NOT_FOUND', missing);
}

function toDelete(record: EntityRecord): Change {
  return { op: 'delete', kind: record.kind, key: entityKey(record), before: record };
}

/** Whether a step changes anything: what is as it should be is left alone, so that a commit can be sent again. */
function isChange({ change }: Step): boolean {
  return change.op === 'delete' || !sameData(change.record, change.before);
}

function toFieldProblem(problem: Problem, steps: readonly Step[]): FieldProblem {
  const step = steps[problem.index] as Step;
  if (step.origin === 'asked') return fieldProblem(problem, step.index, step.change);
  const doing = step.origin === 'creation' ? 'create' : 'remove';
  return { field: `changes[${step.index}].${doing}`, message: messageOf(problem) };
}

function fieldProblem(problem: Problem, index: number, change: Change): FieldProblem {
  const path = problem.field.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return { field: `changes[${index}].${change.op}.${problem.kind}${path}`, message: messageOf(problem) };
}

function messageOf({ message, suggestion }: Problem): string {
  return suggestion === undefined ? message : `${message} (did you mean ${quote(suggestion)}?)`;
}

const opening: Partial<Record<ErrorCode, string>> = {
  INVALID_CHANGE: 'the changes do not make a valid graph',
  NOT_PERMITTED: 'not permitted',
  NOT_FOUND: 'not found',
  ALREADY_EXISTS: 'already there',
};

function throwIfAny(code: ErrorCode, problems: readonly FieldProblem[], omitted = 0): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length + omitted - 1;
  const rest = more === 0 ? '' : ` (and ${more} more)`;
  const message = `${opening[code]}; nothing was written: ${first.field}: ${first.message}${rest}`;
  const metadata = { field: first.field, problems: String(problems.length + omitted) };
  throw new PosternError(code, message, metadata, undefined, problems);
}
