/** Reads the record hashes of a tenant in small scans, as changes: for loads in this thread, and for any kind of Redis. */
import type { Change } from '../../model/change.ts';
import { type EntityKind, entityKinds } from '../../model/entity.ts';
import type { RedisClient } from './connection.ts';
import { parseStored } from './decode.ts';
import type { TenantKeys } from './keys.ts';

export type OnBatch = (changes: readonly Change[]) => void | Promise<void>;

/** Records in one reply: some 600 microseconds of Redis, and 2 milliseconds of this thread. */
const scanCount = 500;

/** Every record of a tenant, what is referred to before what refers to it. @throws what the client throws; STORE_CORRUPT */
export async function scanRecords(client: RedisClient, keys: TenantKeys, onBatch: OnBatch): Promise<void> {
  for (const kind of entityKinds) await scan(client, keys.records[kind], kind, onBatch);
}

async function scan(client: RedisClient, key: string, kind: EntityKind, onBatch: OnBatch): Promise<void> {
  let pending = client.hscan(key, '0', 'COUNT', scanCount);
  for (;;) {
    const [cursor, pairs] = await pending;
    const last = cursor === '0';
    // Redis prepares the next batch while this one is parsed.
    if (!last) {
      pending = client.hscan(key, cursor, 'COUNT', scanCount);
      pending.catch(() => {}); // It may fail while onBatch is awaited; it is awaited itself after that.
    }
    const changes: Change[] = [];
    for (let i = 0; i < pairs.length; i += 2) {
      changes.push(parseStored(kind, pairs[i] as string, pairs[i + 1] as string, key));
    }
    if (changes.length > 0) await onBatch(changes);
    if (last) return;
  }
}
