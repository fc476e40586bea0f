/** What validation says, and the bounded list that it is said in. Called by validate.ts and its parts. */
import { type EntityKind, type EntityRecord, entityKey } from '../model/entity.ts';

/** One thing that is wrong with one record. */
export interface Problem {
  /** Position of the record among those given. */
  readonly index: number;
  readonly kind: EntityKind;
  /** Identity of the record within its kind; see entityKey. */
  readonly key: string;
  /** Where in the record: ["permissions", 0, "actions", 2]. */
  readonly field: readonly (string | number)[];
  readonly message: string;
  /** What was probably meant instead of the text at `field`. */
  readonly suggestion?: string;
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
  readonly problems: readonly Problem[];
  /** How many were reported past the bound. */
  readonly omitted: () => number;
}

export function createReport(maxProblems: number): ProblemList {
  const problems: Problem[] = [];
  let omitted = 0;
  const report: Report = ({ record, index }, field, message, suggestion) => {
    if (problems.length >= maxProblems) {
      omitted++;
      return;
    }
    const problem = { index, kind: record.kind, key: entityKey(record), field, message };
    problems.push(suggestion === undefined ? problem : { ...problem, suggestion });
  };
  return { report, problems, omitted: () => omitted };
}
