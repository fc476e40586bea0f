/** Problems of a change set, told in the terms of whoever asked for it, and all at once. Called by the steps of a plan. */
import type { Problem } from '../graph/validate-report.ts';
import type { Change } from '../model/change.ts';
import { type ErrorCode, type FieldProblem, PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import type { Step } from './steps.ts';

/** A problem of a step, by its position among the steps. */
export function toFieldProblem(problem: Problem, steps: readonly Step[]): FieldProblem {
  const step = steps[problem.index] as Step;
  if (step.origin === 'asked') return fieldProblem(problem, step.index, step.change);
  const doing = step.origin === 'creation' ? 'create' : 'remove';
  return { field: `changes[${step.index}].${doing}`, message: messageOf(problem) };
}

/** A problem of one change of the request. */
export function fieldProblem(problem: Problem, index: number, change: Change): FieldProblem {
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

/** @throws PosternError of that code, where there is any problem; `omitted` more were found and left out */
export function throwIfAny(code: ErrorCode, problems: readonly FieldProblem[], omitted = 0): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length + omitted - 1;
  const rest = more === 0 ? '' : ` (and ${more} more)`;
  const message = `${opening[code]}; nothing was written: ${first.field}: ${first.message}${rest}`;
  const metadata = { field: first.field, problems: String(problems.length + omitted) };
  throw new PosternError(code, message, metadata, undefined, problems);
}
