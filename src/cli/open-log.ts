/**
 * Opens decision logs for commands: files on disk, or a tenant's stream in Redis. Loads nothing of the one that is not
 * asked. It must never print a URL: those hold passwords.
 */
import { existsSync } from 'node:fs';
import type { ReadOptions, ReadRecord } from '../decision-log/filter.ts';
import type { StreamClient } from '../decision-log/read-stream.ts';
import type { RawStreamClient } from '../decision-log/verify/sources.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { defaultTenant } from '../model/names.ts';
import type { LogPlace } from './log-options.ts';
import { coloursOf, note } from './output.ts';

/** The records of a log. @throws PosternError STORE_UNAVAILABLE where there is none, and nobody waits for one to begin */
export async function* openLog(place: LogPlace, reading: ReadOptions): AsyncGenerator<ReadRecord> {
  if (place.redis === undefined) {
    const { readFiles } = await import('../decision-log/read-files.ts');
    const isThere = existsSync(place.dir);
    if (!isThere) sayWhereLogsAre(place.dir, reading.follow);
    // It has been said; until there is one, the reader would say it again.
    yield* readFiles(place.dir, isThere ? reading : { ...reading, onProblem: () => {} });
    return;
  }
  const { readStream } = await import('../decision-log/read-stream.ts');
  const stream = await openStream({ ...place, redis: place.redis });
  try {
    yield* readStream(stream.client, place.tenant ?? defaultTenant, reading);
  } finally {
    await stream.close();
  }
}

export interface OpenStream {
  readonly client: StreamClient & RawStreamClient;
  /** Tenants that have decisions there. */
  tenants(): Promise<readonly string[]>;
  /** Words for messages, without secrets. */
  readonly description: string;
  close(): Promise<void>;
}

/** @throws PosternError INVALID_OPTION; what is thrown by reading is STORE_UNAVAILABLE */
export async function openStream(flags: LogPlace & { readonly redis: string }): Promise<OpenStream> {
  const [{ connect }, { createDecisionStreamReader }, { toStoreError }, { readRedisAccess }] = await Promise.all([
    import('../store/redis/connection.ts'),
    import('../store/redis/decision-client.ts'),
    import('../store/redis/errors.ts'),
    import('../store/redis/access.ts'),
  ]);
  const access = await readRedisAccess(flags);
  const connection = connect(access.target, access.options);
  const reader = createDecisionStreamReader(connection.client);
  const rethrow = (error: unknown): never => {
    // The client's own words speak of its options.
    const isAway = messageOf(error).startsWith('Reached the max retries');
    if (isAway) throw new Error(`${connection.description} is not reachable`, { cause: error });
    throw toStoreError(error, 'cannot read decisions', connection);
  };
  return {
    description: connection.description,
    client: {
      read: (...asked) => reader.read(...asked).catch(rethrow),
      last: (...asked) => reader.last(...asked).catch(rethrow),
      readRaw: (...asked) => reader.readRaw(...asked).catch(rethrow),
      count: (tenant) => reader.count(tenant).catch(rethrow),
    },
    tenants: () => reader.tenants().catch(rethrow),
    async close() {
      await reader.close();
      connection.close();
    },
  };
}

/** @throws PosternError STORE_UNAVAILABLE where nobody waits for the log to begin */
export function sayWhereLogsAre(dir: string, follow: boolean): void {
  const where = 'run this where the sidecar runs, name its --decision-log-dir with --dir, or its Redis with --redis';
  const message = `there is no decision log at ${dir}; ${where}`;
  if (!follow) throw new PosternError('STORE_UNAVAILABLE', message, { field: '--dir' });
  note(coloursOf(process.stderr).yellow(`${message}; waiting for one`));
}
