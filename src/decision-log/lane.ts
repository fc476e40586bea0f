/**
 * One tenant's way from queue to outlet. A lane numbers and keeps what is
 * appended, and hands batches on one after the other, off the request path: it
 * wakes up after an interval, or at once where a whole batch waits, and yields
 * to the event loop between batches. Lanes are independent, so that a sink that
 * fails for one tenant does not hold up the others. Used by buffered-log only.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EncodedBatch, encodeEntry, takeBatch } from './batch.ts';
import { createMarks, type GapCause, type Marks, type Range } from './chain/marks.ts';
import type { Content } from './content/content.ts';
import { createEncoder } from './encode.ts';
import type { LogEvent } from './events.ts';
import type { Outlet } from './outlet.ts';
import { DecisionQueue, estimateBytes, type LogEntry } from './queue.ts';

/** What a full buffer does with the next decision: `wait` takes it, because its caller has been told to wait. */
export type WhenFull = 'wait' | 'drop-newest' | 'drop-oldest';

/** What all lanes of a log share: the buffer's bound and the counters. */
export interface Shared {
  readonly instance: string;
  readonly outlet: Outlet;
  readonly whenFull: WhenFull;
  readonly content: Content;
  readonly bufferBytes: number;
  /** While all lanes together hold less than this, any of them may take more. */
  commonBytes: number;
  /** What every lane may hold whatever the others do, so that a sink that fails for one costs the others nothing. */
  laneBytes: number;
  readonly batchRecords: number;
  readonly intervalMs: number;
  readonly onEvent: (event: LogEvent) => void;
  readonly now: () => number;
  leftOut: number;
  appended: number;
  written: number;
  dropped: number;
  pendingRecords: number;
  pendingBytes: number;
}

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
  readonly #queue: DecisionQueue;
  readonly #encoder;
  readonly #marks: Marks;
  #pendingBytes = 0;
  #settledSeq: number;
  /** Why the numbers that are missing are. */
  #cause: GapCause = 'buffer_full';
  #waiters: Waiter[] = [];
  #dropping = false;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  /** What the outlet gave up. */
  #abandoned: Range | undefined;

  constructor(tenant: string, shared: Shared) {
    this.#tenant = tenant;
    this.#shared = shared;
    this.#settledSeq = shared.outlet.lastSeq(tenant);
    this.#queue = new DecisionQueue(this.#settledSeq + 1);
    this.#encoder = createEncoder(shared.instance, tenant, shared.content);
    this.#marks = createMarks(shared.instance, tenant);
  }

  /** The numbers that were never accepted, where there are any; to be asked after the outlet was told to give up. */
  get abandoned(): Range | undefined {
    return this.#abandoned;
  }

  append(entry: LogEntry): void {
    const shared = this.#shared;
    const bytes = estimateBytes(entry);
    shared.appended++;
    if (shared.outlet.acceptNow !== undefined && this.#wroteNow(entry)) return;
    if (this.#isFull(bytes) && shared.whenFull !== 'wait') {
      if (shared.whenFull === 'drop-newest' || this.#queue.length === 0) {
        this.#queue.skip();
        this.#dropped(1);
        return;
      }
      while (this.#queue.length > 0 && this.#isFull(bytes)) this.#dropOldest();
    } else if (this.#dropping && shared.pendingBytes < shared.commonBytes / 2) {
      // A buffer that is emptied batch by batch is full again and again: that is one story.
      this.#dropping = false;
    }
    this.#queue.push(entry);
    shared.pendingRecords++;
    shared.pendingBytes += bytes;
    this.#pendingBytes += bytes;
    if (!this.#running && (this.#timer === undefined || this.#queue.length === shared.batchRecords)) this.#schedule();
  }

  /** Whether the entry is safe already, where records do not wait and none is waiting. */
  #wroteNow(entry: LogEntry): boolean {
    if (this.#running || this.#hasWork()) return false;
    const seq = this.#queue.nextSeq;
    const body = encodeEntry(this.#encoder, entry, seq);
    if (this.#shared.outlet.acceptNow?.(this.#tenant, body, seq) !== true) return false;
    this.#queue.skip();
    this.#settledSeq = seq;
    this.#shared.written++;
    return true;
  }

  /** Resolves when all that was appended so far is safe, or counted as dropped. Never rejects. */
  flush(): Promise<void> {
    const seq = this.#queue.nextSeq - 1;
    if (this.#settledSeq >= seq) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ seq, resolve });
      this.#run();
    });
  }

  /** Whether so many more bytes do not fit. Never into an empty buffer: one record is always kept, however small the bound. */
  #isFull(bytes: number): boolean {
    const shared = this.#shared;
    return (
      shared.pendingBytes + bytes > shared.commonBytes &&
      this.#pendingBytes + bytes > shared.laneBytes &&
      shared.pendingRecords > 0
    );
  }

  #dropOldest(): void {
    const bytes = estimateBytes(this.#queue.shift());
    this.#release(1, bytes);
    this.#dropped(1);
  }

  #dropped(records: number): void {
    this.#shared.dropped += records;
    this.#cause = this.#shared.outlet.fullCause;
    if (!this.#running && this.#timer === undefined) this.#schedule();
    if (this.#dropping) return;
    this.#dropping = true;
    const which = this.#shared.whenFull === 'drop-oldest' ? 'oldest' : 'newest';
    this.#shared.onEvent({ kind: 'dropping', tenant: this.#tenant, which });
  }

  #release(records: number, bytes: number): void {
    this.#shared.pendingRecords -= records;
    this.#shared.pendingBytes -= bytes;
    this.#pendingBytes -= bytes;
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
    return this.#settledSeq < this.#queue.nextSeq - 1;
  }

  #take(): EncodedBatch {
    const shared = this.#shared;
    const pressed = this.#pendingBytes > shared.commonBytes / 2;
    const limits = {
      maxRecords: pressed ? shared.batchRecords * pressedFactor : shared.batchRecords,
      maxMs: pressed ? pressedTurnMs : turnMs,
    };
    return takeBatch(this.#queue, this.#encoder, this.#marks, this.#settledSeq, limits, this.#cause, shared.now());
  }

  async #deliver({ bodies, decisions, bytes, lastSeq }: EncodedBatch): Promise<void> {
    const shared = this.#shared;
    const refused = await shared.outlet.accept({ tenant: this.#tenant, bodies, lastSeq });
    if (refused === undefined)
      this.#abandoned = { first: this.#abandoned?.first ?? this.#settledSeq + 1, last: lastSeq };
    this.#settledSeq = lastSeq;
    this.#release(decisions, bytes);
    const lost = refused ?? decisions;
    shared.written += decisions - lost;
    shared.dropped += lost;
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => waiter.seq > this.#settledSeq);
    for (const waiter of waiting) if (waiter.seq <= this.#settledSeq) waiter.resolve();
  }
}
