// TLS to everything that Sentinels and a Cluster name: no port without it, certificates on both sides, a Redis user for
// whom each connection is, and one of the Sentinels' own. What is wrong is told with the place and what to do about it.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createLogger } from '../../src/telemetry/logger.ts';
import type { Certificate } from '../authn/x509.ts';
import { asAdmin, untilTrue } from '../setup/redis-admin.ts';
import { type RedisCluster, startCluster } from '../setup/redis-cluster.ts';
import { type RedisSentinel, startSentinel } from '../setup/redis-sentinel.ts';
import { describeWithRedis7, type RedisServer } from '../setup/redis-server.ts';
import { certificateByAuthority } from '../setup/redis-tls.ts';
import { bindingOf, putOf } from '../store/records.ts';
import { steady } from './following.ts';
import { aclFile, asSidecar, at, closers, expectServing, password, start, switchOn } from './reaching-redis.ts';
import {
  addressOf,
  certificates,
  expectTold,
  expired,
  type Flags,
  lacks,
  type Mistake,
  named,
  noCertificate,
  notTheirTime,
  ofName,
  ofOtherName,
  oneMore,
  otherName,
  storeOf,
  wrongAuthority,
} from './told-mistakes.ts';

const commit = async (flags: Flags, number: number) =>
  (await storeOf(flags)).commit('default', number === 0 ? steady : [putOf(bindingOf(number))]);

describeWithRedis7('behind Sentinels', () => {
  let directory: string;
  let redis: RedisSentinel;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-redis-users-'));
    const users = [
      'user copies on >s3cret resetchannels -@all +psync +replconf +ping',
      'user watches on >s3cret allchannels -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill',
    ];
    await writeFile(join(directory, 'users.acl'), `${await readFile(aclFile, 'utf8')}${users.join('\n')}\n`);
    const config = { aclfile: join(directory, 'users.acl'), masteruser: 'copies', masterauth: password };
    redis = await startSentinel({
      server: { tls: certificateByAuthority(), config },
      sentinelConfig: { requirepass: password },
      credentials: { 'auth-user': 'watches', 'auth-pass': password },
    });
    for (const { url } of redis.servers)
      for (const user of ['postern-sidecar', 'postern-administrator', 'postern-auditor']) await switchOn(url, user);
    for (const { url } of redis.sentinels) {
      await asAdmin(url.replace('//', `//:${password}@`), async (admin) => {
        const rules = ['resetchannels', 'resetkeys', '-@all', '+sentinel|get-master-addr-by-name'];
        await admin.acl('SETUSER', 'postern-sidecar', 'on', `>${password}`, ...rules);
        await admin.acl('SETUSER', 'bare', 'on', `>${password}`, '-@all');
      });
    }
  });
  afterAll(async () => {
    await redis.stop();
    await rm(directory, { recursive: true });
  });

  const ofSentinels = () => ({ redisSentinelUsername: 'postern-sidecar', redisSentinelPasswordFile: at('password') });
  const right = (user = 'postern-sidecar'): Flags => ({ ...named(redis.url, user), ...ofSentinels() });

  test('a sidecar follows what an administrator commits, and goes along with a failover', async () => {
    await commit(right('postern-administrator'), 0);
    const serving = await start(right());
    await serving.sidecar.ready;
    await expectServing(serving, 1, (await redis.primary()).url);
    await commit(right('postern-administrator'), 1);
    await expectServing(serving, 2, (await redis.primary()).url);
    await redis.untilReplicated();
    const old = await redis.primary();
    await old.kill();
    const { url } = await redis.untilPrimaryIsNot(old);
    await vi.waitFor(() => commit(right('postern-administrator'), 2), { timeout: 10_000, interval: 50 });
    await expectServing(serving, 3, url);
  });

  const first = () => addressOf(redis.sentinels[0] as RedisServer);
  const behind = async (sentinel: RedisServer, server: RedisServer) => {
    await asAdmin(sentinel.url, (admin) =>
      admin.call('SENTINEL', 'MONITOR', 'primary', '127.0.0.1', String(server.port), '1'),
    );
    const flags = { ...named(`rediss+sentinel://${addressOf(sentinel)}/primary`, 'default') };
    return { flags: { ...flags, redisPasswordFile: at('wrong') }, where: `: ${addressOf(server)}: ` };
  };
  const lone = (sentinel: RedisServer) => ({
    flags: { redis: `rediss+sentinel://${addressOf(sentinel)}/primary`, ...certificates() },
    where: `primary: ${addressOf(sentinel)}: `,
  });
  const wrong = async (flags: Flags) => ({ flags: { ...right(), ...flags }, where: `primary: ${first()}` });

  test.for<Mistake>([
    ['the wrong authority', () => wrong({ redisCa: at('other') }), wrongAuthority],
    [
      'no certificate of its own',
      async () => ({ ...(await wrong({})), flags: { redis: redis.url, redisCa: at('ca'), ...ofSentinels() } }),
      noCertificate,
    ],
    ['no TLS', async () => ({ ...(await wrong({})), flags: plain() }), /where it speaks TLS, write rediss/],
    [
      'a wrong password for the Sentinels',
      () => wrong({ redisSentinelPasswordFile: at('wrong') }),
      /WRONGPASS.*check --redis-sentinel-username \("postern-sidecar" is used\) and --redis-sentinel-password-file/,
    ],
    [
      'no password for the Sentinels',
      async () => ({ ...(await wrong({})), flags: named(redis.url, 'postern-sidecar') }),
      /asks for a password: name it with --redis-sentinel-password-file/,
    ],
    [
      'a user whom the Sentinels tell nothing',
      () => wrong({ redisSentinelUsername: 'bare' }),
      lacks('give the user "bare" of the Sentinels \\+sentinel\\|get-master-addr-by-name'),
    ],
    [
      'another name for the primary',
      () => wrong({ redis: redis.url.replace('/primary', '/principal') }),
      /watches no primary of the name "principal": see the end of --redis/,
    ],
    ['a Sentinel of another time', async () => lone(await oneMore(expired(), true)), notTheirTime],
    ['a Sentinel of another name', async () => lone(await oneMore(ofOtherName(), true)), otherName],
    [
      'a primary of another time',
      async () => behind(await oneMore(certificateByAuthority(), true), await oneMore(expired())),
      notTheirTime,
    ],
    [
      'a primary of another name',
      async () => behind(await oneMore(certificateByAuthority(), true), await oneMore(ofOtherName())),
      otherName,
    ],
    [
      'a wrong password for Redis',
      async () => ({ flags: { ...right(), redisPasswordFile: at('wrong') }, where: redis.url }),
      /WRONGPASS.*check the name and the password of the Redis user "postern-sidecar"/,
    ],
    [
      'a user who lacks a permission',
      async () => ({ flags: right('postern-auditor'), where: redis.url }),
      lacks('the Redis user "postern-auditor" lacks the permission for HMGET.*deploy/redis/users\\.acl'),
    ],
  ])('%s is told', async ([, make, says]) => {
    const { flags, where } = await make();
    await expectTold(flags, where, says);
  });

  test('whose primary has a certificate for a name is reached by that name, where they announce it', async () => {
    const [sentinel, server] = [await oneMore(ofName(), true), await oneMore(ofName())];
    await asAdmin(sentinel.url, async (admin) => {
      for (const setting of ['resolve-hostnames', 'announce-hostnames'])
        await admin.call('SENTINEL', 'CONFIG', 'SET', setting, 'yes');
      await admin.call('SENTINEL', 'MONITOR', 'primary', 'localhost', String(server.port), '1');
    });
    const store = await storeOf({ ...certificates(), redis: `rediss+sentinel://localhost:${sentinel.port}/primary` });
    expect(await store.commit('named', steady)).toMatchObject({ number: 1 });
  });

  const plain = () => ({ redis: redis.url.replace('rediss', 'redis'), ...ofSentinels() });

  test('a sidecar is not ready without the password of the Sentinels, and its log says why and no password', async () => {
    let log = '';
    const write = (line: string) => {
      log += line;
    };
    const logger = createLogger({ level: 'debug', format: 'json', stream: { write } });
    await start({ ...right(), redisSentinelPasswordFile: at('wrong') }, logger);
    await vi.waitFor(() => expect(log).toContain('check --redis-sentinel-username'), { timeout: 5000 });
    expect(log).not.toMatch(new RegExp(`${password}|n0tthis`));
  });
});

describeWithRedis7('in a Cluster', () => {
  let redis: RedisCluster;

  beforeAll(async () => {
    redis = await startCluster({
      replicas: true,
      server: { tls: certificateByAuthority(), config: { aclfile: aclFile } },
    });
    for (const { url } of redis.nodes) {
      for (const user of ['postern-sidecar', 'postern-administrator', 'postern-auditor']) await switchOn(url, user);
      await asAdmin(url, (admin) => admin.acl('SETUSER', 'bare', 'on', `>${password}`, '-@all'));
    }
  });
  afterAll(() => redis.stop());

  const right = (user = 'postern-sidecar'): Flags => named(redis.url, user);

  test('a sidecar follows what an administrator commits, and goes along with a failover', async () => {
    const serving = await start({ redis: redis.url, ...certificates(), ...asSidecar() });
    await commit(right('postern-administrator'), 0);
    await serving.sidecar.ready;
    const master = await redis.masterOf('{default}');
    await expectServing(serving, 1, master.url);
    await commit(right('postern-administrator'), 1);
    await expectServing(serving, 2, master.url);
    const { url } = await redis.failOver(master);
    await vi.waitFor(() => commit(right('postern-administrator'), 2), { timeout: 10_000, interval: 50 });
    await expectServing(serving, 3, url);
  });

  const node = () => redis.nodes[0] as RedisServer;
  /** Asks one node only, so that it is known where that is. */
  const wrong = async (flags: Flags) => ({
    flags: { ...right(), redis: `rediss+cluster://${addressOf(node())}`, ...flags },
    where: `not reachable: ${addressOf(node())}: `,
  });
  const lone = (server: RedisServer) => ({
    flags: { redis: `rediss+cluster://${addressOf(server)}`, ...certificates() },
    where: `not reachable: ${addressOf(server)}: `,
  });

  test.for<Mistake>([
    ['the wrong authority', () => wrong({ redisCa: at('other') }), wrongAuthority],
    [
      'no certificate of its own',
      async () => ({ ...lone(node()), flags: { redis: lone(node()).flags.redis, redisCa: at('ca') } }),
      noCertificate,
    ],
    ['a node of another time', async () => lone(await oneMore(expired())), notTheirTime],
    ['a node of another name', async () => lone(await oneMore(ofOtherName())), otherName],
    [
      'a wrong password',
      () => wrong({ redisPasswordFile: at('wrong') }),
      /WRONGPASS.*check the name and the password of the Redis user "postern-sidecar"/,
    ],
    [
      'a user who may not ask where everything is',
      () => wrong({ redisUsername: 'bare' }),
      lacks('the Redis user "bare" lacks the permission for CLUSTER.*deploy/redis/users\\.acl'),
    ],
    [
      'a user who lacks a permission',
      async () => ({ flags: right('postern-auditor'), where: redis.url }),
      lacks('the Redis user "postern-auditor" lacks the permission for HMGET.*deploy/redis/users\\.acl'),
    ],
  ])('%s is told', async ([, make, says]) => {
    const { flags, where } = await make();
    await expectTold(flags, where, says);
  });

  test('whose certificates are for names is reached by names, where it announces them', async () => {
    await certify(ofName());
    closers.push(() => certify(certificateByAuthority()));
    const names = redis.url.replaceAll('127.0.0.1', 'localhost');
    await asAnnounced('localhost', 'hostname');
    closers.push(() => asAnnounced('', 'ip'));
    const store = await storeOf(named(names, 'postern-administrator'));
    expect(await store.commit('named', steady)).toMatchObject({ number: 1 });
    await expectTold(right(), '127.0.0.1', otherName);
  });

  async function certify({ cert, key }: Certificate): Promise<void> {
    for (const { directory, url } of redis.nodes) {
      const [ofCert, ofKey] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
      await writeFile(ofCert, cert);
      await writeFile(ofKey, key);
      await asAdmin(url, (admin) => admin.call('CONFIG', 'SET', 'tls-cert-file', ofCert, 'tls-key-file', ofKey));
    }
  }

  async function asAnnounced(name: string, type: 'hostname' | 'ip'): Promise<void> {
    const settings = ['cluster-announce-hostname', name, 'cluster-preferred-endpoint-type', type];
    for (const { url } of redis.nodes) await asAdmin(url, (admin) => admin.call('CONFIG', 'SET', ...settings));
    const isName = type === 'hostname';
    for (const { url } of redis.nodes) {
      await untilTrue('every node announces all as told', async () => {
        const ranges = await asAdmin(url, (admin) => admin.cluster('SLOTS'));
        return ranges.every(([, , ...nodes]) => nodes.every(([host]) => (host === 'localhost') === isName));
      });
    }
  }
});
