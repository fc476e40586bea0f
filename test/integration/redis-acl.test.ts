// The Redis users that are shipped in deploy/redis: each can do its work, with nothing denied on the way, and nothing else.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { graphAt } from '../../src/cli/past-graph.ts';
import { connect } from '../../src/store/redis/connection.ts';
import {
  createDecisionAppender,
  createDecisionPoller,
  createDecisionStreamReader,
} from '../../src/store/redis/decision-client.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { type RedisCluster, startCluster } from '../setup/redis-cluster.ts';
import { type RedisSentinel, startSentinel } from '../setup/redis-sentinel.ts';
import { describeWithRedis7, type RedisServer, startRedis } from '../setup/redis-server.ts';
import { hearConnected } from '../store/heard.ts';
import { bindingOf, deleteOf, loadGraph, oneOfEach, putOf } from '../store/records.ts';

const aclFile = join(import.meta.dirname, '../../deploy/redis/users.acl');
const users = ['sidecar', 'administrator', 'log-administrator', 'writer', 'auditor', 'investigator'] as const;
type User = (typeof users)[number];
const config = { aclfile: aclFile };
const keys = tenantKeys('acme');
const closers: (() => Promise<unknown>)[] = [];

const urlOf = (url: string, user: User) => url.replace('//', `//postern-${user}:s3cret@`);
/** As an operator does it, once for each user. */
async function switchOn(url: string): Promise<void> {
  await asAdmin(url, async (admin) => {
    for (const user of users) await admin.acl('SETUSER', `postern-${user}`, 'on', '>s3cret');
  });
}
/** What was denied to our users since the last time. */
async function denied(url: string): Promise<string[]> {
  const log = await asAdmin(url, async (admin) => {
    const entries = (await admin.acl('LOG')) as unknown as unknown[][];
    await admin.acl('LOG', 'RESET');
    return entries;
  });
  return log.map((entry) => `${entry[entry.indexOf('username') + 1]}: ${entry[entry.indexOf('object') + 1]}`);
}

function open(url: string, user: User): Store {
  const store = createRedisStore(parseRedisUrl(urlOf(url, user)));
  closers.push(() => store.close());
  return store;
}
function openConnection(url: string, user: User) {
  const connection = connect(parseRedisUrl(urlOf(url, user)));
  closers.push(async () => connection.close());
  return connection;
}
const appender = (url: string, user: User) => createDecisionAppender(openConnection(url, user));
const reader = (url: string, user: User) => {
  const made = createDecisionStreamReader(openConnection(url, user).client);
  closers.push(() => made.close());
  return made;
};

/** Everything that the processes of a deployment do. */
async function work(url: string, tenant: string): Promise<void> {
  const [sidecar, administrator, writer] = [open(url, 'sidecar'), open(url, 'administrator'), open(url, 'writer')];
  const heard = await Promise.all([hearConnected(sidecar, tenant), hearConnected(administrator, tenant)]);
  await writer.commit(tenant, oneOfEach.map(putOf));
  await administrator.commit(tenant, [putOf(bindingOf(1))]);
  await writer.commit(tenant, oneOfEach.slice(-1).map(deleteOf));
  // Too large for one call: it is staged.
  await administrator.commit(
    tenant,
    Array.from({ length: 5000 }, (_, i) => putOf(bindingOf(i))),
  );
  await Promise.all(heard.flatMap((each) => [each.until('changes', 3), each.until('head')]));
  for (const store of [sidecar, administrator]) await store.awaitReload?.(tenant, new AbortController().signal);
  for (const store of [sidecar, administrator, writer]) {
    const head = await store.head(tenant);
    expect((await loadGraph(store, tenant)).revision).toEqual(head);
    expect(await store.changesSince(tenant, { epoch: String(head?.epoch), number: 2 }, 10)).toHaveLength(2);
    expect(await store.changesBefore(tenant, undefined, 10)).toHaveLength(4);
    expect(await store.tenants()).toContain(tenant);
  }
  for (const user of ['sidecar', 'administrator', 'log-administrator'] as const) {
    const decisions = appender(url, user);
    await decisions.append(tenant, '{"a":1}\n');
    for (const keep of [{ maxEntries: 10 }, { before: 1 }]) await decisions.trim(tenant, keep);
  }
  const read = reader(url, 'auditor');
  const poller = createDecisionPoller(openConnection(url, 'log-administrator'));
  for (const { last, read: next } of [read, poller]) {
    expect(await last(tenant, '+', 10)).toHaveLength(3);
    expect(await next(tenant, '0', 10, 0)).toHaveLength(3);
  }
  expect(await read.tenants()).toContain(tenant);
  expect(await read.count(tenant)).toBe((await read.readRaw(tenant, '0', 10)).length);
  await administrator.deleteTenant(tenant);
}

describeWithRedis7('the shipped Redis users', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ config });
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  test('let nobody in until they are given a password', async () => {
    for (const user of users) await expect(open(server.url, user).head('acme')).rejects.toThrow(/WRONGPASS.*postern-/);
    await switchOn(server.url);
    await denied(server.url);
  });

  test('do their work, with nothing denied on the way', async () => {
    await work(server.url, 'acme');
    expect(await denied(server.url)).toEqual([]);
  });

  describe('of a sidecar', () => {
    beforeEach(async () => {
      await open(server.url, 'writer').commit('acme', oneOfEach.map(putOf));
    });

    test('cannot commit, and the error says who lacks what and what to do', async () => {
      await expect(open(server.url, 'sidecar').commit('acme', [putOf(bindingOf(9))])).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringMatching(/NOPERM.*"postern-sidecar" lacks.*deploy\/redis\/users\.acl/),
      });
    });

    const { head, changes, records, decisions, channel } = keys;
    const script = (command: string) => `return redis.call(${command})`;
    test.for<[what: string, words: readonly [string, ...string[]]]>([
      ['a write of a record', ['HSET', records.binding, 'x', '{}']],
      ['a deletion of a record', ['HDEL', records.binding, 'x']],
      ['a write of the head', ['HSET', head, 'revision', '99']],
      ['an entry in the history', ['XADD', changes, '*', 'epoch', 'x']],
      ['cutting the history', ['XTRIM', changes, 'MAXLEN', '0']],
      ['a tenant on the list', ['SADD', 'postern:tenants', 'x']],
      ['a deletion', ['DEL', head]],
      ['emptying', ['FLUSHALL']],
      ['a message', ['PUBLISH', channel, '{}']],
      ['a script on a policy key', ['EVAL', script(`'HSET', KEYS[1], 'x', '{}'`), '1', records.binding]],
      ['a script that hides its key', ['EVAL', script(`'HSET', '${records.binding}', 'x', '{}'`), '0']],
      ['a script that hides an entry', ['EVAL', script(`'XADD', '${changes}', '*', 'epoch', 'x'`), '1', decisions]],
      ['a script that publishes', ['EVAL', script(`'PUBLISH', '${channel}', '{}'`), '0']],
      ['reading decisions', ['XRANGE', decisions, '-', '+']],
      ['a script that reads decisions', ['EVAL', script(`'XRANGE', KEYS[1], '-', '+'`), '1', decisions]],
      ['a key that is not ours', ['HMGET', 'other', 'x']],
      ['a channel that is not ours', ['SUBSCRIBE', 'other']],
      ['a change of users', ['ACL', 'SETUSER', 'postern-sidecar', '+@all']],
      ['a setting', ['CONFIG', 'SET', 'maxmemory', '1']],
    ])('cannot do %s', async ([, words]) => {
      expect(await refusalOf(server.url, 'sidecar', words)).toMatch(
        /NOPERM|The user executing the script can't|ACL failure in script/,
      );
    });
  });

  test('of a writer cannot read decisions, nor append to them, nor follow', async () => {
    for (const words of [
      ['XRANGE', keys.decisions, '-', '+'],
      ['XREVRANGE', keys.decisions, '+', '-'],
      ['XADD', keys.decisions, '*', 'record', '{}'],
      ['SUBSCRIBE', keys.channel],
    ] as const)
      expect(await refusalOf(server.url, 'writer', words)).toMatch(/NOPERM/);
    await expect(appender(server.url, 'writer').append('acme', '{}\n')).rejects.toThrow(/"postern-writer" lacks/);
  });

  test('of an administrator can read decisions only where he serves the log', async () => {
    const poll = (user: User) => createDecisionPoller(openConnection(server.url, user)).read('acme', '0', 1);
    await expect(poll('administrator')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/NOPERM.*"postern-administrator" lacks.*deploy\/redis\/users\.acl/),
    });
    await expect(poll('log-administrator')).resolves.toBeDefined();
    expect(await refusalOf(server.url, 'log-administrator', ['DEL', keys.decisions])).toMatch(/NOPERM/);
  });

  test('of an auditor can read decisions, and whose there are, and nothing else', async () => {
    const auditor = open(server.url, 'auditor');
    const lacks = /NOPERM.*"postern-auditor" lacks/;
    await expect(auditor.head('acme')).rejects.toThrow(lacks);
    // Their names are there, and of none it can be told whether it was deleted.
    await expect(auditor.tenants()).rejects.toThrow(lacks);
    await expect(auditor.commit('acme', [])).rejects.toThrow(lacks);
    await expect(appender(server.url, 'auditor').append('acme', '{}\n')).rejects.toThrow(lacks);
    for (const words of [
      ['XREVRANGE', keys.changes, '+', '-'],
      ['XTRIM', keys.decisions, 'MAXLEN', '0'],
      ['DEL', keys.decisions],
      ['SUBSCRIBE', keys.channel],
    ] as const)
      expect(await refusalOf(server.url, 'auditor', words)).toMatch(/NOPERM/);
  });

  test('of an investigator can read decisions and the graph that made them, and change nothing', async () => {
    const writer = open(server.url, 'writer');
    const { number, epoch } = await writer.commit('acme', [putOf(bindingOf(1))]);
    await writer.commit('acme', [deleteOf(bindingOf(1))]);
    const investigator = open(server.url, 'investigator');
    expect(await graphAt(investigator, 'acme', { epoch, number })).toMatchObject({ undone: 1 });
    expect(await reader(server.url, 'investigator').read('acme', '0', 1, 0)).toBeDefined();
    await expect(investigator.commit('acme', [])).rejects.toThrow(/NOPERM.*"postern-investigator" lacks/);
    for (const words of [
      ['XADD', keys.decisions, '*', 'record', '{}'],
      ['XTRIM', keys.decisions, 'MAXLEN', '0'],
      ['XTRIM', keys.changes, 'MAXLEN', '0'],
      ['HSET', keys.records.binding, 'x', '{}'],
      ['SUBSCRIBE', keys.channel],
    ] as const)
      expect(await refusalOf(server.url, 'investigator', words)).toMatch(/NOPERM/);
  });
});

describeWithRedis7('the shipped Redis users do their work', () => {
  let redis: RedisSentinel | RedisCluster;
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await redis.stop();
  });

  test('behind Sentinels', async () => {
    const sentinel = await startSentinel({ server: { config } });
    redis = sentinel;
    for (const { url } of sentinel.servers) await switchOn(url);
    await work(sentinel.url, 'acme');
    expect((await Promise.all(sentinel.servers.map(({ url }) => denied(url)))).flat()).toEqual([]);
  });

  test('in a Cluster', async () => {
    const cluster = await startCluster({ server: { config } });
    redis = cluster;
    for (const { url } of cluster.nodes) await switchOn(url);
    await work(cluster.url, 'acme');
    expect((await Promise.all(cluster.nodes.map(({ url }) => denied(url)))).flat()).toEqual([]);
  });
});

/** What a command is refused with, or nothing. */
async function refusalOf(url: string, user: User, words: readonly [string, ...string[]]): Promise<string> {
  const client = new Redis(urlOf(url, user), { lazyConnect: true });
  const [name, ...args] = words;
  return client
    .call(name, ...args)
    .then(
      () => '',
      (error: Error) => error.message,
    )
    .finally(() => client.disconnect());
}

test('the file is what the keys are', () => {
  const [sidecar = ''] = readFileSync(aclFile, 'utf8').split('\n');
  for (const key of [keys.head, keys.changes, ...keys.recordList])
    expect(sidecar).toContain(` %R~${key.replace('{acme}', '{*}')} `);
});
