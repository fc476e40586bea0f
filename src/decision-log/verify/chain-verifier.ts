/**
 * Verifies one chain: what one instance wrote for one tenant. It is given lines
 * in the order in which they stand in the log, and ties each to the one that it
 * follows from, by its hash. What follows from nothing begins a run of its own;
 * a run that is not tied by the end is a problem (loose.ts). So lines that
 * came again, or in another order, or that a gap record stands for, are no
 * problem, and everything else is. Memory is bounded, however long the chain.
 */
import type { GapRecord } from '../record.ts';
import { type Bridge, Bridges } from './bridges.ts';
import { EarlyLines } from './early.ts';
import { Findings, type Placed } from './findings.ts';
import { hashOfLine, type Line } from './line.ts';
import { LineBefore } from './line-before.ts';
import { tellLoose, tellNumber } from './loose.ts';
import type { ChainReport } from './report.ts';
import { count, newTally, type Run, type Tie, toSeen } from './run.ts';
import { Runs } from './runs.ts';
import { SealCheck, type SealKeys } from './seals.ts';
import { Summary } from './summary.ts';
import { Window } from './window.ts';

/** Beyond the window, a chain that comes again is compared at one line of so many. */
const checkpointLines = 4_096;

export class ChainVerifier {
  readonly #seals: SealCheck;
  readonly #isNew: boolean;
  readonly #findings: Findings;
  readonly #summary: Summary;
  readonly window = new Window();
  readonly #runs = new Runs();
  readonly #bridges = new Bridges();
  /** The run of the last line. */
  #current: Run | undefined;
  /** The last run that is no repetition. */
  #main: Run | undefined;
  readonly #starts = new Set<string>();
  readonly #checkpoints = new Map<number, string>();
  readonly #early: EarlyLines;
  /** What the chain stands at. */
  #number = 0;
  #generation = 0;
  #isCrossed = false;
  readonly #before = new LineBefore();
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
    if (current === undefined) this.#before.hash = previous;
    const wouldBe = current === undefined ? '' : hashOfLine(current.head, line.bytes, line.start, line.end);
    if (this.#early.isWaiting) this.#early.settle(hash);
    if (current !== undefined && wouldBe === hash) this.#extend(current, line);
    else {
      parse();
      this.#place(line, hash, wouldBe);
    }
  }

  /** A line of a chain that has hashes, without one. */
  addUnhashed(line: Line): void {
    this.#findings.tell(line, 'altered', 'has no hash');
  }

  finish(isRange: boolean): { readonly report: ChainReport; readonly problems: readonly Placed[] } {
    this.#early.settle('');
    let begins: ChainReport['begins'] = 'start';
    for (const run of this.#runs) {
      if (run.isFirst && run.tie !== 'beginning') begins = 'middle';
      this.#finishRun(run);
    }
    if (this.#main !== undefined) this.#seals.end(this.#main.first);
    const facts = { begins, isRange, problems: this.#findings.count };
    const end = { seq: this.#number, hash: this.#main?.head ?? '' };
    return {
      report: this.#summary.report(facts, end, (key) => this.#seals.keys.has(key)),
      problems: this.#findings.kept,
    };
  }

  /** A line that does not follow from the last one. */
  #place(line: Line, hash: string, wouldBe: string): void {
    const { bytes, start, end, record } = line;
    const before = this.window.previousOf(hash, line.after);
    if (before !== undefined) {
      if (hashOfLine(before, bytes, start, end) === hash || this.#runs.beginningWith(line) !== undefined) {
        this.#summary.repeats++;
      }
      // Of the first line of a loose run it is not known yet what stands before it.
      else this.#findings.tell(line, 'duplicated', 'comes again, and is not the same as before');
      return;
    }
    const other = this.#runs.endingBefore(line, this.#current);
    if (other !== undefined) {
      this.#goBackTo(other, line);
      return;
    }
    const isBeginning = record?.type === 'start' && record.after === 'nothing';
    if (isBeginning && hashOfLine('', bytes, start, end) === hash) this.#begin(line, hash);
    else if (this.#current === undefined && (isBeginning || this.#isNew)) this.#openWrong(line);
    else if (this.#before.isFollowedBy(line)) this.#open(line, 'line', this.#before.hash as string, wouldBe);
    else if (this.#current === undefined) this.#open(line, 'unknown', this.#before.hash ?? '', '');
    else if (this.#isHashAltered(line, hash)) this.#extend(this.#current, line);
    else this.#placeApart(line, hash, wouldBe);
  }

  #openWrong(line: Line): void {
    if (this.#isNew) this.#findings.tell(line, 'altered', 'is the first with a hash, and begins no chain');
    else this.#findings.tell(line, 'altered', 'begins a chain, and its hash is that of another text');
    this.#open(line, 'told', '', '');
  }

  /** The line before was as it is, but for its hash: this one follows from what its hash should be. */
  #isHashAltered(line: Line, hash: string): boolean {
    const run = this.#current as Run;
    if (run.count !== 1 || run.tie !== 'unknown' || run.wouldBe === '') return false;
    if (hashOfLine(run.wouldBe, line.bytes, line.start, line.end) !== hash) return false;
    const found = 'has another hash than its text and the line before make';
    this.#findings.add(run.first.ordinal, this.#findings.of(run.first, 'altered', found));
    this.#runs.tie(run, 'told');
    run.head = run.wouldBe;
    return true;
  }

  /** A line that follows from none of the last lines of runs. */
  #placeApart(line: Line, hash: string, wouldBe: string): void {
    for (const before of line.before < 0 ? [] : this.window.at(line.before)) {
      const made = hashOfLine(before, line.bytes, line.start, line.end);
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
    this.#starts.add(hash);
    if (!isAgain) this.#generation++;
    if (!isAgain) this.#summary.begin();
    this.#open(line, isAgain ? 'again' : 'beginning', '', '');
  }

  #goBackTo(run: Run, line: Line): void {
    // Parts of a batch may come before the start that they follow from: those belong to no older chain.
    if (run.tie === 'beginning' && run.generation < this.#generation && !this.#isCrossed) {
      this.#isCrossed = true;
      this.#findings.tell(line, 'fork', 'belongs to a chain of this name that was begun anew already');
    }
    this.#current = run;
    this.#extend(run, line);
  }

  #open(line: Line, tie: Tie, previous: string, wouldBe: string): void {
    const behind = this.#number;
    // Where the window reaches so far, it would have been found there if it had been here.
    const isPast = line.before >= 0 && line.before < behind && !this.window.reaches(line.after);
    const run: Run = {
      first: toSeen(line),
      tie,
      isFirst: this.#main === undefined,
      head: line.hash as string,
      number: line.after,
      count: 1,
      generation: this.#generation,
      isPast: tie === 'again' || (tie === 'unknown' && isPast),
      told: -1,
      behind: this.#current === undefined ? undefined : { run: this.#current, head: this.#current.head },
      into: undefined,
      numberBehind: behind,
      wouldBe,
      tally: newTally(),
    };
    this.#runs.add(run);
    this.#current = run;
    this.#take(run, line, previous);
    const oldest = this.#runs.takeOldest(run, this.#main);
    if (oldest !== undefined) this.#finishRun(oldest);
    if (tie === 'unknown') for (const bridge of this.#bridges.endingAt(line.before)) this.#cross(bridge);
    if (!run.isPast) this.#join();
  }

  #extend(run: Run, line: Line): void {
    const previous = run.head;
    if (line.before >= 0 && run.number >= 0 && line.before !== run.number) {
      if (run.count === 1 && run.tie === 'unknown') run.told = line.before;
      else tellNumber(this.#findings, run.number, line);
    }
    run.head = line.hash as string;
    if (line.after >= 0) run.number = line.after;
    run.count++;
    // What is past no more goes on as the chain.
    if (run.isPast && run.number > this.#number) run.isPast = false;
    this.#take(run, line, previous);
    if (run.isPast) this.#compare(run);
    else if (this.#runs.size > 1) this.#join();
  }

  /** Whatever is to be noted of a line that belongs to a run. */
  #take(run: Run, line: Line, previous: string): void {
    count(run.tally, line);
    if (!run.isPast) {
      this.#main = run;
      if (run.number >= 0) this.#number = run.number;
      this.window.push(run.head, previous, run.number);
      this.#summary.note(line);
      if (line.seq % checkpointLines === 0 && line.seq > 0) this.#checkpoints.set(line.seq, run.head);
    }
    if (!this.#bridges.isIdle) for (const one of this.#bridges.beginningAt(run.head)) this.#cross(one);
    const { record } = line;
    if (record?.type === 'seal')
      this.#seals.take(line, record, run.count > 1 || run.tie === 'line' ? previous : undefined);
    else if (record?.type === 'gap' && record.through !== undefined) this.#bridge(record, record.through);
  }

  /** A gap record says that lines were refused: what follows from the last of them is tied to what was before them. */
  #bridge({ from = '', last }: GapRecord, through: string): void {
    const bridge = { from, through, last };
    if (!this.#bridges.add(bridge)) return;
    for (const one of [bridge, ...this.#bridges.beginningAt(through)]) this.#cross(one);
  }

  /** Ties what is on both sides of a bridge, if it is there already. */
  #cross(bridge: Bridge): void {
    const { through, last } = bridge;
    const next = this.#runs.following(through, last) ?? this.#runs.followingAnywhere(through);
    const from = this.#bridges.originOf(bridge.from);
    const run = this.#runs.endingWith(from);
    if (next === undefined || run === next || (run === undefined && from !== '' && !this.#before.isAt(from))) return;
    this.#bridges.close(bridge);
    this.#runs.tie(next, 'refused');
    this.window.relink(next.first.hash, -1, through);
    if (run === undefined) return;
    if (run.number >= 0) run.number = Math.max(run.number, last);
    this.#append(run, next);
    this.#number = Math.max(this.#number, last);
  }

  #append(run: Run, next: Run): void {
    this.#runs.append(run, next);
    if (this.#current === next) this.#current = run;
    if (this.#main === next) this.#main = run;
  }

  /** Ties loose runs that follow from the end of the current one: their lines came too early. */
  #join(): void {
    const run = this.#current as Run;
    for (;;) {
      const next = run.number < 0 ? this.#runs.followingAnywhere(run.head) : this.#runs.following(run.head, run.number);
      if (next === undefined || next === run) return;
      this.window.relink(next.first.hash, -1, run.head);
      this.#early.add(next);
      this.#append(run, next);
      this.#main = run;
      if (run.number >= 0) this.#number = run.number;
    }
  }

  /** Whether a run that began in the past is what was here already: once one hash is the same, all before it were. */
  #compare(run: Run): void {
    const main = this.#main as Run;
    const isHere =
      run.head === main.head ||
      (this.window.reaches(run.number) && this.window.previousOf(run.head, run.number) !== undefined);
    if (isHere) {
      this.#summary.repeats += run.count;
      this.#runs.delete(run);
      this.#current = main;
    } else if (this.#checkpoints.get(run.number) === run.head) this.#runs.tie(run, 'again');
  }

  #finishRun(run: Run): void {
    if (run.tie === 'unknown' && (!run.isFirst || this.#before.hash !== undefined)) tellLoose(this.#findings, run);
    if (run.tie === 'again') this.#summary.repeats += run.count;
    else this.#summary.add(run.tally);
  }
}
