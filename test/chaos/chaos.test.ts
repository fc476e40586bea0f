// Sidecars follow a Redis that is struck by one fault after the other, and answer all the while: each answer is what the
// reference says at the revision that the answer names, and in the end all of them hold what the store holds. The
// schedule comes from the seed. `npm run chaos` runs it for long.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { recordsOf } from '../../src/graph/records.ts';
import { type Change, formatRevision } from '../../src/model/change.ts';
import { PosternError } from '../../src/model/errors.ts';
import { SnapshotDirectory } from '../../src/snapshot-file/directory.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { query } from '../reference/questions.ts';
import { sameRecords } from '../reference/runs.ts';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';
import { seed } from '../setup/seed.ts';
import { loadGraph } from '../store/records.ts';
import { type Ending, type Struck, strike } from './faults.ts';
import { Follower } from './follower.ts';
import { Ledger } from './ledger.ts';
import { type Step, scheduleOf } from './schedule.ts';

const steps = Number(process.env.POSTERN_CHAOS_STEPS ?? 22);
const tenant = 'acme';
const quick: RedisStoreOptions = { heartbeatMs: 50, heartbeatTimeoutMs: 400, connectTimeoutMs: 1000 };
const flat: RedisStoreOptions = { ...quick, manyRecords: 1 };

describeWithOwnRedis('sidecars of a Redis that is struck again and again', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test('answer as the reference does at each revision, and end where the store is', {
    timeout: 60_000 + steps * 10_000,
  }, async () => {
    console.log(`chaos: POSTERN_SEED=${seed} POSTERN_CHAOS_STEPS=${steps} npm run chaos repeats this run`);
    const config = { 'enable-debug-command': 'local' };
    const server = await startRedis({ persistent: true, config }).catch(() => startRedis({ persistent: true }));
    closers.push(() => server.stop());
    const root = await mkdtemp(join(tmpdir(), 'postern-chaos-'));
    closers.push(() => rm(root, { recursive: true }));
    const directory = new SnapshotDirectory(join(root, 'snapshots'));
    await directory.open();
    const truth = createRedisStore(parseRedisUrl(server.url), quick);
    closers.push(() => truth.close());

    const ledger = new Ledger();
    const log: string[] = [];
    const readBack = () => vi.waitFor(() => ledger.readBack(truth, tenant), { timeout: 15_000, interval: 20 });
    const queries = fc.sample(query, { seed, numRuns: 60 });
    const shared = { port: server.port, tenant, ledger, queries };
    const commit = async (changes: readonly Change[]) => {
      await truth.commit(tenant, changes, { why: ledger.sending(changes) });
      await readBack();
    };
    const [first, ...schedule] = scheduleOf(seed, steps + 1) as [Step, ...Step[]];
    await commit(first.graph.map((record) => ({ op: 'put', record })));
    const followers = [
      await Follower.start({ ...shared, name: 'plain', store: quick }),
      await Follower.start({ ...shared, name: 'flat', store: flat }),
      await Follower.start({ ...shared, name: 'with a directory', store: flat, directory }),
    ];
    for (const follower of followers) closers.push(() => follower.close());
    const [, , saving] = followers as [Follower, Follower, Follower];

    const told = () =>
      `${log.join('\n')}\n${followers
        .map(({ name, replica, events, wrongs }) => {
          const at = replica?.current === undefined ? 'nothing' : formatRevision(replica.current.revision);
          return `${name}: at ${at}, ${JSON.stringify(replica?.state)}, last ${events.slice(-12)}; ${wrongs.slice(0, 3).join('\n')}`;
        })
        .join('\n')}`;
    const settled = () =>
      vi.waitFor(
        async () => {
          const { graph, revision } = await loadGraph(truth, tenant);
          sameRecords([...graph.values()], ledger.recordsAt(revision));
          for (const { replica } of followers) {
            expect({ state: replica?.state.kind, revision: replica?.current?.revision }).toEqual({
              state: 'current',
              revision,
            });
            if (replica?.current !== undefined) sameRecords([...recordsOf(replica.current)], [...graph.values()]);
          }
        },
        { timeout: 30_000, interval: 20 },
      );
    const noWrongs = () => {
      for (const follower of followers) {
        follower.judge();
        expect(follower.wrongs, follower.name).toEqual([]);
      }
    };

    const asks: Promise<void>[] = [];
    const write = async (step: Step) => {
      for (const [i, changes] of step.changeSets.entries()) {
        const follower = followers[(step.victim + i) % followers.length] as Follower;
        try {
          const revision = await truth.commit(tenant, changes, { why: ledger.sending(changes) });
          asks.push(follower.readYourWrite(revision, AbortSignal.timeout(2_000)));
        } catch (error) {
          // Whether it was made is read back.
          if (!(error instanceof PosternError && error.code === 'STORE_UNAVAILABLE')) throw error;
        }
      }
    };

    const struck: Struck = { server, tenant, readBack, commit, backups: [] };
    const later: { readonly atStep: number; readonly end: Ending['end'] }[] = [];
    const endLater = async (until: number) => {
      for (const each of later.splice(0)) {
        if (each.atStep <= until) await each.end();
        else later.push(each);
      }
    };
    try {
      await settled();
      for (const [i, step] of schedule.entries()) {
        await endLater(i);
        const head = await vi.waitFor(() => truth.head(tenant), { timeout: 15_000, interval: 20 });
        const at = head === undefined ? 'nothing' : formatRevision(head);
        log.push(
          `${i}: ${step.fault}, ${step.lastsMs} ms, way ${step.victim}, at ${at}${step.restarts ? ', one restarts' : ''}`,
        );
        if (step.restarts) await saving.end();
        const { when, end } = await strike(struck, step, (followers[step.victim] as Follower).proxy);
        if (step.restarts) saving.begin();
        if (step.fault === 'a record is garbage') await delay(step.lastsMs);
        else {
          const writing = write(step);
          writing.catch(() => {});
          if (when === 'with the step') {
            await delay(step.lastsMs);
            await end();
          }
          await writing;
        }
        if (step.fault === 'a record is garbage') {
          await end();
          await write(step);
        }
        if (when === 'later') later.push({ atStep: i + 1 + step.outlives, end });
        await readBack();
        if (step.settles) {
          await endLater(Number.POSITIVE_INFINITY);
          await Promise.all(asks.splice(0));
          await settled();
          noWrongs();
        }
      }
      await endLater(Number.POSITIVE_INFINITY);
      await Promise.all(asks);
      await settled();
      await readBack();
      noWrongs();
      for (const { asked } of followers) expect(asked).toBeGreaterThan(steps);
    } catch (error) {
      throw new Error(
        `POSTERN_SEED=${seed} POSTERN_CHAOS_STEPS=${steps}: ${error instanceof Error ? error.message : error}\n${told()}`,
        { cause: error },
      );
    }
  });
});
