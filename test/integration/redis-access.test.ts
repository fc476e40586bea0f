// Whole sidecars reach Redis as they are configured: over TLS with certificates on both sides, as their own Redis user,
// behind Sentinels that ask for a password, in a Cluster. What is wrong is told in words that say what to do. TLS to what
// Sentinels and Clusters name is in redis-tls-topologies.test.ts.
import { writeFile } from 'node:fs/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import { connect } from '../../src/store/redis/connection.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { type Certificate, createCertificate } from '../authn/x509.ts';
import { postern } from '../cli/postern.ts';
import { startCluster } from '../setup/redis-cluster.ts';
import { startSentinel } from '../setup/redis-sentinel.ts';
import { describeWithRedis7, findFreePort, startRedis } from '../setup/redis-server.ts';
import { certificateByAuthority, redisClientTls } from '../setup/redis-tls.ts';
import { aclFile, asSidecar, at, closers, decisionsIn, start, switchOn, write } from './reaching-redis.ts';

describeWithRedis7('over TLS', () => {
  let ca: Certificate;
  let tlsUrl: string;
  let plainUrl: string;

  beforeEach(async () => {
    ca = createCertificate({ name: 'our authority' });
    const server = createCertificate({ name: 'redis', issuer: ca });
    const client = createCertificate({ name: 'a sidecar', issuer: ca });
    const files = { ca: ca.cert, cert: server.cert, key: server.key, clientCert: client.cert, clientKey: client.key };
    for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
    await writeFile(at('otherCa'), createCertificate({ name: 'another authority' }).cert);
    const tlsPort = await findFreePort();
    const redis = await startRedis({
      config: {
        'tls-port': String(tlsPort),
        'tls-cert-file': at('cert'),
        'tls-key-file': at('key'),
        'tls-ca-cert-file': at('ca'),
        aclfile: aclFile,
      },
    });
    closers.push(() => redis.stop());
    plainUrl = redis.url;
    tlsUrl = `rediss://127.0.0.1:${tlsPort}`;
    await switchOn(plainUrl);
    await write(plainUrl);
  });

  const certificates = () => ({ redisCa: at('ca'), redisCert: at('clientCert'), redisKey: at('clientKey') });

  test('a sidecar with a certificate, a user and a password file serves, and its decisions arrive', async () => {
    const { sidecar, ask } = await start({ redis: tlsUrl, ...certificates(), ...asSidecar() });
    await sidecar.ready;
    expect(await ask()).toMatchObject({ decision: { allowed: true } });
    await vi.waitFor(async () => expect(await decisionsIn(plainUrl)).toBe(1));
  });

  test.for<[what: string, flags: () => Record<string, string>, says: RegExp]>([
    [
      'the wrong authority',
      () => ({ ...certificates(), redisCa: at('otherCa') }),
      /name its authority with --redis-ca/,
    ],
    ['no authority', () => ({}), /name its authority with --redis-ca/],
    ['no certificate of its own', () => ({ redisCa: at('ca') }), /name (it|one) with --redis-cert and --redis-key/],
    [
      'the port that does not speak TLS',
      () => ({ ...certificates(), redis: plainUrl.replace('redis:', 'rediss:') }),
      /does not speak TLS/,
    ],
  ])('a sidecar with %s says so and is not ready', async ([, flags, says]) => {
    const { ask } = await start({ redis: tlsUrl, ...flags() });
    await vi.waitFor(() => expect(ask()).rejects.toMatchObject({ details: expect.stringMatching(says) }), {
      timeout: 10_000,
      interval: 50,
    });
  });

  test('commands take the same options and variables, and refuse an authority that is not the right one', async () => {
    const flags = ['--redis', tlsUrl, '--redis-cert', at('clientCert'), '--redis-key', at('clientKey')];
    const env = { POSTERN_REDIS_USERNAME: 'postern-sidecar', POSTERN_REDIS_PASSWORD_FILE: at('password') };
    const [right, wrong] = await Promise.all([
      postern(['export', ...flags, '--redis-ca', at('ca')], { env }),
      postern(['export', ...flags, '--redis-ca', at('otherCa')], { env }),
    ]);
    expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining('user:steady') });
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain('name its authority with --redis-ca');
    expect(wrong.stderr).not.toContain('s3cret');
  });
});

describeWithRedis7('a connection over TLS', () => {
  test('a handshake that is broken off, and finds a certificate of another name, ends no process', async () => {
    const uncaught: Error[] = [];
    const onUncaught = (error: Error) => uncaught.push(error);
    process.on('uncaughtException', onUncaught);
    closers.push(async () => void process.off('uncaughtException', onUncaught));
    const server = await startRedis({ tls: certificateByAuthority({ sanIps: [], sanDns: ['redis.example'] }) });
    closers.push(() => server.stop());
    const target = parseRedisUrl(server.url);
    // TLS tells of two errors in most of these.
    for (let i = 0; i < 20; i++) {
      const connection = connect(target, { tls: redisClientTls() });
      const ended = new Promise((resolve) => connection.client.once('end', resolve));
      await connection.ready();
      setImmediate(() => connection.close());
      await ended;
    }
    await vi.waitFor(() => expect(uncaught).toEqual([]));
  });
});

describeWithRedis7('a sidecar with its own user', () => {
  test('behind Sentinels that ask for a password serves, and goes along with a failover', async () => {
    const redis = await startSentinel({
      server: { config: { aclfile: aclFile } },
      sentinelConfig: { requirepass: 's3cret' },
    });
    closers.push(() => redis.stop());
    for (const { url } of redis.servers) await switchOn(url);
    const primary = await redis.primary();
    await write(primary.url);
    await redis.untilReplicated();
    const { sidecar, ask } = await start({
      redis: redis.url,
      ...asSidecar(),
      redisSentinelPasswordFile: at('password'),
    });
    await sidecar.ready;
    expect(await ask()).toMatchObject({ decision: { allowed: true } });
    const { url } = await redis.failOver();
    const before = await decisionsIn(url);
    await vi.waitFor(
      async () => {
        expect(await ask()).toMatchObject({ decision: { allowed: true } });
        expect(await decisionsIn(url)).toBeGreaterThan(before);
      },
      { timeout: 10_000, interval: 100 },
    );
  });

  test('in a Cluster serves, and its decisions arrive', async () => {
    const cluster = await startCluster({ server: { config: { aclfile: aclFile } } });
    closers.push(() => cluster.stop());
    for (const { url } of cluster.nodes) await switchOn(url);
    await write(cluster.url);
    const { sidecar, ask } = await start({ redis: cluster.url, ...asSidecar() });
    await sidecar.ready;
    expect(await ask()).toMatchObject({ decision: { allowed: true } });
    const { url } = await cluster.masterOf('postern:{default}:decisions');
    await vi.waitFor(async () => expect(await decisionsIn(url)).toBe(1));
  });
});
