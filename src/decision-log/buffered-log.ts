/**
 * The decision log of a running sidecar: bounded by bytes, written in batches,
 * one lane per tenant. When the sink is slow or gone, records wait until the
 * buffer is full; then the newest are dropped, counted, and told by a gap
 * record. append() must never wait, throw or do I/O. Made by the parts list.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import { Lane, type LogEvent, type Shared } from './lane.ts';
import type { DecisionEntry, DecisionLog, DecisionLogStats } from './log.ts';
import type { Sink } from './sink.ts';

export interface BufferedLogOptions {
  /** Names this process in every record: unique among those that write to one sink. */
  readonly instance: string;
  readonly sink: Sink;
  /** Most bytes that may wait, about; default 64 MiB. */
  readonly bufferBytes?: number;
  /** Records that are written at once; as many waiting are written without delay. Default 1,000. */
  readonly batchRecords?: number;
  /** How long a record may wait for others to share a batch with; default 10. */
  readonly intervalMs?: number;
  /** Waits between attempts of a write that failed: doubling from the first to the second, with jitter. */
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
  /** Told once per outage, not once per record. Must not throw. */
  readonly onEvent?: (event: LogEvent) => void;
  /** Milliseconds since 1970, for the time of gap records. */
  readonly now?: () => number;
}

/** After the deadline of close(), how long the sink itself may take to close. */
const sinkCloseMs = 1_000;

export class BufferedDecisionLog implements DecisionLog {
  readonly description: string;
  readonly #shared: Shared;
  readonly #lanes = new Map<string, Lane>();
  readonly #abandon = new AbortController();
  #lastTenant = '';
  #lastLane: Lane | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BufferedLogOptions) {
    const bufferBytes = options.bufferBytes ?? 64 * 1024 * 1024;
    this.description = `${options.sink.description}; when that is slow or gone: waits in ${formatMiB(bufferBytes)} of memory, then drops the newest records and leaves a gap record`;
    this.#shared = {
      instance: options.instance,
      sink: options.sink,
      bufferBytes,
      commonBytes: bufferBytes,
      laneBytes: 0,
      batchRecords: options.batchRecords ?? 1_000,
      intervalMs: options.intervalMs ?? 10,
      retryMinMs: options.retryMinMs ?? 100,
      retryMaxMs: options.retryMaxMs ?? 5_000,
      onEvent: options.onEvent ?? (() => {}),
      now: options.now ?? Date.now,
      abandon: this.#abandon.signal,
      appended: 0,
      written: 0,
      dropped: 0,
      failedWrites: 0,
      pendingRecords: 0,
      pendingBytes: 0,
    };
  }

  append(entry: DecisionEntry): void {
    if (this.#closing !== undefined) {
      this.#shared.appended++;
      this.#shared.dropped++;
      return;
    }
    // Most processes serve one tenant: comparing with the last one is cheaper than the map.
    const lane = entry.tenant === this.#lastTenant && this.#lastLane !== undefined ? this.#lastLane : this.#lane(entry);
    lane.append(entry);
  }

  stats(): DecisionLogStats {
    const { appended, written, dropped, failedWrites, pendingRecords, pendingBytes } = this.#shared;
    return { appended, written, dropped, failedWrites, pendingRecords, pendingBytes };
  }

  async flush(deadlineMs: number): Promise<void> {
    await within(deadlineMs, Promise.all([...this.#lanes.values()].map((lane) => lane.flush())));
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number): Promise<void> {
    const shared = this.#shared;
    await this.flush(deadlineMs);
    const records = shared.pendingRecords;
    const rest = [...this.#lanes.values()].map((lane) => lane.flush());
    this.#abandon.abort();
    await Promise.all(rest);
    if (records > 0) shared.onEvent({ kind: 'abandoned', records });
    const onFailure = (error: unknown) => shared.onEvent({ kind: 'close_failed', message: messageOf(error) });
    await within(sinkCloseMs, shared.sink.close().catch(onFailure));
  }

  #lane(entry: DecisionEntry): Lane {
    let lane = this.#lanes.get(entry.tenant);
    if (lane === undefined) {
      lane = new Lane(entry.tenant, this.#shared);
      this.#lanes.set(entry.tenant, lane);
      if (this.#lanes.size > 1) {
        // Both halves together are the bound: one for whoever needs it, one in equal parts.
        this.#shared.commonBytes = this.#shared.bufferBytes / 2;
        this.#shared.laneBytes = this.#shared.bufferBytes / 2 / this.#lanes.size;
      }
    }
    this.#lastTenant = entry.tenant;
    this.#lastLane = lane;
    return lane;
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

function formatMiB(bytes: number): string {
  return `${Math.round((bytes / 1024 / 1024) * 10) / 10} MiB`;
}
