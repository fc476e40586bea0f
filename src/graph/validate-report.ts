/** What validation says, and the bounded list that it is said in. Called by validate.ts, validate-changes.ts and their parts. */
import { type EntityKind, type EntityRecord, entityKey } from '../model/entity.ts';

/** One thing that is wrong with one record. */
export interface Problem {
  /** Position of the record among those given, or of the change. */
  readonly index: number;
  readonly kind: EntityKind;
  /** Identity of the record within its kind; see entityKey. */
  readonly key: string;
  /** Where in the record: ["permissions", 0, "actions", 2]; empty where it is the record itself, or its deletion. */
  readonly field: readonly (string | number)[];
  readonly message: string;
  /** What was probably meant instead of the text at `field`. */
  readonly suggestion?: string;
}

export interface Validation {
  /** In the order in which they were found; at most options.maxProblems. */
  readonly problems: readonly Problem[];
  /** How many more there are. */
  readonly omitted: number;
}

/** A record and its position among those given. */
export interface Placed<R extends EntityRecord = EntityRecord> {
  readonly record: R;
  readonly index: number;
}

/** Notes a problem of one record. */
export type Report = (at: Placed, field: Problem['field'], message: string, suggestion?: string) => void;

export interface ProblemList {
  readonly report: Report;
  /** Notes a problem of what may not be a record any more. */
  readonly add: (problem: Problem) => void;
  /** Whether what is noted from now on is counted only, so that its message need not be made: then omit it. */
  readonly isFull: () => boolean;
  readonly omit: () => void;
  readonly result: () => Validation;
}

const defaultMaxProblems = 1_000;

export function createReport(maxProblems: number = defaultMaxProblems): ProblemList {
  const problems: Problem[] = [];
  let omitted = 0;
  const isFull = () => problems.length >= maxProblems;
  const omit = () => {
    omitted++;
  };
  const add = (problem: Problem) => {
    if (isFull()) omit();
    else problems.push(problem);
  };
  const report: Report = ({ record, index }, field, message, suggestion) => {
    if (isFull()) return omit();
    const problem = { index, kind: record.kind, key: entityKey(record), field, message };
    problems.push(suggestion === undefined ? problem : { ...problem, suggestion });
  };
  return { report, add, isFull, omit, result: () => ({ problems, omitted }) };
}
