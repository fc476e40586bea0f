/**
 * Verifies one chain: what one instance wrote for one tenant. It is given lines
 * in the order in which they stand in the log, and ties each to the one that it
 * follows from, by its hash. What follows from nothing begins a run of its own;
 * a run that is not tied by the end is a problem (loose.ts). So lines that
 * came again, or in another order, or that a gap record stands for, are no
 * problem, and everything else is. Memory is bounded, however long the chain.
 */
import { EarlyLines } from './early.ts';
import { Findings, namesOf, type Placed } from './findings.ts';
import { hashOfBody, hashOfLine, type Line, numberFrom } from './line.ts';
import { tellLoose } from './loose.ts';
import type { ChainReport } from './report.ts';
import { append, count, newTally, type Run, type Tie, toSeen } from './run.ts';
import { SealCheck, type SealKeys } from './seals.ts';
import { Summary } from './summary.ts';
import { Window } from './window.ts';

/** More runs than this are not kept: what is loose among the oldest is told at once. */
const maxRuns = 64;
/** Beyond the window, a chain that comes again is compared at one line of so many. */
const checkpointLines = 4_096;

export class ChainVerifier {
  readonly #seals: SealCheck;
  readonly #isNew: boolean;
  readonly #findings: Findings;
  readonly #summary: Summary;
  readonly window = new Window();
  #runs: Run[] = [];
  /** The run of the last line. */
  #current: Run | undefined;
  /** The last run that is no repetition. */
  #main: Run | undefined;
  readonly #starts = new Set<string>();
  readonly #checkpoints = new Map<number, string>();
  readonly #early: EarlyLines;
  #generation = 0;
  #isCrossed = false;
  lastOrdinal = 0;

  /** @param isNew Whether lines of older versions stand before it, so that it has to begin with a start. */
  constructor(tenant: string, instance: string, keys: SealKeys, isNew: boolean) {
    this.#isNew = isNew;
    this.#findings = new Findings(tenant, instance);
    this.#early = new EarlyLines(this.#findings);
    this.#seals = new SealCheck(keys, this.#findings);
    this.#summary = new Summary(tenant, instance, true);
  }

  /**
   * The next line of this chain, which has a hash.
   * @param parse Parses the line strictly; throws where it is no record, and then the line is not counted.
   * @param previous The hash of the line before the first one, where it is known.
   */
  add(line: Line, parse: () => void, previous: string | undefined): void {
    const hash = line.hash as string;
    const current = this.#current;
    this.lastOrdinal = line.ordinal;
    const head = current === undefined ? previous : current.head;
    const wouldBe = head === undefined ? '' : hashOfLine(head, line.bytes, line.start, line.end);
    if (this.#early.isWaiting) this.#early.settle(hash);
    if (wouldBe === hash && current !== undefined) this.#extend(current, line);
    else {
      parse();
      this.#place(line, hash, wouldBe, previous);
    }
  }

  /** A line of a chain that has hashes, without one. */
  addUnhashed(line: Line): void {
    this.#findings.tell(line, 'altered', 'has no hash');
  }

  finish(isRange: boolean): { readonly report: ChainReport; readonly problems: readonly Placed[] } {
    this.#early.settle('');
    const beginning = this.#runs.find((run) => run.isFirst && run.tie !== 'beginning');
    for (const run of this.#runs) this.#finishRun(run);
    this.#runs = [];
    if (this.#main !== undefined) this.#seals.end(this.#main.first);
    const { kept, count: problems } = this.#findings;
    const facts = { begins: beginning === undefined ? 'start' : 'middle', isRange, problems } as const;
    const end = { seq: this.#main?.number ?? 0, hash: this.#main?.head ?? '' };
    return { report: this.#summary.report(facts, end, (key) => this.#seals.keys.has(key)), problems: kept };
  }

  /** A line that does not follow from the last one. */
  #place(line: Line, hash: string, wouldBe: string, previous: string | undefined): void {
    const { bytes, start, end, record } = line;
    const before = this.window.previousOf(hash, line.after);
    if (before !== undefined) {
      if (hashOfLine(before, bytes, start, end) === hash || this.#isFirstAgain(line)) this.#summary.repeats++;
      else this.#findings.tell(line, 'duplicated', 'comes again, and is not the same as before');
      return;
    }
    const other = this.#runs.find((run) => run !== this.#current && hashOfLine(run.head, bytes, start, end) === hash);
    if (other !== undefined) {
      this.#goBackTo(other, line);
      return;
    }
    const isBeginning = record?.type === 'start' && record.after === 'nothing';
    if (isBeginning && hashOfLine('', bytes, start, end) === hash) this.#begin(line, hash);
    else if (this.#current === undefined) this.#openFirst(line, isBeginning, wouldBe === hash, previous);
    else if (this.#isHashAltered(line, hash)) this.#extend(this.#current, line);
    else this.#placeApart(line, hash, wouldBe);
  }

  /** The same line as the first of a loose run, of which it is not known yet what stands before it. */
  #isFirstAgain({ hash, bytes, start, end }: Line): boolean {
    const run = this.#runs.find(({ tie, first }) => tie === 'unknown' && first.hash === hash);
    if (run === undefined) return false;
    const { body } = run.first;
    return body.length < end - start && body.compare(bytes, start, start + body.length) === 0;
  }

  #openFirst(line: Line, isBeginning: boolean, isTied: boolean, previous: string | undefined): void {
    const isWrong = isBeginning || this.#isNew || (previous !== undefined && !isTied);
    if (this.#isNew) this.#findings.tell(line, 'altered', 'is the first with a hash, and begins no chain');
    else if (isBeginning) this.#findings.tell(line, 'altered', 'begins a chain, and its hash is that of another text');
    else if (isWrong) this.#findings.tell(line, 'altered', 'does not follow from the line before it');
    this.#open(line, isWrong ? 'told' : isTied ? 'line' : 'unknown', previous ?? '', '');
  }

  /** The line before was as it is, but for its hash: this one follows from what its hash should be. */
  #isHashAltered(line: Line, hash: string): boolean {
    const run = this.#current as Run;
    if (run.count !== 1 || run.tie !== 'unknown' || run.wouldBe === '') return false;
    if (hashOfLine(run.wouldBe, line.bytes, line.start, line.end) !== hash) return false;
    const found = 'has another hash than its text and the line before make';
    this.#findings.add(run.first.ordinal, this.#findings.of(run.first, 'altered', found));
    run.tie = 'told';
    run.head = run.wouldBe;
    return true;
  }

  /** A line that follows from none of the last lines of runs. */
  #placeApart(line: Line, hash: string, wouldBe: string): void {
    const { bytes, start, end } = line;
    for (const before of line.before < 0 ? [] : this.window.at(line.before)) {
      const made = hashOfLine(before, bytes, start, end);
      if (made === hash) {
        this.#findings.tell(line, 'fork', 'follows from a line that another one follows from already');
        this.#open(line, 'told', before, wouldBe);
        return;
      }
      if (this.window.previousOf(made, line.after) !== undefined) {
        this.#findings.tell(line, 'duplicated', 'comes again, with another hash');
        return;
      }
    }
    this.#open(line, 'unknown', (this.#current as Run).head, wouldBe);
  }

  #begin(line: Line, hash: string): void {
    // So far back that the window has lost it: the same lines once more, from the first on.
    const isAgain = this.#starts.has(hash);
    if (!isAgain) {
      this.#starts.add(hash);
      this.#generation++;
      this.#summary.beginnings++;
    }
    this.#open(line, isAgain ? 'again' : 'beginning', '', '');
  }

  #goBackTo(run: Run, line: Line): void {
    if (run.generation < this.#generation && !this.#isCrossed) {
      this.#isCrossed = true;
      this.#findings.tell(line, 'fork', 'belongs to a chain of this name that was begun anew already');
    }
    this.#current = run;
    this.#extend(run, line);
  }

  #open(line: Line, tie: Tie, previous: string, wouldBe: string): void {
    const behind = this.#main?.number ?? 0;
    const run: Run = {
      first: toSeen(line),
      tie,
      isFirst: this.#main === undefined,
      head: line.hash as string,
      number: numberFrom(behind, line),
      count: 1,
      generation: this.#generation,
      isPast: tie === 'again' || (tie === 'unknown' && line.before >= 0 && line.before < behind),
      told: -1,
      numberBehind: behind,
      wouldBe,
      tally: newTally(),
    };
    this.#runs.push(run);
    this.#current = run;
    this.#take(run, line, previous);
    if (this.#runs.length > maxRuns) this.#settleOldest();
    if (this.#runs.length > 1 && !run.isPast) this.#join();
  }

  #extend(run: Run, line: Line): void {
    const previous = run.head;
    if (line.before >= 0 && line.before !== run.number) {
      if (run.count === 1 && run.tie === 'unknown') run.told = line.before;
      else this.#tellNumber(run, line);
    }
    run.head = line.hash as string;
    run.number = numberFrom(run.number, line);
    run.count++;
    // What is past no more goes on as the chain.
    if (run.isPast && run.number > (this.#main?.number ?? 0)) run.isPast = false;
    this.#take(run, line, previous);
    if (run.isPast) this.#compare(run);
    else if (this.#runs.length > 1) this.#join();
  }

  /** Whatever is to be noted of a line that belongs to a run. */
  #take(run: Run, line: Line, previous: string): void {
    count(run.tally, line);
    if (!run.isPast) {
      this.#main = run;
      this.window.push(run.head, previous, run.number);
      this.#summary.note(line);
      if (line.seq % checkpointLines === 0 && line.seq > 0) this.#checkpoints.set(line.seq, run.head);
    }
    const { record } = line;
    if (record?.type === 'seal')
      this.#seals.take(line, record, run.count > 1 || run.tie === 'line' ? previous : undefined);
    else if (record?.type === 'gap' && record.through !== undefined) this.#bridge(record.from ?? '', record.through);
  }

  /** A gap record says that lines were refused: what follows from the last of them is tied to what was before them. */
  #bridge(from: string, through: string): void {
    const next = this.#runs.find(
      ({ tie, first }) => tie === 'unknown' && hashOfBody(through, first.body, 0, first.body.length) === first.hash,
    );
    if (next === undefined) return;
    const run = this.#runs.find(({ head }) => head === from);
    if (run === undefined && from !== '') return;
    next.tie = 'refused';
    this.window.relink(next.first.hash, -1, through);
    if (run !== undefined) this.#append(run, next);
  }

  #append(run: Run, next: Run): void {
    append(run, next);
    this.#runs = this.#runs.filter((other) => other !== next);
    if (this.#current === next) this.#current = run;
    if (this.#main === next) this.#main = run;
  }

  /** Ties a loose run that follows from the end of the current one: its lines came too early. */
  #join(): void {
    const run = this.#current as Run;
    const next = this.#runs.find(
      ({ tie, first }) =>
        tie === 'unknown' &&
        first !== run.first &&
        (first.before < 0 || first.before === run.number) &&
        hashOfBody(run.head, first.body, 0, first.body.length) === first.hash,
    );
    if (next === undefined) return;
    const { first } = next;
    this.window.relink(first.hash, -1, run.head);
    this.#early.add(next);
    this.#append(run, next);
    this.#main = run;
    this.#join();
  }

  /** Whether a run that began in the past is what was here already: once one hash is the same, all before it were. */
  #compare(run: Run): void {
    const main = this.#main as Run;
    const isHere =
      run.head === main.head ||
      (this.window.reaches(run.number) && this.window.previousOf(run.head, run.number) !== undefined);
    if (isHere) {
      this.#summary.repeats += run.count;
      this.#runs = this.#runs.filter((other) => other !== run);
      this.#current = main;
    } else if (this.#checkpoints.get(run.number) === run.head) run.tie = 'again';
  }

  #tellNumber(run: Run, line: Line): void {
    const isSkipping = line.before > run.number;
    const names = namesOf(run.number + 1, line.before);
    if (isSkipping) this.#findings.tell(line, 'missing', `skips ${names}, and no gap record says so`);
    else this.#findings.tell(line, 'duplicated', `has a number that is past: the chain stands at ${run.number}`);
  }

  /** The oldest loose run but the first one is given up. */
  #settleOldest(): void {
    const run = this.#runs.find((one) => !one.isFirst && one !== this.#current && one !== this.#main);
    if (run === undefined) return;
    this.#runs = this.#runs.filter((other) => other !== run);
    this.#finishRun(run);
  }

  #finishRun(run: Run): void {
    if (run.tie === 'unknown' && !run.isFirst) tellLoose(this.#findings, run, run === this.#main);
    if (run.tie === 'again') this.#summary.repeats += run.count;
    else this.#summary.add(run.tally);
  }
}
