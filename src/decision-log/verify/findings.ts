/**
 * The problems of one chain, in the words of the report. It keeps the first ones
 * and counts all. Called by the verifiers of chains only.
 */
import { type Line, whereOf } from './line.ts';
import type { Problem, ProblemKind } from './report.ts';
import type { Seen } from './run.ts';

/** A problem, and the line where the log is first not as it should be. */
export interface Placed {
  readonly ordinal: number;
  readonly problem: Problem;
}

/** Further problems of one chain are counted and not kept. */
const maxKept = 1_000;

/** What a problem means, and what to do about it. */
const meanings: Readonly<Record<ProblemKind, string>> = {
  missing:
    'records were removed, or lost without being told; look for them in copies and in the spool of that instance',
  altered: 'what stands here was not written like that; compare it with a copy',
  duplicated: 'a record was changed, or put in; of the two, one is not genuine',
  reordered: 'lines were moved; nothing of them is missing',
  fork: 'two processes write under one name, or one goes on from an old copy of its spool: give each a name of its own',
  garbage: 'what stands here is no record: something was overwritten, or written by another program',
  signature: 'the seal was not made by the holder of that key over these lines: do not trust what stands before it',
  unsigned: 'whoever can write this log can have made these lines',
  unknown_key: 'name the file of its public key with --public-key, if that key is yours',
  cut: 'lines were cut off at the end, or you look at another log',
};

export class Findings {
  readonly #tenant: string;
  readonly #instance: string;
  readonly kept: Placed[] = [];
  count = 0;

  constructor(tenant: string, instance: string) {
    this.#tenant = tenant;
    this.#instance = instance;
  }

  /** About a line that was just read. */
  tell(line: Line, kind: ProblemKind, found: string): void {
    this.add(line.ordinal, this.of({ seq: line.seq, id: line.id, where: whereOf(line) }, kind, found));
  }

  of({ seq, id, where }: Pick<Seen, 'seq' | 'id' | 'where'>, kind: ProblemKind, found: string): Problem {
    const meaning = meanings[kind];
    return { kind, tenant: this.#tenant, instance: this.#instance, seq, id, where, found, meaning };
  }

  add(ordinal: number, problem: Problem): void {
    this.count++;
    if (this.kept.length < maxKept) this.kept.push({ ordinal, problem });
  }
}

/** "is missing", "3 numbers, 7 to 9, are missing": behind the first of them. */
export function missingUpTo(first: number, last: number): string {
  return first === last ? 'is missing' : `${last - first + 1} numbers, ${first} to ${last}, are missing`;
}
