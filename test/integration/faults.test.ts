// A follower of one Redis server meets each fault of it and of the way to it: it ends at the store's state, and never
// once denies what is allowed throughout. Sentinels and Clusters are in faults-topologies.test.ts.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defineCommands } from '../../src/store/redis/commands.ts';
import { commit } from '../../src/store/redis/commit.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { type FaultProxy, startFaultProxy } from '../setup/fault-proxy.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { describeWithOwnRedis, type RedisServer, startRedis } from '../setup/redis-server.ts';
import { bindingOf, putOf } from '../store/records.ts';
import { type Following, follow, grant, steady } from './following.ts';

const tenant = 'acme';

describeWithOwnRedis('a follower of a Redis', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let truth: Store;
  let following: Following;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    // Before Redis 7 it is enabled, and the setting is not known.
    server = await startRedis({ config: { 'enable-debug-command': 'local' } }).catch(() => startRedis());
    closers.push(() => server.stop());
    proxy = await startFaultProxy(server.port);
    closers.push(() => proxy.close());
    truth = createRedisStore(parseRedisUrl(server.url));
    closers.push(() => truth.close());
    await truth.commit(tenant, steady);
    await begin();
  });
  afterEach(async () => {
    server.resume();
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function begin(options: Parameters<typeof follow>[2] & { user?: string } = {}): Promise<void> {
    const { user, ...rest } = options;
    following = await follow(`redis://${user === undefined ? '' : `${user}@`}127.0.0.1:${proxy.port}`, tenant, rest);
    closers.push(following.close);
    await following.until('connected');
    await following.untilAt(truth);
  }

  test('that is cut off by RST or FIN catches up with what it missed', async () => {
    for (const [i, how] of (['reset', 'end'] as const).entries()) {
      const connected = following.count('connected');
      await proxy.refuse();
      proxy.cut(how);
      await following.until('disconnected', i);
      for (let n = 0; n < 5; n++) await grant(truth, tenant, i * 10 + n);
      await proxy.restore();
      await following.until('connected', connected);
      await following.untilAt(truth);
    }
    expect(following.count('loaded')).toBe(1);
  });

  test('behind connections that stand, and pass nothing, finds out and catches up', async () => {
    proxy.silence();
    await grant(truth, tenant, 1);
    await following.until('disconnected');
    expect(following.replica.state.kind).toBe('behind');
    await grant(truth, tenant, 2);
    await proxy.restore();
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('whose connections are forgotten by what is in between makes new ones', async () => {
    proxy.strand();
    await grant(truth, tenant, 1);
    await following.until('disconnected');
    await following.untilAt(truth);
    // All of them at once: the question where the tenant is does not find another dead one.
    expect(following.count('problem')).toBe(0);
    expect(following.count('loaded')).toBe(1);
  });

  test('whose command connection is killed catches up all the same', async () => {
    await asAdmin(server.url, (admin) => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    await loseMessage(1);
    await grant(truth, tenant, 2);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('whose subscription is killed catches up', async () => {
    await asAdmin(server.url, (admin) => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await following.until('disconnected');
    await grant(truth, tenant, 1);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('that misses a message sees the gap at the next one', async () => {
    await loseMessage(1);
    await grant(truth, tenant, 2);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('that misses the last message finds it by comparing', async () => {
    await begin({ compareIntervalMs: 100 });
    await loseMessage(1);
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('that comes back to a trimmed history loads the whole graph', async () => {
    await proxy.refuse();
    proxy.cut('reset');
    await following.until('disconnected');
    for (let n = 1; n <= 5; n++) await grant(truth, tenant, n);
    await asAdmin(server.url, (admin) => admin.xtrim(tenantKeys(tenant).changes, 'MAXLEN', 1));
    await proxy.restore();
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(2);
  });

  test('that is emptied keeps its graph, says so, and takes the next history', async () => {
    await asAdmin(server.url, (admin) => admin.flushall());
    await asAdmin(server.url, (admin) => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await following.until('missing');
    expect(following.replica.state).toMatchObject({ kind: 'behind', reason: expect.stringContaining('no policy') });
    const again = await truth.commit(tenant, [...steady, putOf(bindingOf(7))]);
    await following.untilAt(truth);
    expect(following.replica.current?.revision).toEqual(again);
  });

  test('that is restored from a backup goes back with it', async () => {
    await grant(truth, tenant, 1);
    await asAdmin(server.url, (admin) => admin.save());
    for (let n = 2; n <= 5; n++) await grant(truth, tenant, n);
    await following.untilAt(truth);
    await server.kill();
    await server.restart();
    await following.untilAt(truth);
    expect(following.replica.current?.revision.number).toBe(2);
    await grant(truth, tenant, 9);
    await following.untilAt(truth);
  });

  test('that is restored from the backup of another history takes that, although its numbers are higher', async () => {
    const other = await startRedis();
    closers.push(() => other.stop());
    const elsewhere = createRedisStore(parseRedisUrl(other.url));
    closers.push(() => elsewhere.close());
    await elsewhere.commit(tenant, steady);
    for (let n = 2; n <= 5; n++) await grant(elsewhere, tenant, n);
    await asAdmin(other.url, (admin) => admin.save());
    await server.kill();
    await copyFile(join(other.directory, 'dump.rdb'), join(server.directory, 'dump.rdb'));
    await server.restart();
    await following.untilAt(truth);
    expect(following.replica.current?.revision).toEqual(await elsewhere.head(tenant));
  });

  test('that sleeps is not lost, or found again, and what was committed arrives', async () => {
    await asAdmin(server.url, async (admin) => {
      const sleeping = admin.call('DEBUG', 'SLEEP', '1.5');
      const committed = grant(truth, tenant, 1);
      await Promise.all([sleeping, committed]);
    });
    await following.untilAt(truth);
  });

  test('that freezes for longer than it is waited for is found again', async () => {
    server.pause();
    await following.until('disconnected');
    server.resume();
    await grant(truth, tenant, 1);
    await following.untilAt(truth);
  });

  test('that is out of memory refuses writers, and goes on serving its followers', async () => {
    await asAdmin(server.url, (admin) => admin.config('SET', 'maxmemory', '1'));
    await expect(grant(truth, tenant, 1)).rejects.toThrow(/more memory/);
    await asAdmin(server.url, (admin) => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await following.until('connected', 1);
    await following.untilAt(truth);
    await asAdmin(server.url, (admin) => admin.config('SET', 'maxmemory', '0'));
    await grant(truth, tenant, 1);
    await following.untilAt(truth);
  });

  test('that takes its permissions away, and gives them back, is followed again', async () => {
    const setUser = (...rules: string[]) => asAdmin(server.url, (admin) => admin.acl('SETUSER', 'sidecar', ...rules));
    await setUser('on', 'nopass', '+@all', 'allkeys', 'allchannels');
    await begin({ user: 'sidecar' });
    await setUser('resetkeys', 'resetchannels', '-@all');
    await following.until('problem');
    const reason = expect.stringMatching(/NOPERM.*the Redis user "sidecar" lacks the permission/);
    await vi.waitFor(() => expect(following.replica.state).toMatchObject({ kind: 'behind', reason }));
    await grant(truth, tenant, 1);
    await setUser('+@all', 'allkeys', 'allchannels');
    await following.untilAt(truth);
    expect(following.count('loaded')).toBe(1);
  });

  test('that is slow is behind by no more than its slowness', async () => {
    proxy.delay(100);
    for (let n = 1; n <= 20; n++) await grant(truth, tenant, n);
    await following.untilAt(truth);
    expect(following.count('disconnected')).toBe(0);
  });

  /** A commit of which no follower hears. */
  async function loseMessage(number: number): Promise<void> {
    const connection = connect(parseRedisUrl(server.url));
    const keys = { ...tenantKeys(tenant), channel: 'nobody listens' };
    const limits = { maxEntries: 1000, maxBytes: 1e6 };
    await commit(connection.client, defineCommands(connection.client), keys, [putOf(bindingOf(number))], {}, limits, 0);
    connection.close();
  }
});
