/**
 * Turns the head of a queue into lines for the outlet: encodes entries until the batch is full or the turn's time is
 * up, and puts a gap record wherever numbers are missing. Called by the lane, once a turn; no I/O.
 */
import type { GapCause, Marks } from './chain/marks.ts';
import type { Encoder } from './encode.ts';
import { type DecisionQueue, estimateBytes, isChange, type LogEntry } from './queue.ts';

export interface EncodedBatch {
  /** Decisions, and gap records among them. */
  readonly bodies: readonly string[];
  readonly decisions: number;
  /** What the decisions count for in the buffer. */
  readonly bytes: number;
  /** The last number that is settled when the batch is written. */
  readonly lastSeq: number;
}

export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxMs: number;
}

export function encodeEntry(encoder: Encoder, entry: LogEntry, seq: number): string {
  return isChange(entry) ? encoder.change(entry, seq) : encoder.decision(entry, seq);
}

/** Looking at the clock costs a tenth of a record; once in so many records it costs nothing. */
const recordsPerClockCheck = 64;

/**
 * @param settledSeq The last number that is written or accounted for by a gap record.
 * @param cause Why numbers are missing, where some are.
 * @param nowMs For the time of gap records.
 */
export function takeBatch(
  queue: DecisionQueue,
  encoder: Encoder,
  marks: Marks,
  settledSeq: number,
  limits: BatchLimits,
  cause: GapCause,
  nowMs: number,
): EncodedBatch {
  const bodies: string[] = [];
  let decisions = 0;
  let bytes = 0;
  let expected = settledSeq + 1;

  const addMissing = (last: number) => {
    if (last >= expected) bodies.push(marks.gap({ first: expected, last }, cause, nowMs));
  };

  const endAt = performance.now() + limits.maxMs;
  while (queue.length > 0 && decisions < limits.maxRecords) {
    if (decisions % recordsPerClockCheck === recordsPerClockCheck - 1 && performance.now() >= endAt) break;
    const seq = queue.headSeq();
    addMissing(seq - 1);
    const entry = queue.shift();
    const body = encodeEntry(encoder, entry, seq);
    // Makes one text of the pieces it was put together from: those would be copied by the collector while it waits.
    body.charCodeAt(0);
    bodies.push(body);
    bytes += estimateBytes(entry);
    decisions++;
    expected = seq + 1;
  }
  // Nothing waits any more: what was dropped after the last entry is told now, not when the next decision comes.
  if (queue.length === 0) {
    addMissing(queue.nextSeq - 1);
    expected = queue.nextSeq;
  }
  return { bodies, decisions, bytes, lastSeq: expected - 1 };
}
