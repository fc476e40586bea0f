/**
 * What the decision log's sink and reader need of Redis: appending by one
 * script call, trimming, and reading a stream forwards. Shaped after the interfaces
 * that decision-log declares, which this folder must not import. A reader gets
 * a connection of its own, because a blocking read holds a connection up.
 */
import { readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import { problemOfTenant } from '../../model/names.ts';
import type { Connection, RedisClient } from './connection.ts';
import { toStoreError } from './errors.ts';
import { tenantKeys, tenantsKey } from './keys.ts';
import { sendOrTooLong } from './too-long.ts';

export interface DecisionStreamEntry {
  /** The stream's own id, such as "1767225600000-0". */
  readonly id: string;
  /** One line of JSON. */
  readonly record: string;
}

export interface RawStreamEntry {
  readonly id: string;
  readonly record: Buffer;
}

const script = readFileSync(new URL('./commands/append-decisions.lua', import.meta.url), 'utf8');

interface AppendCommand {
  posternAppendDecisions(key: string, lines: string): Promise<string | null>;
}

/** Most entries that one trimming removes: Redis serves nobody else meanwhile. */
const maxTrimmed = 10_000;

/** Appends to streams, and trims them. The connection stays its owner's. */
export function createDecisionAppender(connection: Connection) {
  const { client, description } = connection;
  client.defineCommand('posternAppendDecisions', { numberOfKeys: 1, lua: script });
  const commands = client as unknown as AppendCommand;
  const run = async (key: string, lines: string) => {
    await connection.ready();
    return commands.posternAppendDecisions(key, lines);
  };
  return {
    description,
    /**
     * Appends lines, each ended by "\n", as one entry each.
     * @returns the time that Redis gave the last of them, in milliseconds since 1970; `too_long` where it takes no text
     * of this length
     * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT
     */
    async append(tenant: string, lines: string): Promise<number | 'too_long'> {
      const key = tenantKeys(tenant).decisions;
      try {
        const id = await sendOrTooLong(
          lines,
          () => run(key, lines),
          () => run(key, ''),
        );
        return id === 'too_long' ? id : Number.parseInt(id ?? '0', 10);
      } catch (error) {
        throw toStoreError(error, `cannot append decisions of tenant ${tenant}`, connection);
      }
    },
    /**
     * Removes the oldest entries over a number, or from before a time in milliseconds since 1970, in whole blocks.
     * @returns whether there may be more to remove
     * @throws PosternError STORE_UNAVAILABLE, STORE_CORRUPT
     */
    async trim(tenant: string, keep: { readonly maxEntries: number } | { readonly before: number }): Promise<boolean> {
      const key = tenantKeys(tenant).decisions;
      try {
        await connection.ready();
        const removed =
          'before' in keep
            ? await client.xtrim(key, 'MINID', '~', keep.before, 'LIMIT', maxTrimmed)
            : await client.xtrim(key, 'MAXLEN', '~', keep.maxEntries, 'LIMIT', maxTrimmed);
        // It stops before the block that would be over the limit, and a block has as many as the operator allows.
        return removed > maxTrimmed / 2;
      } catch (error) {
        throw toStoreError(error, `cannot trim the decisions of tenant ${tenant}`, connection);
      }
    },
  };
}

/** Reads streams, on a connection of its own with the settings of the given one. */
export function createDecisionStreamReader(client: RedisClient) {
  const own: RedisClient = client instanceof Cluster ? client.duplicate() : client.duplicate();
  own.on('error', () => {}); // Every read tells its own failure.
  return {
    /** Entries after an id, oldest first; waits up to `blockMs` for the first one, 0 does not wait. */
    async read(tenant: string, after: string, count: number, blockMs: number): Promise<DecisionStreamEntry[]> {
      const key = tenantKeys(tenant).decisions;
      const reply =
        blockMs > 0
          ? await own.xread('COUNT', count, 'BLOCK', blockMs, 'STREAMS', key, after)
          : await own.xread('COUNT', count, 'STREAMS', key, after);
      return (reply?.[0]?.[1] ?? []).map(toEntry);
    },
    /** The newest entries before an id ("+" is the end), oldest first. */
    async last(tenant: string, before: string, count: number): Promise<DecisionStreamEntry[]> {
      return newestBefore(own, tenantKeys(tenant).decisions, before, count);
    },
    /** Every tenant that was ever written, those that were deleted too: their decisions stay. */
    async tenants(): Promise<readonly string[]> {
      const names = await own.smembers(tenantsKey);
      return names.filter((name) => problemOfTenant(name) === undefined).sort();
    },
    /** The same as `read` without a wait, and the bytes as they are: of what is no text, no other text is made. */
    async readRaw(tenant: string, after: string, count: number): Promise<RawStreamEntry[]> {
      const key = tenantKeys(tenant).decisions;
      const reply = await own.xreadBuffer('COUNT', count, 'STREAMS', key, after);
      const entries = (reply?.[0]?.[1] ?? []) as unknown as [id: Buffer, fields: Buffer[]][];
      return entries.map(([id, fields]) => ({ id: id.toString(), record: recordOf(fields) ?? Buffer.alloc(0) }));
    },
    /** How many entries there are. */
    count(tenant: string): Promise<number> {
      return own.xlen(tenantKeys(tenant).decisions);
    },
    /** Ends the connection, and with it a read that waits; idempotent. */
    async close(): Promise<void> {
      own.disconnect();
    },
  };
}

/**
 * Reads streams without waiting in Redis, so that one connection is enough for all who read. The connection stays its owner's.
 * Every call throws PosternError STORE_UNAVAILABLE or STORE_CORRUPT.
 */
export function createDecisionPoller(connection: Connection) {
  const { client } = connection;
  const attempt = async <T>(tenant: string, read: (key: string) => Promise<T>): Promise<T> => {
    const { decisions } = tenantKeys(tenant);
    try {
      await connection.ready();
      return await read(decisions);
    } catch (error) {
      throw toStoreError(error, `cannot read decisions of tenant ${tenant}`, connection);
    }
  };
  return {
    /** Entries after an id, oldest first. */
    read(tenant: string, after: string, count: number): Promise<DecisionStreamEntry[]> {
      return attempt(tenant, async (key) => {
        const reply = await client.xread('COUNT', count, 'STREAMS', key, after);
        return (reply?.[0]?.[1] ?? []).map(toEntry);
      });
    },
    /** The newest entries before an id ("+" is the end), oldest first. */
    last(tenant: string, before: string, count: number): Promise<DecisionStreamEntry[]> {
      return attempt(tenant, (key) => newestBefore(client, key, before, count));
    },
  };
}

async function newestBefore(client: RedisClient, key: string, before: string, count: number) {
  const end = before === '+' ? '+' : `(${before}`;
  const reply = await client.xrevrange(key, end, '-', 'COUNT', count);
  return reply.reverse().map(toEntry);
}

/** A foreign entry has other fields: its record is empty, which no parser takes for a decision. */
function toEntry([id, fields]: [id: string, fields: string[]]): DecisionStreamEntry {
  return { id, record: recordOf(fields) ?? '' };
}

function recordOf<T extends string | Buffer>(fields: readonly T[]): T | undefined {
  const at = fields.findIndex((field, i) => i % 2 === 0 && field.toString() === 'record');
  return at < 0 ? undefined : fields[at + 1];
}
