// Replicas in this process, and a sidecar in one of its own, follow a primary that is killed, frozen and cut off again and
// again, and whose place is taken by a replica that lacks its last commits. What was lost is never answered as what came
// in its place: each answer is what the reference says at epoch, number and nonce, and in the end all are where the store is.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'vitest';
import { SnapshotDirectory } from '../../src/snapshot-file/directory.ts';
import { readFiles } from '../integration/reading-back.ts';
import { describeWithOwnRedis } from '../setup/redis-server.ts';
import { ReplicaFollower } from './replica-follower.ts';
import { play, quick, stepsOf } from './run.ts';
import { losingFaultNames, sentinelFaultNames, startWatched, strikeWatched } from './sentinel-faults.ts';
import { SidecarFollower } from './sidecar-follower.ts';

const steps = stepsOf(3);

describeWithOwnRedis('followers of a primary that fails over again and again', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test('answer as the reference does at each revision, lost ones too, and end where the store is', {
    timeout: 60_000 + steps * 20_000,
  }, async () => {
    const root = await mkdtemp(join(tmpdir(), 'postern-chaos-'));
    closers.push(() => rm(root, { recursive: true }));
    const watched = await startWatched(root);
    closers.push(() => watched.sentinel.stop());
    const { url } = watched;
    const directory = new SnapshotDirectory(join(root, 'snapshots'));
    await directory.open();
    const files = join(root, 'log');
    await play({
      url,
      losesCommits: true,
      steps,
      faults: steps < sentinelFaultNames.length ? losingFaultNames : sentinelFaultNames,
      strike: (struck, step) => strikeWatched(watched, struck, step),
      followers: (followed) => [
        new ReplicaFollower({ ...followed, name: 'plain', url, store: quick }),
        new ReplicaFollower({ ...followed, name: 'flat', url, store: { ...quick, manyRecords: 1 }, directory }),
        new SidecarFollower({
          ...followed,
          name: 'over the wire',
          url,
          directory: join(root, 'sidecar'),
          savesSnapshots: true,
          logFlags: ['--decision-log=file', `--decision-log-dir=${files}`],
          readLog: async () => ({ account: await readFiles(files, followed.tenant), emptiedMs: 0 }),
        }),
      ],
    });
  });
});
