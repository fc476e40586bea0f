// Sidecars that are processes of their own follow a Redis that is struck by one fault after the other, are killed and
// started anew themselves, and are asked over gRPC all the while: each answer is what the reference says at the revision
// of its token, in the end they are where the store is, and their decision logs hold what they answered.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'vitest';
import { readFiles, readStream } from '../integration/reading-back.ts';
import { type FaultProxy, startFaultProxy } from '../setup/fault-proxy.ts';
import { describeWithOwnRedis } from '../setup/redis-server.ts';
import { faultNames, startSingleRedis, strike } from './faults.ts';
import { play, stepsOf } from './run.ts';
import { SidecarFollower } from './sidecar-follower.ts';

const steps = stepsOf(8);

describeWithOwnRedis('sidecars in processes of their own, of a Redis that is struck again and again', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test('answer as the reference does at each revision, log what they answer, and end where the store is', {
    timeout: 60_000 + steps * 10_000,
  }, async () => {
    const redis = await startSingleRedis();
    closers.push(() => redis.server.stop());
    const root = await mkdtemp(join(tmpdir(), 'postern-chaos-'));
    closers.push(() => rm(root, { recursive: true }));
    const ways = await Promise.all([1, 2].map(() => startFaultProxy(redis.server.port)));
    for (const way of ways) closers.push(() => way.close());
    const [first, second] = ways as [FaultProxy, FaultProxy];
    const files = join(root, 'log');
    await play({
      url: redis.server.url,
      steps,
      faults: faultNames,
      strike: (struck, step, way) => strike(redis, struck, step, way as FaultProxy),
      followers: (followed) => [
        new SidecarFollower({
          ...followed,
          name: 'with snapshots',
          ...reachedBy(first),
          directory: join(root, 'first'),
          savesSnapshots: true,
          logFlags: ['--decision-log=file', `--decision-log-dir=${files}`],
          readLog: async () => ({ account: await readFiles(files, followed.tenant), emptiedMs: 0 }),
        }),
        new SidecarFollower({
          ...followed,
          name: 'with nothing on disk',
          ...reachedBy(second),
          directory: join(root, 'second'),
          savesSnapshots: false,
          logFlags: ['--decision-log=redis'],
          readLog: async () => ({
            account: await readStream(redis.server.url, followed.tenant),
            emptiedMs: redis.flushes.at(-1) ?? 0,
          }),
        }),
      ],
    });
  });
});

function reachedBy(way: FaultProxy) {
  return { way, url: `redis://127.0.0.1:${way.port}` };
}
