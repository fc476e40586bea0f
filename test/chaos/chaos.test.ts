// Replicas in this process follow a Redis that is struck by one fault after the other, and answer all the while: each
// answer is what the reference says at the revision that the answer names, and in the end all of them hold what the store
// holds. The schedule comes from the seed. `npm run chaos` runs it for long.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'vitest';
import { SnapshotDirectory } from '../../src/snapshot-file/directory.ts';
import type { RedisStoreOptions } from '../../src/store/redis/redis-store.ts';
import { type FaultProxy, startFaultProxy } from '../setup/fault-proxy.ts';
import { describeWithOwnRedis } from '../setup/redis-server.ts';
import { faultNames, startSingleRedis, strike } from './faults.ts';
import { ReplicaFollower } from './replica-follower.ts';
import { play, quick, stepsOf } from './run.ts';

const steps = stepsOf(22);

describeWithOwnRedis('replicas of a Redis that is struck again and again', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test('answer as the reference does at each revision, and end where the store is', {
    timeout: 60_000 + steps * 10_000,
  }, async () => {
    const redis = await startSingleRedis();
    closers.push(() => redis.server.stop());
    const root = await mkdtemp(join(tmpdir(), 'postern-chaos-'));
    closers.push(() => rm(root, { recursive: true }));
    const directory = new SnapshotDirectory(join(root, 'snapshots'));
    await directory.open();
    const flat: RedisStoreOptions = { ...quick, manyRecords: 1 };
    const kinds = [
      { name: 'plain', store: quick },
      { name: 'flat', store: flat },
      { name: 'with a directory', store: flat, directory },
    ];
    const ways = await Promise.all(kinds.map(() => startFaultProxy(redis.server.port)));
    for (const way of ways) closers.push(() => way.close());
    await play({
      url: redis.server.url,
      steps,
      faults: faultNames,
      strike: (struck, step, way) => strike(redis, struck, step, way as FaultProxy),
      followers: (followed) =>
        kinds.map((kind, i) => {
          const way = ways[i] as FaultProxy;
          return new ReplicaFollower({ ...followed, ...kind, way, url: `redis://127.0.0.1:${way.port}` });
        }),
    });
  });
});
