/**
 * One tenant's way from queue to sink. A lane numbers and keeps what is
 * appended, and writes batches one after the other, off the request path: it
 * wakes up after an interval, or at once where a whole batch waits, and yields
 * to the event loop between batches. Lanes are independent, so that a sink that
 * fails for one tenant does not hold up the others. Used by buffered-log only.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import { type EncodedBatch, type Range, takeBatch } from './batch.ts';
import { createEncoder } from './encode.ts';
import type { DecisionEntry } from './log.ts';
import { DecisionQueue, estimateBytes } from './queue.ts';
import type { Sink } from './sink.ts';

/** What all lanes of a log share: the buffer's bound and the counters. */
export interface Shared {
  readonly instance: string;
  readonly sink: Sink;
  readonly bufferBytes: number;
  /** While all lanes together hold less than this, any of them may take more. */
  commonBytes: number;
  /** What every lane may hold whatever the others do, so that a sink that fails for one costs the others nothing. */
  laneBytes: number;
  readonly batchRecords: number;
  readonly intervalMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly onEvent: (event: LogEvent) => void;
  readonly now: () => number;
  /** Ends every wait for a retry: what is left will not be written. */
  readonly abandon: AbortSignal;
  appended: number;
  written: number;
  dropped: number;
  failedWrites: number;
  pendingRecords: number;
  pendingBytes: number;
}

/** What an operator should hear of; the parts list writes it to the process's log. */
export type LogEvent =
  | { readonly kind: 'dropping'; readonly tenant: string }
  | { readonly kind: 'sink_failed'; readonly tenant: string; readonly message: string }
  | { readonly kind: 'sink_recovered'; readonly tenant: string; readonly attempts: number }
  | { readonly kind: 'refused'; readonly tenant: string; readonly records: number }
  | { readonly kind: 'abandoned'; readonly records: number }
  | { readonly kind: 'close_failed'; readonly message: string };

/** How long one turn may hold the event loop, in milliseconds. */
const turnMs = 2;
/** With the buffer half full, losing records is worse than slowing checks down: longer turns, larger batches. */
const pressedTurnMs = 10;
const pressedFactor = 8;

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
}

export class Lane {
  readonly #tenant: string;
  readonly #shared: Shared;
  readonly #queue = new DecisionQueue();
  readonly #encoder;
  #pendingBytes = 0;
  #settledSeq = 0;
  #refused: Range[] = [];
  #waiters: Waiter[] = [];
  #dropping = false;
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(tenant: string, shared: Shared) {
    this.#tenant = tenant;
    this.#shared = shared;
    this.#encoder = createEncoder(shared.instance, tenant);
  }

  append(entry: DecisionEntry): void {
    const shared = this.#shared;
    const bytes = estimateBytes(entry);
    shared.appended++;
    // Never refuse into an empty buffer: one record is always kept, however small the bound.
    if (
      shared.pendingBytes + bytes > shared.commonBytes &&
      this.#pendingBytes + bytes > shared.laneBytes &&
      shared.pendingRecords > 0
    ) {
      this.#drop();
      return;
    }
    this.#dropping = false;
    this.#queue.push(entry);
    shared.pendingRecords++;
    shared.pendingBytes += bytes;
    this.#pendingBytes += bytes;
    if (!this.#running && (this.#timer === undefined || this.#queue.length === shared.batchRecords)) this.#schedule();
  }

  /** Resolves when all that was appended so far is written or counted as dropped. Never rejects. */
  flush(): Promise<void> {
    const seq = this.#queue.nextSeq - 1;
    if (this.#settledSeq >= seq && this.#refused.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ seq, resolve });
      this.#run();
    });
  }

  #drop(): void {
    this.#queue.skip();
    this.#shared.dropped++;
    if (!this.#running && this.#timer === undefined) this.#schedule();
    if (this.#dropping) return;
    this.#dropping = true;
    this.#shared.onEvent({ kind: 'dropping', tenant: this.#tenant });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const waitMs = this.#queue.length >= this.#shared.batchRecords ? 0 : this.#shared.intervalMs;
    this.#timer = setTimeout(() => this.#run(), waitMs);
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#hasWork()) {
      await this.#deliver(this.#take());
      this.#wakeWaiters();
      if (this.#queue.length < this.#shared.batchRecords && this.#waiters.length === 0) break;
      await nextTurn();
    }
    this.#running = false;
    if (this.#hasWork()) this.#schedule();
  }

  #hasWork(): boolean {
    return this.#settledSeq < this.#queue.nextSeq - 1 || this.#refused.length > 0;
  }

  #take(): EncodedBatch {
    const shared = this.#shared;
    const pressed = this.#pendingBytes > shared.commonBytes / 2;
    const limits = {
      maxRecords: pressed ? shared.batchRecords * pressedFactor : shared.batchRecords,
      maxMs: pressed ? pressedTurnMs : turnMs,
    };
    const refused = this.#refused;
    this.#refused = [];
    return takeBatch(this.#queue, this.#encoder, this.#tenant, this.#settledSeq, refused, limits, shared.now());
  }

  async #deliver(batch: EncodedBatch): Promise<void> {
    const shared = this.#shared;
    const refused = await this.#writeWithRetry(batch);
    this.#settledSeq = batch.lastSeq;
    shared.pendingRecords -= batch.decisions;
    shared.pendingBytes -= batch.bytes;
    this.#pendingBytes -= batch.bytes;
    if (refused === undefined) {
      shared.dropped += batch.decisions;
      return;
    }
    const lost = refused.map((position) => batch.numbers[position]).filter((number) => typeof number === 'number');
    shared.written += batch.decisions - lost.length;
    shared.dropped += lost.length;
    if (lost.length === 0) return;
    // A gap record that is refused is not told again: the sink would refuse it for ever.
    this.#refused = toRanges(lost);
    shared.onEvent({ kind: 'refused', tenant: this.#tenant, records: lost.length });
  }

  /** The positions that the sink refused; undefined when the log was told to give up. */
  async #writeWithRetry(batch: EncodedBatch): Promise<readonly number[] | undefined> {
    const shared = this.#shared;
    for (let attempt = 0; !shared.abandon.aborted; attempt++) {
      try {
        const refused = await orAborted(shared.sink.write(batch), shared.abandon);
        if (attempt > 0 && refused !== undefined) {
          shared.onEvent({ kind: 'sink_recovered', tenant: this.#tenant, attempts: attempt + 1 });
        }
        return refused;
      } catch (error) {
        shared.failedWrites++;
        if (attempt === 0) shared.onEvent({ kind: 'sink_failed', tenant: this.#tenant, message: messageOf(error) });
        const backoffMs = Math.min(shared.retryMinMs * 2 ** Math.min(attempt, 20), shared.retryMaxMs);
        // Half of it at random: a fleet that lost its Redis at one instant must not come back at one instant.
        await delay(backoffMs * (0.5 + Math.random() / 2), undefined, { signal: shared.abandon }).catch(() => {});
      }
    }
    return undefined;
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0 || this.#refused.length > 0) return;
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => waiter.seq > this.#settledSeq);
    for (const waiter of waiting) if (waiter.seq <= this.#settledSeq) waiter.resolve();
  }
}

/** Consecutive numbers as ranges; the numbers ascend. */
export function toRanges(numbers: readonly number[]): Range[] {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && number === range.last + 1) range.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges;
}

/** What the promise resolves to, or undefined as soon as the signal is aborted: a sink may never answer. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
