/**
 * Verifies what one instance wrote for one tenant before lines were chained by
 * hashes: only whether numbers are missing without a gap record, or stand
 * twice with different lines. What was changed within a line cannot be seen.
 */
import { Findings, missingUpTo, type Placed } from './findings.ts';
import { hashOfBody, type Line, whereOf } from './line.ts';
import type { ChainReport } from './report.ts';
import { count, newTally } from './run.ts';
import { Summary } from './summary.ts';
import { Window } from './window.ts';

/** Numbers that have not come yet, and where that was noticed. */
interface Missing {
  readonly first: number;
  readonly last: number;
  readonly where: string;
  readonly ordinal: number;
}

/** Of more ranges than this, the oldest are told at once. */
const maxMissing = 256;

export class UnchainedVerifier {
  readonly #findings: Findings;
  readonly #summary: Summary;
  readonly #tally = newTally();
  readonly window = new Window();
  #missing: Missing[] = [];
  #number = -1;
  #begins: ChainReport['begins'] = 'start';
  lastOrdinal = 0;

  constructor(tenant: string, instance: string) {
    this.#findings = new Findings(tenant, instance);
    this.#summary = new Summary(tenant, instance, false);
  }

  add(line: Line): void {
    this.lastOrdinal = line.ordinal;
    const { record } = line;
    const first = record?.type === 'gap' ? record.first : line.seq;
    const last = record?.type === 'gap' ? record.last : line.seq;
    const digest = hashOfBody('', line.bytes, line.start, line.end);
    if (this.window.previousOf(digest, last) !== undefined) {
      this.#summary.repeats++;
      return;
    }
    if (this.#number < 0) {
      this.#number = first - 1;
      this.#begins = first === 1 ? 'start' : 'middle';
      this.#summary.begin();
    }
    if (first > this.#number) this.#go(line, first, last);
    else if (!this.#fill(first, last) && !this.#isAgain(line, first, last)) return;
    this.window.push(digest, '', last);
    count(this.#tally, line);
    this.#summary.note(line);
  }

  #go(line: Line, first: number, last: number): void {
    if (first > this.#number + 1) {
      this.#missing.push({ first: this.#number + 1, last: first - 1, where: whereOf(line), ordinal: line.ordinal });
      if (this.#missing.length > maxMissing) this.#tellMissing(this.#missing.shift() as Missing);
    }
    this.#number = last;
  }

  /** Whether numbers that were missing have come now, or are told by a gap record. */
  #fill(first: number, last: number): boolean {
    const before = this.#missing;
    this.#missing = before.flatMap((range) => {
      if (last < range.first || first > range.last) return [range];
      const left = { ...range, last: first - 1 };
      const right = { ...range, first: last + 1 };
      return [left, right].filter((part) => part.last >= part.first);
    });
    return this.#missing.length !== before.length || this.#missing.some((range, i) => range !== before[i]);
  }

  /** Whether a line whose number is past begins anew with it; else it is a problem, or too far back to tell. */
  #isAgain(line: Line, first: number, last: number): boolean {
    if (first === 1) {
      // A process of the same name began again.
      for (const range of this.#missing) this.#tellMissing(range);
      this.#missing = [];
      this.window.clear();
      this.#number = last;
      this.#summary.begin();
      return true;
    }
    if (this.window.at(last).length > 0) this.#findings.tell(line, 'duplicated', 'is a second line with that number');
    else this.#summary.repeats++;
    return false;
  }

  #tellMissing({ first, last, where, ordinal }: Missing): void {
    const found = `${missingUpTo(first, last)} before the line that stands here, and no gap record says so`;
    this.#findings.add(ordinal, this.#findings.of({ seq: first, id: '', where }, 'missing', found));
  }

  finish(isRange: boolean): { readonly report: ChainReport; readonly problems: readonly Placed[] } {
    for (const range of this.#missing) this.#tellMissing(range);
    this.#missing = [];
    this.#summary.add(this.#tally);
    const facts = { begins: this.#begins, isRange, problems: this.#findings.count };
    const report = this.#summary.report(facts, { seq: this.#number, hash: '' }, () => false);
    return { report, problems: this.#findings.kept };
  }
}
