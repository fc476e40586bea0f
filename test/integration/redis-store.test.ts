// What a real Redis does to a store: connections that are lost, half-open or refused, and a store that is ended.
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { describeWithOwnRedis, type RedisServer, startRedis } from '../setup/redis-server.ts';
import { hear, hearConnected } from '../store/heard.ts';
import { bindingOf, loadGraph, putOf } from '../store/records.ts';

const tenant = 'acme';

describeWithOwnRedis('a store whose Redis', () => {
  let server: RedisServer;
  const opened: { close(): Promise<void> }[] = [];

  function open(url: string, options: RedisStoreOptions = {}): Store {
    const store = createRedisStore(parseRedisUrl(url), options);
    opened.push(store);
    return store;
  }

  async function asAdmin<T>(use: (admin: Redis) => Promise<T>): Promise<T> {
    const admin = new Redis(server.url);
    try {
      return await use(admin);
    } finally {
      admin.disconnect();
    }
  }

  beforeEach(async () => {
    server = await startRedis({ persistent: true });
  });
  afterEach(async () => {
    server.resume();
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await server.stop();
  });

  test('is restarted is followed again, and nothing is lost', async () => {
    const store = open(server.url);
    const first = await store.commit(tenant, [putOf(bindingOf(1))]);
    const heard = await hearConnected(store, tenant);
    await server.kill();
    await heard.until('disconnected');
    await expect(store.head(tenant)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await server.restart();
    await heard.until('connected', 2);
    expect(await store.head(tenant)).toEqual(first);
    const second = await store.commit(tenant, [putOf(bindingOf(2))], { expected: first });
    await heard.until('changes');
    expect(heard.told.map(({ what }) => what)).toEqual(['connected', 'disconnected', 'connected', 'changes']);
    expect(heard.numbers()).toEqual([second.number]);
  });

  test('kills the subscription is followed again by every follower', async () => {
    const store = open(server.url);
    const heard = await Promise.all([
      hearConnected(store, tenant),
      hearConnected(store, tenant),
      hearConnected(store, 'b'),
    ]);
    await asAdmin((admin) => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await Promise.all(heard.map((each) => each.until('connected', 2)));
    await store.commit(tenant, []);
    await store.commit('b', []);
    await Promise.all(heard.map((each) => each.until('changes')));
    for (const each of heard) {
      expect(each.told.map(({ what }) => what)).toEqual(['connected', 'disconnected', 'connected', 'changes']);
    }
  });

  test('is silent behind an open connection is found by the heartbeat', async () => {
    const store = open(server.url, { heartbeatMs: 10, heartbeatTimeoutMs: 200 });
    const heard = await hearConnected(store, tenant);
    server.pause();
    await heard.until('disconnected');
    expect(heard.all('disconnected')[0]?.reason).toContain('no answer to the heartbeat');
    server.resume();
    await heard.until('connected', 2);
  });

  test('is not there at first is followed once it is', async () => {
    await server.kill();
    const store = open(server.url);
    const heard = hear(store, tenant);
    await heard.until('disconnected');
    expect(heard.all('disconnected')[0]?.reason).toContain('ECONNREFUSED');
    await server.restart();
    await heard.until('connected');
    expect(heard.all('disconnected')).toHaveLength(1);
  });

  test('was emptied has no head, and the next commit begins another epoch and is listed again', async () => {
    const store = open(server.url);
    const before = await store.commit(tenant, [putOf(bindingOf(1))]);
    await asAdmin((admin) => admin.flushall());
    expect(await store.head(tenant)).toBeUndefined();
    expect(await store.tenants()).toEqual([]);
    expect((await loadGraph(store, tenant)).graph.size).toBe(0);
    const after = await store.commit(tenant, [putOf(bindingOf(2))]);
    expect(after).toMatchObject({ epoch: expect.not.stringMatching(before.epoch), number: 1 });
    expect(await store.changesSince(tenant, before, 10)).toBeUndefined();
    expect(await store.changesBefore(tenant, before, 10)).toEqual([]);
    expect(await store.tenants()).toEqual([tenant]);
  });

  test('has a name on its list of tenants that no tenant can have says so', async () => {
    const store = open(server.url);
    await store.commit(tenant, []);
    await asAdmin((admin) => admin.sadd('postern:tenants', '{x}'));
    await expect(store.tenants()).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('key postern:tenants member "{x}"'),
    });
  });

  test('has forgotten the script gets it again', async () => {
    const store = open(server.url);
    await store.commit(tenant, []);
    await asAdmin((admin) => admin.script('FLUSH'));
    expect((await store.commit(tenant, [])).number).toBe(2);
  });

  test('breaks off a commit that was sent does not get it twice', async () => {
    const store = open(server.url, { replyTimeoutMs: 200 });
    const head = await store.commit(tenant, []);
    server.pause();
    const commit = store.commit(tenant, [putOf(bindingOf(1))]);
    await expect(commit).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('it may have been made'),
    });
    server.resume();
    // Redis still takes what lies in the broken connection, so the commit is made once; a second one would be number 3.
    await vi.waitFor(async () => expect((await store.head(tenant))?.number).toBe(head.number + 1), { timeout: 5000 });
    expect(await store.commit(tenant, [])).toMatchObject({ number: head.number + 2 });
  });

  test('refuses the password says so, and the password is nowhere in what is said', async () => {
    await asAdmin((admin) => admin.config('SET', 'requirepass', 'right'));
    const store = open(server.url.replace('//', '//:s3cret-wrong@'));
    const heard = hear(store, tenant);
    const error = await store.commit(tenant, []).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('WRONGPASS') });
    await heard.until('disconnected');
    expect(heard.all('disconnected')[0]?.reason).toContain('WRONGPASS');
    const said = JSON.stringify([
      error,
      (error as Error).message,
      (error as Error).cause,
      heard.told,
      store.description,
    ]);
    expect(said).not.toContain('s3cret');
    const welcome = open(server.url.replace('//', '//:right@'));
    expect((await welcome.commit(tenant, [])).number).toBe(1);
  });

  test('is out of memory takes nothing, not a part', async () => {
    const store = open(server.url);
    const head = await store.commit(tenant, [putOf(bindingOf(1))]);
    await asAdmin((admin) => admin.config('SET', 'maxmemory', '1'));
    await expect(store.commit(tenant, [putOf(bindingOf(2))])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('more memory'),
    });
    expect(await loadGraph(store, tenant)).toMatchObject({ revision: head, graph: { size: 1 } });
  });

  test('is a Cluster gets every key of a tenant in one slot', async () => {
    const node = await startRedis({ config: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' } });
    opened.push({ close: () => node.stop() });
    const admin = new Redis(node.url);
    await admin.cluster('ADDSLOTS', ...Array.from({ length: 16_384 }, (_, i) => i));
    await vi.waitFor(async () => expect(await admin.cluster('INFO')).toContain('cluster_state:ok'), {
      timeout: 10_000,
    });
    admin.disconnect();
    const store = open(node.url.replace('redis:', 'redis+cluster:'));
    const heard = await hearConnected(store, tenant);
    await store.commit(tenant, [putOf(bindingOf(1))]);
    await store.commit('b', [putOf(bindingOf(1))]);
    const changes = Array.from({ length: 1500 }, (_, i) => putOf(bindingOf(i)));
    await store.commit(tenant, changes);
    await heard.until('head');
    expect(heard.numbers()).toEqual([1, 2]);
    expect((await loadGraph(store, tenant)).graph.size).toBe(1500);
    expect(await store.tenants()).toEqual([tenant, 'b']);
    expect((await store.deleteTenant(tenant)).number).toBe(3);
    expect(await store.tenants()).toEqual(['b']);
    expect((await store.changesBefore(tenant, undefined, 1))[0]?.changes).toHaveLength(1500);
    await store.commit(tenant, []);
    expect(await store.tenants()).toEqual([tenant, 'b']);
    await node.kill();
    await heard.until('disconnected');
    // Many at once, so that they would warn if each waited for itself.
    const heads = await Promise.allSettled(Array.from({ length: 20 }, () => store.head(tenant)));
    for (const head of heads) expect(head).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
  });
});
