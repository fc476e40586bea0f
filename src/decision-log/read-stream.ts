/**
 * Reads one tenant's decisions from a Redis stream, then follows it, through
 * restarts of Redis: it goes on behind the last entry that it has seen. Where
 * that was trimmed meanwhile, it tells how many records are missing at least.
 * The client is injected; see store/redis/decision-client.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, PosternError } from '../model/errors.ts';
import { type ReadOptions, type ReadRecord, wanted } from './filter.ts';
import { createNumbers } from './numbers.ts';

export interface StreamEntry {
  /** The stream's own id. */
  readonly id: string;
  /** One line of JSON. */
  readonly record: string;
}

/** What the reader needs of Redis, on a connection of its own. */
export interface StreamClient {
  /** Entries after an id, oldest first; waits up to `blockMs` for the first one, 0 does not wait. */
  read(tenant: string, after: string, count: number, blockMs: number): Promise<readonly StreamEntry[]>;
  /** The newest entries before an id ("+" is the end), oldest first. */
  last(tenant: string, before: string, count: number): Promise<readonly StreamEntry[]>;
}

const pageEntries = 1_000;
/** Also how long it takes at most to see that the signal was aborted. */
const blockMs = 500;
const retryMs = 500;
/** Before all others. */
const noEntry = '0-0';
/**
 * How much earlier than it says a record may have been written, in milliseconds: clocks differ. Records that come late,
 * because their sink was away, are found however late they are.
 */
const clockSkewMs = 5 * 60_000;

/** Before the entries that may hold records of a time: their ids begin with the time of Redis. */
export function entryIdBefore(sinceMs: number): string {
  return `${Math.max(0, sinceMs - clockSkewMs)}-0`;
}

/** The id that follows. */
export function entryIdAfter(id: string): string {
  const [ms = '0', number = '0'] = id.split('-');
  return `${ms}-${BigInt(number) + 1n}`;
}

/** @throws PosternError STORE_UNAVAILABLE when Redis cannot be read and is not followed */
export async function* readStream(
  client: StreamClient,
  tenant: string,
  options: ReadOptions,
): AsyncGenerator<ReadRecord> {
  const { filter, follow, signal } = options;
  const since = filter?.since;
  const start = since === undefined ? noEntry : entryIdBefore(Date.parse(since));
  let at = options.from === 'start' ? start : undefined;
  const numbers = options.onLoss === undefined ? undefined : createNumbers();
  let isRead = false;
  let problem = '';
  while (signal?.aborted !== true) {
    try {
      if (at === undefined) {
        const newest = await readNewest(client, tenant, options);
        at = newest.end;
        isRead = newest.end !== noEntry;
        numbers?.next(newest.last, false);
        yield* newest.found;
      }
      const entries = await client.read(tenant, at, pageEntries, follow ? blockMs : 0);
      // Trimming begins with the oldest: while the last entry that was read is there, so is everything behind it.
      const isCut = numbers !== undefined && entries.length > 0 && isRead && !(await isThere(client, tenant, at));
      const lost = numbers?.next(entries, isCut);
      if (lost !== undefined) options.onLoss?.(lost);
      if (problem !== '') options.onRecovered?.();
      problem = '';
      for (const entry of entries) {
        at = entry.id;
        isRead = true;
        const read = wanted(entry.record, entry.id, options);
        if (read !== undefined) yield read;
      }
      if (entries.length === 0 && !follow) return;
    } catch (error) {
      const message = `cannot read the decisions of tenant ${tenant}: ${messageOf(error)}`;
      if (!follow) throw new PosternError('STORE_UNAVAILABLE', message, {}, error);
      if (message !== problem) options.onProblem?.(message);
      problem = message;
      await delay(retryMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }
}

async function isThere(client: StreamClient, tenant: string, id: string): Promise<boolean> {
  const [entry] = await client.last(tenant, entryIdAfter(id), 1);
  return entry?.id === id;
}

/** The newest records that match, by reading pages backwards, and the last entries that there are. */
async function readNewest(client: StreamClient, tenant: string, options: ReadOptions) {
  const count = typeof options.from === 'number' ? options.from : 0;
  let before = '+';
  let found: ReadRecord[] = [];
  let last: readonly StreamEntry[] = [];
  do {
    const page = await client.last(tenant, before, count === 0 ? 1 : pageEntries);
    const oldest = page[0];
    if (before === '+') last = page;
    if (oldest === undefined) break;
    before = oldest.id;
    const read = page.map((entry) =>
      wanted(entry.record, entry.id, count === 0 ? { ...options, onGarbage: () => {} } : options),
    );
    found = [...read.filter((one) => one !== undefined), ...found];
  } while (found.length < count);
  return { last, end: last.at(-1)?.id ?? noEntry, found: count === 0 ? [] : found.slice(-count) };
}
