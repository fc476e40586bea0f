// What history and the deletion of a tenant leave in a real Redis, and what becomes of them where others interfere.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Revision } from '../../src/model/change.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';
import { bindingOf, deleteOf, loadGraph, newTenant, oneOfEach, putOf } from '../store/records.ts';

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
afterEach(() => store.close());

test('what was before lies in history next to its change, and counts in what history may hold', async () => {
  const [old, record] = [{ ...bindingOf(1), note: 'old' }, bindingOf(1)] as const;
  const put = { ...putOf(record), before: old as typeof record };
  const remove = { ...deleteOf(record), before: record };
  await store.commit(tenant, [put, putOf(bindingOf(2)), remove], { by: 'user:a', via: 'service:ui' });
  const { changes, head } = tenantKeys(tenant);
  const [entry] = await redis.xrange(changes, '-', '+');
  expect(entry?.[1].slice(8)).toEqual([
    ...['by', 'user:a', 'via', 'service:ui'],
    ...['=binding', JSON.stringify(old), '+binding', JSON.stringify(record)],
    ...['+binding', JSON.stringify(bindingOf(2))],
    ...['=binding', JSON.stringify(record), '-binding', '["user:1","editor","doc:1","allow"]'],
  ]);
  const counted = entry?.[1].flatMap((text, i, all) => (/^[+=-]/.test(text) ? [all[i + 1]?.length ?? 0] : []));
  expect(Number(await redis.hget(head, 'markBytes'))).toBe(counted?.reduce((sum, length) => sum + length, 0));
});

test('what was before counts in the size of a stream entry', async () => {
  const before = { ...bindingOf(1), note: 'x'.repeat(4000) } as ReturnType<typeof bindingOf>;
  const changes = Array.from({ length: 500 }, () => ({ ...deleteOf(before), before }));
  await store.commit(tenant, changes);
  const sizes = (await redis.xrange(tenantKeys(tenant).changes, '-', '+')).map(([, fields]) => fields.join('').length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThan(300 * 1024);
  expect((await store.changesBefore(tenant, undefined, 1))[0]?.changes).toEqual(changes);
});

test('a deletion leaves the head, the history and the decisions, and no records', async () => {
  const { head, decisions, recordList } = tenantKeys(tenant);
  await store.commit(tenant, oneOfEach.map(putOf));
  await redis.xadd(decisions, '*', 'record', '{}');
  const { number } = await store.deleteTenant(tenant);
  expect(await redis.hgetall(head)).toMatchObject({ revision: String(number), deleted: String(number), kinds: '' });
  expect(await redis.exists(...recordList)).toBe(0);
  expect(await redis.xlen(decisions)).toBe(1);
});

describe('a deletion that another commit overtakes', () => {
  const records = Array.from({ length: 6000 }, (_, i) => bindingOf(i));
  const late = bindingOf(1_000_000);

  /** Deletes, and commits from elsewhere while the first changes of the deletion are staged. */
  async function deleteOvertaken(expected: Revision | undefined) {
    const head = await store.commit(tenant, records.map(putOf));
    const second = createRedisStore(parseRedisUrl(sharedRedisUrl()));
    await second.head(tenant);
    let commit: Promise<Revision> | undefined;
    const onProgress = () => {
      commit ??= second.commit(tenant, [putOf(late)]);
    };
    const options = expected === undefined ? { onProgress } : { onProgress, expected: head };
    const outcome = await store.deleteTenant(tenant, options).catch((error: unknown) => error);
    expect(await commit).toMatchObject({ epoch: head.epoch, number: 2 });
    await second.close();
    return outcome;
  }

  test('and that expects the revision before it is refused, and changes nothing', async () => {
    expect(await deleteOvertaken({ epoch: '', number: 1 })).toMatchObject({ code: 'REVISION_CONFLICT' });
    expect((await loadGraph(store, tenant)).graph.size).toBe(6001);
    expect(await store.tenants()).toContain(tenant);
    const [, keys] = await redis.scan('0', 'MATCH', `postern:{${tenant}}:staging*`, 'COUNT', 1_000_000);
    expect(keys).toEqual([]);
  });

  test('and that expects nothing is made anew, with what that commit wrote', async () => {
    expect(await deleteOvertaken(undefined)).toMatchObject({ number: 3 });
    expect((await loadGraph(store, tenant)).graph.size).toBe(0);
    const [told] = await store.changesBefore(tenant, undefined, 1);
    expect(told?.changes).toContainEqual({ ...deleteOf(late), before: late });
    expect(await store.tenants()).not.toContain(tenant);
  });
});

test('entries that an earlier version wrote, without what was before, are read', async () => {
  const { epoch } = await store.commit(tenant, []);
  const { changes, head } = tenantKeys(tenant);
  const record = JSON.stringify(bindingOf(1));
  const entry = ['epoch', epoch, 'at', '1', 'parts', '1', 'by', 'a', '+binding', record, '-object', 'doc:1'];
  await redis.xadd(changes, '2-0', ...entry);
  await redis.hset(head, 'revision', 2);
  expect((await store.changesBefore(tenant, undefined, 1))[0]).toEqual({
    revision: { epoch, number: 2 },
    changes: [putOf(bindingOf(1)), { op: 'delete', kind: 'object', key: 'doc:1' }],
    at: 1,
    by: 'a',
  });
});

test('history of which a part was trimmed or taken out is shown only up to there', async () => {
  for (const size of [1, 2500, 1, 1500, 1])
    await store.commit(
      tenant,
      Array.from({ length: size }, (_, i) => putOf(bindingOf(i))),
    );
  const { changes } = tenantKeys(tenant);
  const numbers = async (before?: number) => {
    const revision =
      before === undefined ? undefined : { epoch: (await store.head(tenant))?.epoch ?? '', number: before };
    return (await store.changesBefore(tenant, revision, 10)).map((each) => each.revision.number);
  };
  expect(await numbers()).toEqual([5, 4, 3, 2, 1]);
  await redis.xtrim(changes, 'MINID', '2-1');
  expect(await numbers()).toEqual([5, 4, 3]);
  expect(await numbers(3)).toEqual([]);
  // As many parts as there have to be, and not the right ones.
  await store.commit(
    tenant,
    Array.from({ length: 1500 }, (_, i) => putOf(bindingOf(i))),
  );
  await redis.xdel(changes, '6-1');
  const [part] = await redis.xrange(changes, '4-1', '4-1');
  await redis.xadd(changes, '6-2', ...(part?.[1] ?? []));
  expect(await numbers()).toEqual([]);
  expect(await numbers(6)).toEqual([5, 4, 3]);
  // The last part of the fourth, and then the fourth as a whole.
  await redis.xdel(changes, '4-1');
  expect(await numbers(6)).toEqual([5]);
  expect(await numbers(5)).toEqual([]);
  await redis.xdel(changes, '4-0');
  expect(await numbers(6)).toEqual([5]);
  expect(await numbers(4)).toEqual([3]);
  await redis.del(changes);
  expect(await numbers()).toEqual([]);
});
