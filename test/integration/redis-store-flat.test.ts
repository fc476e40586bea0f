// Loading a large graph in a worker, from a real Redis: what it is while others commit, what it says of garbage.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { applyChanges } from '../../src/graph/apply.ts';
import { snapshotOf } from '../../src/graph/flat/snapshot-of.ts';
import { recordsOf } from '../../src/graph/records.ts';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { FlatLoad, Store } from '../../src/store/store.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';
import { applyAll, bindingOf, deleteOf, newTenant, oneOfEach, putOf } from '../store/records.ts';

const records = 25_000;
const large: readonly Change[] = [...oneOfEach, ...Array.from({ length: records }, (_, i) => bindingOf(i))].map(putOf);

let redis: Redis;
let store: Store;
let tenant: string;

beforeAll(() => {
  redis = new Redis(sharedRedisUrl());
});
afterAll(() => redis.disconnect());
beforeEach(() => {
  store = createRedisStore(parseRedisUrl(sharedRedisUrl()));
  tenant = newTenant();
});
afterEach(async () => {
  await redis.del(...tenantKeys(tenant).recordList);
  await store.close();
});

async function loadFlat(signal = new AbortController().signal): Promise<FlatLoad> {
  const loaded = await store.loadFlat?.(tenant, { background: true, signal });
  if (loaded === undefined) throw new Error('a large graph was not loaded flat');
  return loaded;
}

function graphOf({ flat, since, revision }: FlatLoad): ReadonlyMap<string, EntityRecord> {
  let snapshot = snapshotOf(flat, graphOptions, revision);
  for (const { changes, revision: at } of since) snapshot = applyChanges(snapshot, changes, at);
  return applyAll([...recordsOf(snapshot)].map(putOf));
}

describe('a large graph', () => {
  test('is what was committed', async () => {
    const revision = await store.commit(tenant, large);
    const loaded = await loadFlat();
    expect(loaded.revision).toEqual(revision);
    expect(graphOf(loaded)).toEqual(applyAll(large));
  });

  test('is exactly the graph of its revision while others commit', async () => {
    const committed: (readonly Change[])[] = [large];
    await store.commit(tenant, large);
    let done = false;
    const writer = (async () => {
      for (let i = 0; !done; i++) {
        const changes = [i % 2 === 0 ? deleteOf(bindingOf(i * 7)) : putOf(bindingOf(records + i))];
        await store.commit(tenant, changes);
        committed.push(changes);
      }
    })();
    const loaded = await loadFlat();
    done = true;
    await writer;
    expect(loaded.since.length).toBeGreaterThan(0);
    expect(graphOf(loaded)).toEqual(applyAll(committed.slice(0, loaded.revision.number).flat()));
  });

  test('names the record that is garbage', async () => {
    await store.commit(tenant, large);
    await redis.hset(tenantKeys(tenant).records.binding, 'x', '{"kind":"binding"');
    await expect(loadFlat()).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(`key ${tenantKeys(tenant).records.binding} field "x"`) as string,
    });
  });

  test('names the key that is of another type', async () => {
    await store.commit(tenant, large);
    await redis.del(tenantKeys(tenant).records.hook);
    await redis.set(tenantKeys(tenant).records.hook, 'x');
    await expect(
      store.loadFlat?.(tenant, { background: false, signal: AbortSignal.timeout(20_000) }),
    ).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(tenantKeys(tenant).records.hook) as string,
    });
  });

  test('is refused with a condition that does not compile', async () => {
    await store.commit(tenant, large);
    const record = { kind: 'binding', subject: 'user:a', role: 'r', scope: '*', condition: 'nobody.knows(' };
    await redis.hset(tenantKeys(tenant).records.binding, '["user:a","r","*","allow"]', JSON.stringify(record));
    await expect(loadFlat()).rejects.toMatchObject({ code: 'INVALID_POLICY' });
  });

  test('is not waited for when nobody wants it any more', async () => {
    await store.commit(tenant, large);
    const ending = new AbortController();
    const loading = loadFlat(ending.signal);
    ending.abort();
    await expect(loading).rejects.toThrow();
  });
});

test('a small graph, and none, are for load()', async () => {
  const options = { background: false, signal: new AbortController().signal };
  await expect(store.loadFlat?.(tenant, options)).resolves.toBeUndefined();
  await store.commit(tenant, oneOfEach.map(putOf));
  await expect(store.loadFlat?.(tenant, options)).resolves.toBeUndefined();
});
