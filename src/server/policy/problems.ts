/** Collects what is wrong with a request, so that its sender is told all of it at once. One for each request. */
import { type FieldProblem, PosternError } from '../../model/errors.ts';

/** Problems that are kept; those beyond are counted. A request of some megabytes can have millions. */
const maxKept = 10_000;
/**
 * How much is tried to tell every problem of a record: looking at a part costs 1, finding it wrong 10 more. Whatever
 * is sent, a sidecar must not be kept from deciding for longer than some tenths of a second.
 */
const maxEffort = 120_000;

export interface Problems {
  /** @param message What is wrong, as it goes on after the field: "is empty". */
  add(field: string, message: string): void;
  /** All, kept or not. */
  readonly count: number;
  /** Whether there is effort left to look for another problem of the same record; there may be more where not. */
  mayLook(): boolean;
  /** Those that were kept. */
  readonly kept: readonly FieldProblem[];
  /** @throws PosternError INVALID_REQUEST with all problems, where there is one */
  refuse(): void;
}

export function createProblems(): Problems {
  const kept: FieldProblem[] = [];
  let count = 0;
  let effort = 0;
  let incomplete = false;
  return {
    kept,
    get count() {
      return count;
    },
    mayLook() {
      effort++;
      if (effort > maxEffort) incomplete = true;
      return effort <= maxEffort;
    },
    add(field, message) {
      count++;
      effort += 10;
      if (count <= maxKept) kept.push({ field, message });
    },
    refuse() {
      const [first] = kept;
      if (first === undefined) return;
      const { field, message } = first;
      const many = incomplete ? `at least ${count}` : count;
      throw count === 1
        ? new PosternError('INVALID_REQUEST', `${field} ${message}`, { field }, undefined, kept)
        : new PosternError(
            'INVALID_REQUEST',
            `the request has ${many} problems, and nothing was done; correct them all and send it again`,
            { field, problems: String(count) },
            undefined,
            kept,
          );
    },
  };
}
