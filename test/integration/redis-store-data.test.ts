// What lies in a real Redis: what the store writes there, and what it does about what others wrote.
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { entityKey, entityKinds } from '../../src/model/entity.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';
import { hearConnected } from '../store/heard.ts';
import { bindingOf, deleteOf, loadGraph, newTenant, oneOfEach, putOf } from '../store/records.ts';

let redis: Redis;
let store: Store;
let tenant: string;

/** Everything that Redis holds of the tenant, byte for byte. */
async function everything(): Promise<Record<string, unknown>> {
  const { head, changes, recordList } = tenantKeys(tenant);
  const keys = [head, changes, ...recordList];
  return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await contentOf(key)] as const)));
}

/** By fields, where it is a hash: how Redis orders those of a larger one is its own affair. */
async function contentOf(key: string): Promise<unknown> {
  return (await redis.type(key)) === 'hash' ? redis.hgetall(key) : redis.dumpBuffer(key);
}

beforeAll(() => {
  redis = new Redis(sharedRedisUrl());
});
afterAll(() => redis.disconnect());
beforeEach(() => {
  store = createRedisStore(parseRedisUrl(sharedRedisUrl()));
  tenant = newTenant();
});
afterEach(() => store.close());

test('records, head and history are readable with plain commands', async () => {
  const record = bindingOf(1);
  const first = await store.commit(tenant, [putOf(record)], { by: 'alice', why: 'first' });
  const second = await store.commit(tenant, [deleteOf(record), putOf(bindingOf(2))]);
  const { epoch } = first;
  const at = expect.stringMatching(/^\d{13}$/);
  expect(await redis.hgetall(`postern:{${tenant}}:head`)).toMatchObject({
    epoch,
    revision: '2',
    nonce: `2-${second.nonce}`,
  });
  expect(await redis.hgetall(`postern:{${tenant}}:binding`)).toEqual({
    '["user:2","editor","doc:1","allow"]': JSON.stringify(bindingOf(2)),
  });
  expect(await redis.xrange(`postern:{${tenant}}:changes`, '-', '+')).toEqual([
    [
      '1-0',
      [
        ...['epoch', epoch, 'nonce', first.nonce, 'at', at, 'parts', '1', 'by', 'alice', 'why', 'first'],
        '+binding',
        JSON.stringify(record),
      ],
    ],
    [
      '2-0',
      [
        ...['epoch', epoch, 'nonce', second.nonce, 'at', at, 'parts', '1', 'after', first.nonce],
        '-binding',
        '["user:1","editor","doc:1","allow"]',
        '+binding',
        JSON.stringify(bindingOf(2)),
      ],
    ],
  ]);
});

test('a commit that is too large for a message is told by its revision alone, and leaves no staging behind', async () => {
  const heard = await hearConnected(store, tenant);
  const revision = await store.commit(
    tenant,
    Array.from({ length: 1001 }, (_, i) => putOf(bindingOf(i))),
  );
  await heard.until('head');
  expect(heard.told).toEqual([{ what: 'connected' }, { what: 'head', head: revision }]);
  const { head } = tenantKeys(tenant);
  await expect(
    store.commit(tenant, new Array(1001).fill(putOf(bindingOf(0))), { expected: { ...revision, number: 9 } }),
  ).rejects.toMatchObject({ code: 'REVISION_CONFLICT' });
  const [, keys] = await redis.scan('0', 'MATCH', `${head.slice(0, -4)}staging*`, 'COUNT', 1_000_000);
  expect(keys).toEqual([]);
});

const json = (record: unknown) => JSON.stringify(record);
const putOne = ['+binding', json(bindingOf(1))];
const deleteOne = ['-binding', entityKey(bindingOf(1))];
const beforeEntry = (...pairs: string[]) => ['epoch', '@', 'at', '1', 'parts', '1', ...pairs];

describe('a foreign hand', () => {
  test.for([
    { wrote: 'not JSON', field: '["user:1","editor","doc:1","allow"]', text: '{"kind":', says: 'is not JSON' },
    {
      wrote: 'an unknown field',
      field: 'x',
      text: '{"kind":"binding","subject":"user:1","role":"r","scope":"*","if":1}',
      says: 'if is not known',
    },
    { wrote: 'another identity', field: 'x', text: JSON.stringify(bindingOf(1)), says: 'has the identity' },
    { wrote: 'another kind', field: 'group:a', text: '{"kind":"group","group":"group:a"}', says: 'not "binding"' },
    { wrote: 'control characters', field: '\u0000\n', text: '7', says: 'must be an object' },
  ])('that wrote $wrote into a record is named with key and field', async ({ field, text, says }) => {
    await store.commit(tenant, [putOf(bindingOf(2))]);
    const { binding } = tenantKeys(tenant).records;
    await redis.hset(binding, field, text);
    await expect(loadGraph(store, tenant)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(says),
      metadata: { where: `key ${binding} field ${JSON.stringify(field)}` },
    });
  });

  test.for([
    { head: { epoch: 'e', revision: '-1' }, field: 'revision' },
    { head: { epoch: 'e', revision: '1e3' }, field: 'revision' },
    { head: { epoch: 'e' }, field: 'revision' },
    { head: { epoch: 'e.e', revision: '1' }, field: 'epoch' },
    { head: { revision: '1' }, field: 'epoch' },
    { head: { epoch: 'e', revision: '1', nonce: 'abc' }, field: 'nonce' },
    { head: { epoch: 'e', revision: '1', nonce: '1-a.b' }, field: 'nonce' },
  ])('that wrote the head $head is named', async ({ head, field }) => {
    const { head: key } = tenantKeys(tenant);
    await redis.hset(key, head);
    await expect(store.head(tenant)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      metadata: { where: `key ${key}`, field },
    });
  });

  test.for([
    { entry: ['at', '1', 'parts', '1'], says: '"at" is missing' },
    { entry: ['epoch', '@', 'at', '1', 'parts', '0'], says: 'parts' },
    { entry: ['epoch', '@', 'nonce', 'a b', 'at', '1', 'parts', '1'], says: 'nonce is not' },
    { entry: ['epoch', '@', 'after', '', 'at', '1', 'parts', '1'], says: 'after is not' },
    { entry: ['epoch', '@', 'at', 'noon', 'parts', '1'], says: 'at is not' },
    { entry: ['epoch', '@', 'at', '1', 'parts', '1', '+gizmo', '{}'], says: 'known kind' },
    { entry: ['epoch', '@', 'at', '1', 'parts', '1', '+role', '{}'], says: 'kind is missing' },
    { entry: beforeEntry('=binding', '{"kind":', ...putOne), says: 'before: is not JSON' },
    { entry: beforeEntry('=binding', '{"kind":"binding"}', ...putOne), says: 'before: subject is missing' },
    { entry: beforeEntry('=binding', '', ...putOne), says: 'before: is not JSON' },
    { entry: beforeEntry('=binding', json(bindingOf(2)), ...putOne), says: 'before is another record' },
    { entry: beforeEntry('=binding', json(bindingOf(2)), ...deleteOne), says: 'before is another record' },
    {
      entry: beforeEntry('=binding', '{"kind":"object","object":"doc:1"}', ...deleteOne),
      says: 'before is another record',
    },
    { entry: beforeEntry('=role', json(bindingOf(1)), ...putOne), says: '"=role" is not followed by' },
    { entry: beforeEntry(...putOne, '=binding', json(bindingOf(1))), says: '"=binding" is not followed by' },
    { entry: beforeEntry('=gizmo', '{}', '+gizmo', '{}'), says: 'known kind' },
    {
      entry: beforeEntry('=binding', json(bindingOf(1)), '=binding', json(bindingOf(1)), ...putOne),
      says: 'is not a change of a known kind',
    },
  ])('that wrote the stream entry $entry is named', async ({ entry, says }) => {
    const head = await store.commit(tenant, []);
    const { head: headKey, changes } = tenantKeys(tenant);
    await redis.xadd(changes, '2-0', ...entry.map((word) => (word === '@' ? head.epoch : word)));
    await redis.hset(headKey, 'revision', '2');
    await expect(store.changesSince(tenant, head, 10)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(says),
      metadata: { where: expect.stringMatching(/entry 2-0( before)?$/) },
    });
    await expect(store.changesBefore(tenant, undefined, 10)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(says),
    });
  });

  test.for([
    'hello',
    '{"epoch":"e","revision":0}',
    '{"epoch":"e","revision":1,"at":1,"changes":[{"op":"put","record":{"kind":"gizmo"}}]}',
    '{"epoch":"e","revision":1,"at":1,"via":7,"changes":[]}',
    '{"epoch":"e","revision":1,"nonce":7,"at":1,"changes":[]}',
    '{"epoch":"e","revision":1,"after":"a b","at":1,"changes":[]}',
    '{"epoch":"e","revision":1,"at":1,"changes":[{"op":"delete","kind":"object","key":"doc:1","before":null}]}',
    '{"epoch":"e","revision":1,"at":1,"changes":[{"op":"delete","kind":"object","key":"doc:1","before":{"kind":"object","object":"doc:2"}}]}',
  ])('that published %s is reported, and following goes on', async (message) => {
    const heard = await hearConnected(store, tenant);
    await redis.publish(tenantKeys(tenant).channel, message);
    await store.commit(tenant, []);
    await heard.until('changes');
    expect(heard.told.map(({ what }) => what)).toEqual(['connected', 'problem', 'changes']);
    expect(heard.all('problem')[0]?.error).toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(tenantKeys(tenant).channel),
    });
  });

  test.for(['head', 'changes', ...entityKinds])(
    'that put a text at the key "%s" stops a commit before its first write',
    async (part) => {
      await store.commit(tenant, oneOfEach.map(putOf));
      const key = `postern:{${tenant}}:${part}`;
      await redis.set(key, 'not yours');
      const before = await everything();
      await expect(store.commit(tenant, [...oneOfEach.map(putOf), putOf(bindingOf(1))])).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining(key),
      });
      expect(await everything()).toEqual(before);
      if (part !== 'changes')
        await expect(loadGraph(store, tenant)).rejects.toMatchObject({
          code: 'STORE_CORRUPT',
          message: expect.stringContaining(key),
        });
    },
  );

  test('that removed the head is not taken for an empty tenant', async () => {
    await store.commit(tenant, [putOf(bindingOf(1))]);
    await redis.del(tenantKeys(tenant).head);
    const before = await everything();
    const refused = { code: 'STORE_CORRUPT', message: expect.stringContaining('is missing') };
    await expect(loadGraph(store, tenant)).rejects.toMatchObject(refused);
    await expect(store.commit(tenant, [])).rejects.toMatchObject(refused);
    expect(await everything()).toEqual(before);
  });

  test('that removed records, as an eviction does, is not taken for an empty graph', async () => {
    await store.commit(tenant, [putOf(bindingOf(1)), ...oneOfEach.map(putOf)]);
    await redis.del(tenantKeys(tenant).records.binding);
    const before = await everything();
    const refused = { code: 'STORE_CORRUPT', message: expect.stringContaining('is missing') };
    await expect(loadGraph(store, tenant)).rejects.toMatchObject(refused);
    await expect(store.commit(tenant, [putOf(bindingOf(2))])).rejects.toMatchObject(refused);
    expect(await everything()).toEqual(before);
  });

  test('is not suspected where the last record of a kind was deleted by a commit', async () => {
    await store.commit(tenant, [putOf(bindingOf(1))]);
    await store.commit(tenant, [deleteOf(bindingOf(1))]);
    expect(await redis.exists(tenantKeys(tenant).records.binding)).toBe(0);
    await expect(loadGraph(store, tenant)).resolves.toBeDefined();
    await store.commit(tenant, [putOf(bindingOf(2))]);
  });

  test('that put a text at the head of one tenant does not hide the others, nor the tenant', async () => {
    const other = newTenant();
    await store.commit(tenant, []);
    await store.commit(other, []);
    await redis.set(tenantKeys(tenant).head, 'not yours');
    expect(await store.tenants()).toEqual(expect.arrayContaining([tenant, other]));
  });

  test('that added to the stream by itself stops a commit before its first write', async () => {
    await store.commit(tenant, [putOf(bindingOf(1))]);
    await redis.xadd(tenantKeys(tenant).changes, '9-9', 'a', 'b');
    const before = await everything();
    await expect(store.commit(tenant, [putOf(bindingOf(2))])).rejects.toMatchObject({
      message: expect.stringContaining('XADD'),
    });
    expect(await everything()).toEqual(before);
  });
});
