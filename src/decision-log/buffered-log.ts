/**
 * The decision log of a running sidecar: bounded by bytes, written in batches,
 * one lane per tenant. When what takes the batches is slow or gone, records wait
 * until the buffer is full; then it does what the operator chose: drop, and tell
 * by a gap record, or have callers wait. append() must never wait, throw or do I/O.
 */
import { type Content, formatContent, plainContent } from './content/content.ts';
import { PathTurns } from './content/path-turns.ts';
import type { LogEvent } from './events.ts';
import { Lane, type Shared, type WhenFull } from './lane.ts';
import type { DecisionLog, DecisionLogStats } from './log.ts';
import type { Outlet } from './outlet.ts';
import { isChange, type LogEntry } from './queue.ts';
import { RoomWaiters } from './room-waiters.ts';
import { within } from './within.ts';

export interface BufferedLogOptions {
  /** Names this process in every record: unique among those that write to one sink. */
  readonly instance: string;
  readonly outlet: Outlet;
  /** Default drop-newest. */
  readonly whenFull?: WhenFull;
  /** What is recorded, and what of it; everything by default. */
  readonly content?: Content;
  /** Most bytes that may wait, about; default 64 MiB. */
  readonly bufferBytes?: number;
  /** Records that are written at once; as many waiting are written without delay. Default 1,000. */
  readonly batchRecords?: number;
  /** How long a record may wait for others to share a batch with; default 10. */
  readonly intervalMs?: number;
  /** Told once per outage, not once per record. Must not throw. */
  readonly onEvent?: (event: LogEvent) => void;
  /** Milliseconds since 1970, for the time of gap records. */
  readonly now?: () => number;
}

const inWords: Readonly<Record<WhenFull, string>> = {
  wait: 'then questions wait for it',
  'drop-newest': 'then the newest records are dropped, and a gap record tells which',
  'drop-oldest': 'then the oldest records are dropped, and a gap record tells which',
};

export class BufferedDecisionLog implements DecisionLog {
  readonly description: string;
  readonly takesPath: Content['takesPath'];
  readonly #shared: Shared;
  readonly #wants: Content['wants'];
  readonly #paths = new PathTurns();
  readonly #lanes = new Map<string, Lane>();
  readonly #waiters: RoomWaiters;
  #lastTenant = '';
  #lastLane: Lane | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: BufferedLogOptions) {
    const content = options.content ?? plainContent;
    this.takesPath = content.takesPath;
    this.#wants = content.wants;
    const bufferBytes = options.bufferBytes ?? 64 * 1024 * 1024;
    const whenFull = options.whenFull ?? 'drop-newest';
    const { outlet } = options;
    this.description = `${outlet.description}; ${formatMiB(bufferBytes)} of memory may wait for that, ${inWords[whenFull]}${formatContent(content)}`;
    this.#shared = {
      instance: options.instance,
      outlet,
      whenFull,
      content,
      bufferBytes,
      commonBytes: bufferBytes,
      laneBytes: 0,
      batchRecords: options.batchRecords ?? 1_000,
      intervalMs: options.intervalMs ?? 10,
      onEvent: options.onEvent ?? (() => {}),
      now: options.now ?? Date.now,
      leftOut: 0,
      appended: 0,
      written: 0,
      dropped: 0,
      pendingRecords: 0,
      pendingBytes: 0,
    };
    this.#waiters = new RoomWaiters(() => this.hasRoom);
  }

  get hasRoom(): boolean {
    const { whenFull, pendingBytes, bufferBytes } = this.#shared;
    return whenFull !== 'wait' || pendingBytes < bufferBytes || this.#closing !== undefined;
  }

  room(signal: AbortSignal | undefined): Promise<void> {
    return this.#waiters.wait(signal);
  }

  append(entry: LogEntry): void {
    // Before it is numbered: what is not wanted is not missing.
    if (!isChange(entry)) {
      if (this.#wants !== undefined && !this.#wants(entry)) {
        this.#shared.leftOut++;
        return;
      }
      if (entry.path !== undefined) this.#paths.add(entry.path);
    }
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
    const { leftOut, appended, written, dropped, pendingRecords, pendingBytes } = this.#shared;
    return { leftOut, appended, written, dropped, pendingRecords, pendingBytes, ...this.#shared.outlet.stats() };
  }

  async flush(deadlineMs: number): Promise<void> {
    await within(deadlineMs, Promise.all([...this.#lanes.values()].map((lane) => lane.flush())));
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number): Promise<void> {
    const { outlet, onEvent } = this.#shared;
    const endMs = performance.now() + deadlineMs;
    this.#waiters.close();
    await this.flush(deadlineMs);
    const { pendingRecords } = this.#shared;
    const abandoned = new Map<string, { first: number; last: number }>();
    if (pendingRecords > 0) {
      const rest = [...this.#lanes.values()].map((lane) => lane.flush());
      outlet.giveUp();
      await Promise.all(rest);
      for (const [tenant, lane] of this.#lanes) if (lane.abandoned !== undefined) abandoned.set(tenant, lane.abandoned);
      onEvent({ kind: 'abandoned', records: pendingRecords });
    }
    await outlet.close(Math.max(0, endMs - performance.now()), abandoned);
  }

  #lane(entry: LogEntry): Lane {
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

function formatMiB(bytes: number): string {
  return `${Math.round((bytes / 1024 / 1024) * 10) / 10} MiB`;
}
