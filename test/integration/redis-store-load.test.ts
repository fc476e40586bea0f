// Loading from a real Redis while others commit, and how long history reaches.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Change, Revision } from '../../src/model/change.ts';
import type { HistoryLimits } from '../../src/store/redis/commit.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';
import { applyAll, bindingOf, deleteOf, loadGraph, newTenant, oneOfEach, putOf } from '../store/records.ts';

let redis: Redis;
let store: Store;
let tenant: string;

function open(history?: HistoryLimits): Store {
  return createRedisStore(parseRedisUrl(sharedRedisUrl()), history === undefined ? {} : { history });
}

beforeAll(() => {
  redis = new Redis(sharedRedisUrl());
});
afterAll(() => redis.disconnect());
beforeEach(() => {
  store = open();
  tenant = newTenant();
});
afterEach(() => store.close());

describe('a load', () => {
  const total = 3000;
  const random = (bound: number, seed: { value: number }) => {
    seed.value = (seed.value * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed.value / 2 ** 31) * bound);
  };

  test.for([1, 2, 3])('while others commit is exactly the graph of its revision (seed %i)', async (start) => {
    const seed = { value: start };
    const committed: (readonly Change[])[] = [];
    const commit = async (changes: readonly Change[]) => {
      const { number } = await store.commit(tenant, changes);
      committed[number - 1] = changes;
    };
    await commit(Array.from({ length: total }, (_, i) => putOf(bindingOf(i))));
    let done = false;
    const writer = (async () => {
      while (!done) {
        const record = bindingOf(random(total * 2, seed));
        await commit(
          random(2, seed) === 0
            ? [deleteOf(record)]
            : [putOf({ ...record, note: `${committed.length}` } as typeof record)],
        );
      }
    })();
    const second = open();
    const loads: { graph: ReadonlyMap<string, unknown>; revision: Revision }[] = [];
    while (loads.length < 5) loads.push(await loadGraph(second, tenant));
    done = true;
    await writer;
    await second.close();
    // The claim is empty unless commits really fell into the loads.
    expect(loads[4]?.revision.number).toBeGreaterThan(loads[0]?.revision.number ?? 0);
    for (const { graph, revision } of loads) {
      expect(graph).toEqual(applyAll(committed.slice(0, revision.number).flat()));
    }
  });

  describe('under which history is cut off', () => {
    const short: HistoryLimits = { maxEntries: 1, maxBytes: 1000 };

    async function loadUnderCommits(commitsIn: (load: number) => boolean, onRestart?: () => void) {
      const writer = open(short);
      await writer.commit(tenant, [putOf(bindingOf(0)), putOf(bindingOf(1))]);
      let loads = 0;
      let graph = new Map() as ReadonlyMap<string, unknown>;
      let changes: Change[] = [];
      try {
        const revision = await store.load(
          tenant,
          async (batch) => {
            changes.push(...batch);
            // The writer deletes what this load has seen, and leaves no history that would say so.
            if (commitsIn(++loads)) {
              await writer.commit(tenant, [deleteOf(bindingOf(0))]);
              for (let i = 0; i < 150; i++) await writer.commit(tenant, [putOf(bindingOf(2))]);
            }
          },
          onRestart === undefined
            ? undefined
            : () => {
                onRestart();
                changes = [];
              },
        );
        graph = applyAll(changes);
        return { graph, revision };
      } finally {
        await writer.close();
      }
    }

    test('begins again, and forgets what it had handed over', async () => {
      const onRestart = vi.fn();
      const { graph, revision } = await loadUnderCommits((load) => load === 1, onRestart);
      expect(onRestart).toHaveBeenCalledTimes(1);
      expect(graph).toEqual(applyAll([bindingOf(1), bindingOf(2)].map(putOf)));
      expect(revision).toEqual(await store.head(tenant));
    });

    test('gives up after some tries', async () => {
      const onRestart = vi.fn();
      await expect(loadUnderCommits(() => true, onRestart)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(onRestart).toHaveBeenCalledTimes(3);
    });

    test('fails at once where it may not begin again', async () => {
      await expect(loadUnderCommits((load) => load === 1)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('cut off'),
      });
    });
  });

  test('never lists the keys of Redis', async () => {
    const calls = async () => /cmdstat_keys:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? '0';
    const before = await calls();
    await store.commit(tenant, oneOfEach.map(putOf));
    await loadGraph(store, tenant);
    await store.tenants();
    expect(await calls()).toBe(before);
  });
});

test('history is bounded by bytes, and keeps the newest change set whatever its size', async () => {
  const small = open({ maxEntries: 100_000, maxBytes: 20_000 });
  for (let i = 0; i < 500; i++) await small.commit(tenant, [putOf(bindingOf(i))]);
  const { changes } = tenantKeys(tenant);
  const kept = await redis.xrange(changes, '-', '+');
  const bytes = kept.reduce((sum, [, fields]) => sum + (fields.at(-1)?.length ?? 0), 0);
  expect(bytes).toBeGreaterThan(5000);
  expect(bytes).toBeLessThan(30_000);
  const head = await small.commit(
    tenant,
    Array.from({ length: 3000 }, (_, i) => putOf(bindingOf(i))),
  );
  const last = await small.changesSince(tenant, { epoch: head.epoch, number: head.number - 1 }, 1);
  expect(last?.[0]?.changes).toHaveLength(3000);
  await small.close();
});
