/**
 * Reads one tenant's decisions from a Redis stream, then follows it, through
 * restarts of Redis: it goes on behind the last entry that it has seen. The
 * client is injected; see store/redis/decision-client.ts. Used by the CLI.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, PosternError } from '../model/errors.ts';
import { type ReadOptions, type ReadRecord, wanted } from './filter.ts';

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

/** @throws PosternError STORE_UNAVAILABLE when Redis cannot be read and is not followed */
export async function* readStream(
  client: StreamClient,
  tenant: string,
  options: ReadOptions,
): AsyncGenerator<ReadRecord> {
  const at = { id: options.from === 'start' ? '0-0' : '' };
  let problem = '';
  while (options.signal?.aborted !== true) {
    try {
      if (at.id === '') yield* readNewest(client, tenant, options, at);
      const wait = options.follow ? blockMs : 0;
      const entries = await client.read(tenant, at.id, pageEntries, wait);
      problem = '';
      for (const entry of entries) {
        at.id = entry.id;
        const read = wanted(entry.record, entry.id, options);
        if (read !== undefined) yield read;
      }
      if (entries.length === 0 && !options.follow) return;
    } catch (error) {
      const message = `cannot read the decisions of tenant ${tenant}: ${messageOf(error)}`;
      if (!options.follow) throw new PosternError('STORE_UNAVAILABLE', message, {}, error);
      if (message !== problem) options.onProblem?.(message);
      problem = message;
      await delay(retryMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => {});
    }
  }
}

/** The newest records that match, by reading pages backwards; sets where to go on. */
async function* readNewest(client: StreamClient, tenant: string, options: ReadOptions, at: { id: string }) {
  const count = typeof options.from === 'number' ? options.from : 0;
  let before = '+';
  let found: ReadRecord[] = [];
  let end = '0-0';
  do {
    const page = await client.last(tenant, before, count === 0 ? 1 : pageEntries);
    const oldest = page[0];
    if (before === '+') end = page.at(-1)?.id ?? '0-0';
    if (oldest === undefined) break;
    before = oldest.id;
    const read = page.map((entry) =>
      wanted(entry.record, entry.id, count === 0 ? { ...options, onGarbage: () => {} } : options),
    );
    found = [...read.filter((one) => one !== undefined), ...found];
  } while (found.length < count);
  at.id = end;
  yield* count === 0 ? [] : found.slice(-count);
}
