/** A Redis with the graph of a million bindings, shared by all rows about it: filling it takes a minute. */
import { randomBytes } from 'node:crypto';
import type { Change } from '../../src/model/change.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { startRedis } from '../../test/setup/redis-server.ts';
import { randomGraph, sized } from '../graphs.ts';

export const bindings = 1_000_000;
const changesPerCommit = 50_000;
const tenant = 'default';

export interface Setting {
  readonly redisUrl: string;
  readonly store: Store;
  /** Gives the graph another epoch, as a restored backup has, and commits: whoever follows must load everything. */
  beginEpoch(): Promise<void>;
  /** Takes Redis away, for good. */
  endRedis(): Promise<void>;
  close(): Promise<void>;
}

export async function createSetting(): Promise<Setting> {
  const redis = await startRedis();
  const target = parseRedisUrl(redis.url);
  const store = createRedisStore(target);
  const connection = connect(target);
  await fill(store);
  return {
    redisUrl: redis.url,
    store,
    async beginEpoch() {
      await connection.ready();
      await connection.client.hset(tenantKeys(tenant).head, 'epoch', randomBytes(8).toString('hex'));
      await store.commit(tenant, [{ op: 'put', record: { kind: 'group', group: 'group:core0' } }]);
    },
    endRedis: () => redis.kill(),
    async close() {
      connection.close();
      await store.close();
      await redis.stop();
    },
  };
}

async function fill(store: Store): Promise<void> {
  let changes: Change[] = [];
  for (const record of randomGraph(sized(bindings))) {
    changes.push({ op: 'put', record });
    if (changes.length < changesPerCommit) continue;
    await store.commit(tenant, changes);
    changes = [];
  }
  await store.commit(tenant, changes);
}
