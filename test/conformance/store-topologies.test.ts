// The store in Redis is held to the same claims whatever its shape: behind Sentinels, and in a Cluster of three masters,
// where the tenants of a test are on different nodes.
import { afterAll, beforeAll } from 'vitest';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { startCluster } from '../setup/redis-cluster.ts';
import { startSentinel } from '../setup/redis-sentinel.ts';
import { describeWithOwnRedis } from '../setup/redis-server.ts';
import { describeStoreDeletion } from './store.deletion.ts';
import { describeStoreFollowing } from './store.following.ts';
import { describeStoreHistory } from './store.history.ts';
import { describeStoreData, type StoreUnderTest } from './store.suite.ts';

const shapes = [
  { name: 'Redis behind Sentinels', start: () => startSentinel() },
  { name: 'Redis Cluster', start: () => startCluster() },
] as const;

for (const { name, start } of shapes) {
  describeWithOwnRedis(name, () => {
    let redis: { readonly url: string; stop(): Promise<void> };
    beforeAll(async () => {
      redis = await start();
    });
    afterAll(() => redis.stop());

    const create = (history?: 'short') =>
      createRedisStore(
        parseRedisUrl(redis.url),
        history === 'short' ? { history: { maxEntries: 10, maxBytes: 1_000_000 } } : {},
      );
    const store: StoreUnderTest = { name, create, createSecond: () => create() };
    describeStoreData(store);
    describeStoreFollowing(store);
    describeStoreHistory(store);
    describeStoreDeletion(store);
  });
}
