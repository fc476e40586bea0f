/**
 * What is wrong with the changes of a request by themselves. Names and shapes come before anything is looked up;
 * expressions are compiled only for those who may make the changes. Called by plan.ts.
 */
import type { Snapshot } from '../graph/snapshot.ts';
import { checkChangeFields } from '../graph/validate-change-fields.ts';
import type { Change } from '../model/change.ts';
import { entityKey } from '../model/entity.ts';
import type { FieldProblem } from '../model/errors.ts';
import { problemOfObject, quote } from '../model/names.ts';
import type { RequestedChange } from './api.ts';
import { fieldProblem, throwIfAny } from './problems.ts';

const compileNothing = {
  compileRegex: () => ({ instructions: 0 }),
  compileCondition: () => {},
  checkCondition: () => undefined,
};

/** @throws PosternError INVALID_CHANGE */
export function checkShapes(changes: readonly RequestedChange[]): void {
  const problems: FieldProblem[] = [];
  const seen = new Map<string, number>();
  changes.forEach((change, index) => {
    const key = identityOf(change);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    else
      problems.push({
        field: `changes[${index}]`,
        message: `is about the same as changes[${first}]; send one of them`,
      });
    if (change.op === 'put' || change.op === 'delete') return;
    const problem = problemOfObject(change.object);
    const field = `changes[${index}].${change.op}.object`;
    if (problem !== undefined) problems.push({ field, message: `${quote(change.object)} ${problem}` });
  });
  checkFields(changes, compileNothing, problems);
}

/** Compiles the expressions that changes hold. @throws PosternError INVALID_CHANGE */
export function checkExpressions(changes: readonly RequestedChange[], { options }: Snapshot): void {
  checkFields(changes, options, []);
}

function checkFields(
  changes: readonly RequestedChange[],
  compilers: Parameters<typeof checkChangeFields>[1],
  problems: FieldProblem[],
): void {
  const places: number[] = [];
  const plain: Change[] = [];
  changes.forEach((change, index) => {
    if (change.op !== 'put' && change.op !== 'delete') return;
    places.push(index);
    plain.push(change);
  });
  const { problems: invalid, omitted } = checkChangeFields(plain, compilers);
  for (const problem of invalid) {
    problems.push(fieldProblem(problem, places[problem.index] as number, plain[problem.index] as Change));
  }
  throwIfAny('INVALID_CHANGE', problems, omitted);
}

function identityOf(change: RequestedChange): string {
  if (change.op === 'put') return JSON.stringify([change.record.kind, entityKey(change.record)]);
  return JSON.stringify(change.op === 'delete' ? [change.kind, change.key] : [change.op, change.object]);
}
