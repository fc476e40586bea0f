/**
 * The records of one tenant that wait for the writer, and their sequence
 * numbers. push() is on the hot path. Entries are kept in runs of consecutive
 * numbers; a number that was given to a record which was then dropped ends a
 * run, so that the reader of the queue sees every gap without a list of them.
 */
import { type ChangeEntry, estimateChangeBytes } from './change-entry.ts';
import { pathBytes } from './content/deciding-path.ts';
import type { DecisionEntry } from './log.ts';

/** What has a number of its own. */
export type LogEntry = DecisionEntry | ChangeEntry;

export function isChange(entry: LogEntry): entry is ChangeEntry {
  return entry.source === 'change';
}

/** Longest run: an array that grows by doubling to this, then the next one begins. */
const maxRunLength = 4096;

interface Run {
  readonly first: number;
  readonly entries: LogEntry[];
}

/** About what one entry holds in memory: 310 bytes were measured with short names; the rest is for its encoded line. */
export function estimateBytes(entry: LogEntry): number {
  if (isChange(entry)) return estimateChangeBytes(entry);
  let bytes = 384 + entry.subject.length + entry.action.length + entry.object.length + entry.binding.length;
  if (entry.attributes !== undefined) bytes += 2 * JSON.stringify(entry.attributes).length;
  if (entry.assertedGroups !== undefined) for (const group of entry.assertedGroups) bytes += 48 + group.length;
  if (entry.activeRoles !== undefined) for (const role of entry.activeRoles) bytes += 48 + role.length;
  if (entry.path !== undefined) bytes += pathBytes;
  return bytes;
}

export class DecisionQueue {
  /** The number that the next decision gets. */
  nextSeq: number;
  length = 0;
  #runs: Run[] = [];
  /** The run that push() extends; undefined when the last number was dropped. */
  #open: Run | undefined;
  #offset = 0;

  /** @param firstSeq The number of the first decision: 1, or where an earlier process left off. */
  constructor(firstSeq = 1) {
    this.nextSeq = firstSeq;
  }

  push(entry: LogEntry): void {
    let run = this.#open;
    if (run === undefined || run.entries.length === maxRunLength) {
      run = { first: this.nextSeq, entries: [] };
      this.#open = run;
      this.#runs.push(run);
    }
    run.entries.push(entry);
    this.nextSeq++;
    this.length++;
  }

  /** Gives a number to a decision that will not be kept here. */
  skip(): void {
    this.nextSeq++;
    this.#open = undefined;
  }

  /** The number of the oldest entry. Only while length is not 0. */
  headSeq(): number {
    return (this.#runs[0] as Run).first + this.#offset;
  }

  /** Takes the oldest entry. Only while length is not 0. */
  shift(): LogEntry {
    const run = this.#runs[0] as Run;
    const entry = run.entries[this.#offset] as LogEntry;
    this.#offset++;
    this.length--;
    if (this.#offset === run.entries.length) {
      // Nothing refers to the run any more, so its entries can go; an open run would be extended behind our back.
      this.#runs.shift();
      this.#offset = 0;
      if (run === this.#open) this.#open = undefined;
    }
    return entry;
  }
}
