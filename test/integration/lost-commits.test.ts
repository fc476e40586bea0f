// A real Redis that loses its last commits and gives their numbers out again, as a failover does: its keys are put
// back as they were. And data of writers that knew of no nonce.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { recordsOf } from '../../src/graph/records.ts';
import { type Change, formatRevision } from '../../src/model/change.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { FaultyStore } from '../replica/faulty-store.ts';
import { createQuietReplica } from '../replica/quiet-replica.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { describeWithOwnRedis, sharedRedisUrl, startRedis } from '../setup/redis-server.ts';
import { applyAll, bindingOf, newTenant, putOf } from '../store/records.ts';
import { remember } from '../store/redis/garbage.ts';

let redis: Redis;
let store: Store;
let tenant: string;
const replicas: Replica[] = [];

beforeAll(() => {
  redis = new Redis(sharedRedisUrl());
});
afterAll(() => redis.disconnect());
beforeEach(() => {
  store = createRedisStore(parseRedisUrl(sharedRedisUrl()));
  tenant = newTenant();
});
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.close();
  await store.close();
});

const role = (name: string): Change => ({ op: 'put', record: { kind: 'role', name, permissions: ['doc:read'] } });
const roles = ({ current }: Replica) =>
  [...(current === undefined ? [] : recordsOf(current))]
    .flatMap((record) => (record.kind === 'role' ? [record.name] : []))
    .sort();

async function follow(from = store): Promise<Replica> {
  const replica = createQuietReplica(from, tenant);
  replicas.push(replica);
  await vi.waitFor(() => expect(replica.state.kind).toBe('current'));
  return replica;
}

test('followers that hold a lost commit end at the store, and say that it was lost', async () => {
  await store.commit(tenant, [role('first')]);
  const [hearing, quiet] = [await follow(), await follow()];
  const failOver = await remember(redis, tenant);
  const lost = await store.commit(tenant, [role('lost')]);
  for (const replica of [hearing, quiet]) await replica.waitFor(lost, undefined);
  await failOver();
  const kept = await store.commit(tenant, [role('kept')]);
  expect([kept.epoch, kept.number]).toEqual([lost.epoch, lost.number]);
  for (const replica of [hearing, quiet]) {
    await vi.waitFor(() => expect(roles(replica)).toEqual(['first', 'kept']));
    expect(formatRevision(replica.current?.revision ?? lost)).toBe(formatRevision(kept));
    await expect(replica.waitFor(lost, undefined)).rejects.toMatchObject({ code: 'REVISION_LOST' });
    await replica.waitFor(kept, undefined);
  }
});

test('a commit that was judged on a lost one is refused', async () => {
  await store.commit(tenant, [role('first')]);
  const failOver = await remember(redis, tenant);
  const lost = await store.commit(tenant, [role('lost')]);
  await failOver();
  const kept = await store.commit(tenant, [role('kept')]);
  await expect(store.commit(tenant, [role('third')], { expected: lost })).rejects.toMatchObject({
    code: 'REVISION_CONFLICT',
    metadata: { revision: formatRevision(kept) },
  });
});

test('a change set that was made on another commit is not applied to a lost one', async () => {
  const faulty = new FaultyStore(store);
  await store.commit(tenant, [role('first')]);
  const failOver = await remember(redis, tenant);
  await store.commit(tenant, [role('lost')]);
  const replica = await follow(faulty);
  await failOver();
  faulty.losing = 1;
  await store.commit(tenant, [role('kept')]);
  const third = await store.commit(tenant, [role('third')]);
  await vi.waitFor(() => expect(replica.current?.revision).toEqual(third));
  expect(roles(replica)).toEqual(['first', 'kept', 'third']);
});

test('a tenant that was written without nonces is read and followed, and gets them with its next commit', async () => {
  const { head, changes, records, channel } = tenantKeys(tenant);
  const stored = JSON.stringify({ kind: 'role', name: 'old', permissions: ['doc:read'] });
  await redis.hset(head, { epoch: 'e', revision: '1', kinds: 'role', mark: '0', markBytes: '0' });
  await redis.hset(records.role, 'old', stored);
  await redis.xadd(changes, '1-0', 'epoch', 'e', 'at', '1', 'parts', '1', '+role', stored);
  const replica = await follow();
  expect(replica.current?.revision).toEqual({ epoch: 'e', number: 1 });
  expect(formatRevision(replica.current?.revision ?? { epoch: '', number: 0 })).toBe('e.1');
  expect(await store.changesSince(tenant, { epoch: 'none', number: 0 }, 10)).toHaveLength(1);
  const second = await store.commit(tenant, [role('new')], { expected: { epoch: 'e', number: 1 } });
  await replica.waitFor(second, undefined);
  expect(replica.current?.revision).toEqual(second);
  // A writer of the earlier version leaves the nonce of the commit before its own.
  const third = JSON.stringify({ kind: 'role', name: 'old', permissions: [] });
  await redis.hset(records.role, 'old', third);
  await redis.xadd(changes, '3-0', 'epoch', 'e', 'at', '1', 'parts', '1', '+role', third);
  await redis.hset(head, 'revision', '3');
  await redis.publish(channel, `{"epoch":"e","revision":3,"at":1,"changes":[{"op":"put","record":${third}}]}`);
  await replica.waitFor({ epoch: 'e', number: 3 }, undefined);
  expect(await store.head(tenant)).toEqual({ epoch: 'e', number: 3 });
  const fourth = await store.commit(tenant, []);
  await replica.waitFor(fourth, undefined);
  const [, , last] = (await store.changesSince(tenant, { epoch: 'e', number: 1 }, 10)) ?? [];
  expect(last).toEqual({ revision: fourth, changes: [], at: expect.any(Number) });
});

describeWithOwnRedis('a server that comes back without its last commit', () => {
  test('leaves nothing of it in a graph that is loaded meanwhile', async () => {
    const server = await startRedis();
    const loading = createRedisStore(parseRedisUrl(server.url));
    const writing = createRedisStore(parseRedisUrl(server.url));
    try {
      const kept = await writing.commit(tenant, [role('first'), putOf(bindingOf(1))]);
      await asAdmin(server.url, (admin) => admin.save());
      let changes: Change[] = [];
      let crashes = 0;
      const take = async (batch: readonly Change[]) => {
        changes.push(...batch);
        const [first] = batch;
        if (crashes > 0 || first?.op !== 'put') return;
        if (first.record.kind === 'role') await writing.commit(tenant, [putOf(bindingOf(2))]);
        if (first.record.kind !== 'binding') return;
        expect(batch).toHaveLength(2);
        crashes++;
        await server.kill();
        await server.restart();
      };
      const revision = await loading.load(tenant, take, () => {
        changes = [];
      });
      expect(crashes).toBe(1);
      expect(revision).toEqual(kept);
      expect([...applyAll(changes).values()]).not.toContainEqual(bindingOf(2));
      expect(changes).toContainEqual(putOf(bindingOf(1)));
    } finally {
      await Promise.all([loading.close(), writing.close()]);
      await server.stop();
    }
  });
});
