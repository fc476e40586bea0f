/**
 * The runs of one chain that may still go on or be tied, in the order in which they began. Where a sink refused one
 * record in ten of a long backlog there are thousands, until their gap records come; so loose ones are found by the
 * number that they follow from, and others by comparing numbers before hashes. Used by the verifier of chains.
 */
import { hashOfBody, hashOfLine, type Line } from './line.ts';
import { append, type Run, type Tie } from './run.ts';

/** About 10 MB. More are not kept. */
const maxRuns = 10_000;
/** Each costs a hash. */
const maxSearched = 256;

export class Runs {
  readonly #all = new Set<Run>();
  /** Those that nothing ties, by the number that they follow from; -1 where they do not tell. */
  readonly #loose = new Map<number, Run[]>();

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Run> {
    return this.#all.values();
  }

  add(run: Run): void {
    this.#all.add(run);
    if (run.tie !== 'unknown') return;
    const { before } = run.first;
    const others = this.#loose.get(before);
    if (others === undefined) this.#loose.set(before, [run]);
    else others.push(run);
  }

  delete(run: Run): void {
    this.#all.delete(run);
    this.#loosen(run);
  }

  /** It is known what the run follows from, or that it follows from nothing. */
  tie(run: Run, tie: Tie): void {
    if (run.tie === 'unknown') this.#loosen(run);
    run.tie = tie;
  }

  /** Ties a run behind another one, which goes on as both. */
  append(run: Run, next: Run): void {
    this.delete(next);
    append(run, next);
  }

  #loosen(run: Run): void {
    const { before } = run.first;
    const others = (this.#loose.get(before) ?? []).filter((other) => other !== run);
    if (others.length === 0) this.#loose.delete(before);
    else this.#loose.set(before, others);
  }

  /** The run that a line follows from. */
  endingBefore({ before, hash, bytes, start, end }: Line, current: Run | undefined): Run | undefined {
    for (const run of this.#all) {
      if (run === current || (before >= 0 && run.number >= 0 && run.number !== before && run.count > 1)) continue;
      if (hashOfLine(run.head, bytes, start, end) === hash) return run;
    }
    return undefined;
  }

  endingWith(hash: string): Run | undefined {
    for (const run of this.#all) if (run.head === hash) return run;
    return undefined;
  }

  /** The loose run whose first line follows from a hash. @param number What the chain stood at there, where it is known. */
  following(hash: string, number: number): Run | undefined {
    const fits = ({ first }: Run) => hashOfBody(hash, first.body, 0, first.body.length) === first.hash;
    return this.#loose.get(number)?.find(fits) ?? this.#loose.get(-1)?.find(fits);
  }

  /** The same, for all numbers; where there are very many loose runs, nothing is found. */
  followingAnywhere(hash: string): Run | undefined {
    if (this.#loose.size > maxSearched) return undefined;
    for (const runs of this.#loose.values()) {
      const found = runs.find(({ first }) => hashOfBody(hash, first.body, 0, first.body.length) === first.hash);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The loose run that begins with this line. */
  beginningWith({ before, hash, bytes, start, end }: Line): Run | undefined {
    return this.#loose.get(before)?.find(({ first }) => {
      const { body } = first;
      return first.hash === hash && body.length < end - start && body.compare(bytes, start, start + body.length) === 0;
    });
  }

  /** Where there are too many, takes out the oldest that is not the first of the chain, nor among these. */
  takeOldest(current: Run | undefined, main: Run | undefined): Run | undefined {
    if (this.#all.size <= maxRuns) return undefined;
    for (const run of this.#all) {
      if (run.isFirst || run === current || run === main) continue;
      this.delete(run);
      return run;
    }
    return undefined;
  }
}
