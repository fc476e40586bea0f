// Both stores are held to the same claims.
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';
import { describeStoreDeletion } from './store.deletion.ts';
import { describeStoreFollowing } from './store.following.ts';
import { describeStoreHistory } from './store.history.ts';
import { describeStoreNonces } from './store.nonces.ts';
import { describeStoreData, type StoreUnderTest } from './store.suite.ts';

const createRedis = (history?: 'short') =>
  createRedisStore(
    parseRedisUrl(sharedRedisUrl()),
    history === 'short' ? { history: { maxEntries: 10, maxBytes: 1_000_000 } } : {},
  );

const stores: readonly StoreUnderTest[] = [
  {
    name: 'memory',
    create: (history) =>
      createMemoryStore(history === 'short' ? { history: { maxChangeSets: 10, maxChanges: 1000 } } : {}),
    createSecond: (first) => first,
  },
  { name: 'Redis', create: createRedis, createSecond: () => createRedis() },
];

for (const store of stores) {
  describeStoreData(store);
  describeStoreFollowing(store);
  describeStoreHistory(store);
  describeStoreDeletion(store);
  describeStoreNonces(store);
}
