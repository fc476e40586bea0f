/**
 * A run: lines that follow from each other by their hashes. An intact chain is
 * one run; where something is wrong, or lines came in another order, there are
 * several, which may be tied together by lines that come later. Data only; what
 * becomes of runs is decided in chain.ts, what a loose one means in settle.ts.
 */
import { copyBody, type Kind, type Line, whereOf } from './line.ts';

/** A line that is kept. */
export interface Seen {
  readonly kind: Kind;
  readonly id: string;
  readonly seq: number;
  readonly before: number;
  readonly after: number;
  readonly time: string;
  readonly hash: string;
  readonly where: string;
  readonly ordinal: number;
  /** What is hashed. */
  readonly body: Buffer;
}

/** What lines of a run add up to. */
export interface Tally {
  lines: number;
  decisions: number;
  changes: number;
  starts: number;
  crashes: number;
  lostMs: number;
  unboundedCrashes: number;
  gaps: Record<string, number>;
  seals: number;
  /** By key. */
  signed: Record<string, number>;
  lastSeal: { readonly seq: number; readonly time: string } | undefined;
  unsealedLines: number;
}

/**
 * What the first line follows from: `beginning`: it begins a chain; `line`: a line that is here; `refused`: lines that
 * the sink refused, as a gap record says; `unknown`: nothing that is known; `told`: nothing, and that is reported already;
 * `again`: it repeats what was here.
 */
export type Tie = 'beginning' | 'line' | 'refused' | 'unknown' | 'told' | 'again';

export interface Run {
  readonly first: Seen;
  tie: Tie;
  /** Whether it is the first of the chain, or goes on with that. */
  isFirst: boolean;
  /** The hash of its last line. */
  head: string;
  /** What the chain stands at after its last line; -1 where no line has told yet. */
  number: number;
  count: number;
  /** How many chains of this name had begun. */
  readonly generation: number;
  /** Its numbers are past, and beyond what is remembered: it may be a repetition. */
  isPast: boolean;
  /** What the second line says of the number after the first; -1 where it does not tell. */
  told: number;
  /** The run that the line before it belongs to, and the hash of that line. */
  readonly behind: { readonly run: Run; readonly head: string } | undefined;
  /** The run that it was tied to, which goes on as both. */
  into: Run | undefined;
  /** What the chain stood at when it began. */
  readonly numberBehind: number;
  /** What the hash of the first line would be, if it followed from the line before it in the log; empty for none. */
  readonly wouldBe: string;
  readonly tally: Tally;
}

export function toSeen(line: Line): Seen {
  const { kind, id, seq, before, after, time, hash = '', ordinal } = line;
  return { kind, id, seq, before, after, time, hash, where: whereOf(line), ordinal, body: copyBody(line) };
}

export function newTally(): Tally {
  return {
    lines: 0,
    decisions: 0,
    changes: 0,
    starts: 0,
    crashes: 0,
    lostMs: 0,
    unboundedCrashes: 0,
    gaps: {},
    seals: 0,
    signed: {},
    lastSeal: undefined,
    unsealedLines: 0,
  };
}

/** Counts a line of a run. */
export function count(tally: Tally, line: Line): void {
  tally.lines++;
  tally.unsealedLines++;
  if (line.kind === 'decision') tally.decisions++;
  else countOther(tally, line);
}

function countOther(tally: Tally, { record }: Line): void {
  switch (record?.type) {
    case 'change':
      tally.changes++;
      break;
    case 'start':
      tally.starts++;
      if (record.after !== 'crash') break;
      tally.crashes++;
      if (record.lost_ms === undefined) tally.unboundedCrashes++;
      else tally.lostMs += record.lost_ms;
      break;
    case 'gap':
      // What was refused may be told twice; the summary counts it.
      if (record.cause !== 'refused')
        tally.gaps[record.cause] = (tally.gaps[record.cause] ?? 0) + record.last - record.first + 1;
      break;
    case 'seal':
      tally.seals++;
      if (record.key !== undefined) tally.signed[record.key] = (tally.signed[record.key] ?? 0) + 1;
      tally.lastSeal = { seq: record.last, time: record.time };
      tally.unsealedLines = 0;
      break;
  }
}

/** Adds the lines that follow. */
export function addTally(sum: Tally, more: Tally): void {
  sum.lines += more.lines;
  sum.decisions += more.decisions;
  sum.changes += more.changes;
  sum.starts += more.starts;
  sum.crashes += more.crashes;
  sum.lostMs += more.lostMs;
  sum.unboundedCrashes += more.unboundedCrashes;
  for (const [cause, missing] of Object.entries(more.gaps)) sum.gaps[cause] = (sum.gaps[cause] ?? 0) + missing;
  sum.seals += more.seals;
  for (const [key, seals] of Object.entries(more.signed)) sum.signed[key] = (sum.signed[key] ?? 0) + seals;
  sum.unsealedLines = more.lastSeal === undefined ? sum.unsealedLines + more.unsealedLines : more.unsealedLines;
  sum.lastSeal = more.lastSeal ?? sum.lastSeal;
}

/** Ties a run behind another one, which goes on as both. */
export function append(run: Run, next: Run): void {
  run.head = next.head;
  if (next.number >= 0) run.number = next.number;
  run.count += next.count;
  run.isPast &&= next.isPast;
  run.isFirst ||= next.isFirst;
  next.into = run;
  addTally(run.tally, next.tally);
}

/** Whether the chain went on from where it stood before this run, without it. */
export function isPassedBy({ behind }: Run): boolean {
  if (behind === undefined) return false;
  let { run } = behind;
  while (run.into !== undefined) run = run.into;
  return run.head !== behind.head;
}
