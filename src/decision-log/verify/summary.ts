/** What the report says of one chain, beside its problems. Fed by the verifiers of chains. */
import type { Line } from './line.ts';
import { Ranges } from './ranges.ts';
import type { ChainReport } from './report.ts';
import { addTally, newTally, type Tally } from './run.ts';

interface Facts {
  readonly begins: ChainReport['begins'];
  /** Whether more was there, behind the range that was asked for. */
  readonly isRange: boolean;
  readonly problems: number;
}

export class Summary {
  readonly #tenant: string;
  readonly #instance: string;
  readonly #isChained: boolean;
  readonly #tally: Tally = newTally();
  readonly #logs = new Map<string, Readonly<Record<string, unknown>>>();
  #firstSeq = 0;
  #firstTime = '';
  #lastTime = '';
  #lastKind: Line['kind'] = 'decision';
  repeats = 0;
  #beginnings = 0;
  #refused = 0;
  readonly #refusedNumbers = new Ranges();

  constructor(tenant: string, instance: string, isChained: boolean) {
    this.#tenant = tenant;
    this.#instance = instance;
    this.#isChained = isChained;
  }

  /** A chain of this name begins here. */
  begin(): void {
    this.#beginnings++;
    this.#refusedNumbers.clear();
  }

  /** A line that is no repetition, in the order of the log. */
  note(line: Line): void {
    if (this.#firstTime === '') this.#firstTime = line.time;
    if (this.#firstSeq === 0 && line.after > line.before) this.#firstSeq = line.before + 1;
    this.#lastTime = line.time;
    this.#lastKind = line.kind;
    const { record } = line;
    // After a crash, what was refused is told once more.
    if (record?.type === 'gap' && record.cause === 'refused') {
      this.#refused += this.#refusedNumbers.add(record.first, record.last);
    }
    if (record?.type === 'start') this.#logs.set(JSON.stringify(record.log), record.log);
  }

  add(tally: Tally): void {
    addTally(this.#tally, tally);
  }

  report(
    { begins, isRange, problems }: Facts,
    end: { readonly seq: number; readonly hash: string },
    isChecked: (key: string) => boolean,
  ): ChainReport {
    const { signed, lines, decisions, changes, starts, crashes, lostMs, unboundedCrashes, gaps, seals, lastSeal } =
      this.#tally;
    return {
      tenant: this.#tenant,
      instance: this.#instance,
      chained: this.#isChained,
      lines,
      decisions,
      changes,
      repeats: this.repeats,
      firstSeq: this.#firstSeq,
      lastSeq: end.seq,
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
      lastHash: end.hash,
      begins,
      ends: isRange ? 'range' : this.#lastKind === 'stop' ? 'stop' : 'open',
      starts,
      anew: Math.max(0, this.#beginnings - 1),
      crashes,
      lostMs,
      unboundedCrashes,
      gaps: this.#refused === 0 ? gaps : { ...gaps, refused: this.#refused },
      seals,
      signers: Object.entries(signed).map(([key, count]) => ({ key, seals: count, isChecked: isChecked(key) })),
      lastSeal,
      unsealedLines: this.#tally.unsealedLines,
      logs: [...this.#logs.values()],
      problems,
    };
  }
}
