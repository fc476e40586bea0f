/**
 * How much of a tenant's stream is kept: about so many entries, what is younger than an age, or both. The length is
 * looked at after each batch, the age at intervals, also while no decisions come, for every tenant that this process
 * has written to. An entry's age is counted from the time that Redis gave it. Used by the Redis sink only. What cannot
 * be trimmed is told, and never fails a write: what was written must not be written twice for it.
 */
import { messageOf } from '../../model/errors.ts';

export interface StreamTrimmer {
  /**
   * Removes the oldest entries while there are more than `maxEntries`, or while they are older than `before` in
   * milliseconds since 1970, in whole blocks, so that some stay; at most so many at once that Redis is not held up.
   * Resolves with whether there may be more to remove.
   */
  trim(tenant: string, keep: { readonly maxEntries: number } | { readonly before: number }): Promise<boolean>;
}

export interface RetentionOptions {
  /** About how many entries a tenant's stream keeps; 0, or absent, keeps all. */
  readonly maxEntries?: number;
  /** Entries that are older may go; 0, or absent, keeps all. */
  readonly maxAgeMs?: number;
  /** How often the age is looked at. Default: twenty times in `maxAgeMs`, but once a second at most, and once a minute at least. */
  readonly everyMs?: number;
  /** Told once for each time that trimming begins to fail. */
  readonly onProblem?: (message: string) => void;
}

export interface Retention {
  /** The time that Redis gave the last entry of a tenant, in milliseconds since 1970. */
  note(tenant: string, timeMs: number): void;
  /** Trims a stream to its length. Never rejects. */
  apply(tenant: string): Promise<void>;
  close(): void;
}

/** The time at Redis, and when that was by a clock that nobody sets. */
interface Seen {
  readonly timeMs: number;
  readonly atMs: number;
}

/** More than any batch adds, so that a stream shrinks to its length, and few enough that no batch waits for all of it. */
const trimsPerBatch = 20;

export function createRetention(client: StreamTrimmer, options: RetentionOptions): Retention {
  const { maxEntries = 0, maxAgeMs = 0, onProblem = () => {} } = options;
  const seen = new Map<string, Seen>();
  let failing = false;
  let looking = false;
  let closed = false;

  const trim = async (tenant: string, keep: Parameters<StreamTrimmer['trim']>[1], times: number) => {
    try {
      for (let i = 0; i < times && !closed; i++) if (!(await client.trim(tenant, keep))) break;
      failing = false;
    } catch (error) {
      if (!failing && !closed) onProblem(`the stream of decisions is not trimmed: ${messageOf(error)}`);
      failing = true;
    }
  };
  const lookAtAges = async () => {
    if (looking) return;
    looking = true;
    for (const [tenant, { timeMs, atMs }] of seen) {
      // Of two clocks the one that is behind: the other one may have been set wrong, and what is cut is gone.
      const nowMs = Math.min(Math.floor(timeMs + performance.now() - atMs), Date.now());
      if (nowMs > maxAgeMs) await trim(tenant, { before: nowMs - maxAgeMs }, Number.POSITIVE_INFINITY);
    }
    looking = false;
  };

  const everyMs = options.everyMs ?? Math.min(Math.max(maxAgeMs / 20, 1_000), 60_000);
  const timer = maxAgeMs > 0 ? setInterval(() => void lookAtAges(), everyMs).unref() : undefined;
  return {
    note(tenant, timeMs) {
      if (maxAgeMs > 0) seen.set(tenant, { timeMs, atMs: performance.now() });
    },
    async apply(tenant) {
      if (maxEntries > 0) await trim(tenant, { maxEntries }, trimsPerBatch);
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
