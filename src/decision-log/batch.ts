/**
 * Turns the head of a queue into a batch for the sink: encodes entries until
 * the batch is full or the turn's time is up, and puts a gap record wherever
 * numbers are missing. Called by the lane, once a turn; no I/O.
 */
import type { Encoder } from './encode.ts';
import { type DecisionQueue, estimateBytes } from './queue.ts';
import { type Batch, maxPartRecords } from './sink.ts';

/** A closed range of sequence numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

export interface EncodedBatch extends Batch {
  /** Decisions among the records; the others are gap records. */
  readonly decisions: number;
  /** What the decisions count for in the buffer. */
  readonly bytes: number;
  /** Numbers of the lines, gap records as the range that they stand for. */
  readonly numbers: readonly (number | Range)[];
  /** The last number that is settled when the batch is written. */
  readonly lastSeq: number;
}

export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxMs: number;
}

/** Looking at the clock costs a tenth of a record; once in so many records it costs nothing. */
const recordsPerClockCheck = 64;

/**
 * @param settledSeq The last number that is written or accounted for by a gap record.
 * @param refused Numbers that the sink refused and no gap record names yet.
 * @param nowMs For the time of gap records.
 */
export function takeBatch(
  queue: DecisionQueue,
  encoder: Encoder,
  tenant: string,
  settledSeq: number,
  refused: readonly Range[],
  limits: BatchLimits,
  nowMs: number,
): EncodedBatch {
  const parts: string[] = [];
  const numbers: (number | Range)[] = [];
  let part = '';
  let inPart = 0;
  let decisions = 0;
  let bytes = 0;
  let expected = settledSeq + 1;

  const add = (line: string, number: number | Range) => {
    part += line;
    numbers.push(number);
    if (++inPart === maxPartRecords) {
      parts.push(part);
      part = '';
      inPart = 0;
    }
  };
  const addMissing = (last: number) => {
    if (last >= expected) add(encoder.gap(expected, last, 'buffer_full', nowMs), { first: expected, last });
  };

  for (const range of refused) add(encoder.gap(range.first, range.last, 'refused', nowMs), range);
  const endAt = performance.now() + limits.maxMs;
  while (queue.length > 0 && decisions < limits.maxRecords) {
    if (decisions % recordsPerClockCheck === recordsPerClockCheck - 1 && performance.now() >= endAt) break;
    const seq = queue.headSeq();
    addMissing(seq - 1);
    const entry = queue.shift();
    add(encoder.decision(entry, seq), seq);
    bytes += estimateBytes(entry);
    decisions++;
    expected = seq + 1;
  }
  // Nothing waits any more: what was dropped after the last entry is told now, not when the next decision comes.
  if (queue.length === 0) {
    addMissing(queue.nextSeq - 1);
    expected = queue.nextSeq;
  }
  if (inPart > 0) parts.push(part);
  return { tenant, parts, records: numbers.length, decisions, bytes, numbers, lastSeq: expected - 1 };
}
