/** One thing that is wrong with a policy file or a test file, placed where an editor can jump to. */
import type { EntityRecord } from '../model/entity.ts';

/** Keys and positions from the root of the document: ["bindings", 3, "role"]. */
export type Path = readonly (string | number)[];

export interface PolicyProblem {
  readonly file: string;
  /** From 1; 0 where the problem is the file itself. */
  readonly line: number;
  /** From 1, in UTF-16 units; 0 where the problem is the file itself. */
  readonly column: number;
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string;
  readonly path: Path;
  /** The text of the line, or empty. */
  readonly sourceLine: string;
}

/** What is wrong with a file; at least one problem. */
export interface Rejected {
  readonly ok: false;
  readonly problems: readonly PolicyProblem[];
  /** How many more there are. */
  readonly omitted: number;
}

export interface ParsedPolicy {
  readonly ok: true;
  /** In the order of entityKinds. */
  readonly records: readonly EntityRecord[];
  /** What is legal but probably not meant. */
  readonly warnings: readonly PolicyProblem[];
}

export type PolicyResult = ParsedPolicy | Rejected;

/** A file that could not be looked into at all. */
export function rejectFile(file: string, message: string): Rejected {
  return { ok: false, problems: [{ file, line: 0, column: 0, message, path: [], sourceLine: '' }], omitted: 0 };
}
