// A sidecar that serves every tenant of a Redis of its own: what it answers while tenants come, go, and are lost.
import type { Client, ServiceError } from '@grpc/grpc-js';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { type Change, formatRevision } from '../../src/model/change.ts';
import { formatAddress } from '../../src/server/address.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar/sidecar.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import type { Store } from '../../src/store/store.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createGrpcClient, errorInfoOf, unary } from '../server/grpc-client.ts';
import { describeWithOwnRedis, type RedisServer, startRedis } from '../setup/redis-server.ts';

const { check } = DecisionService.method;
const logger = createLogger({ level: 'silent', format: 'json' });
const policy: Change[] = [
  { op: 'put', record: { kind: 'role', name: 'reader', permissions: ['doc:read'] } },
  { op: 'put', record: { kind: 'binding', subject: 'user:ada', role: 'reader', scope: '*' } },
];

describeWithOwnRedis('a sidecar for all tenants', () => {
  let redis: RedisServer;
  let store: Store;
  let sidecar: Sidecar;
  let client: Client;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    closers.push(() => redis.stop());
    store = createRedisStore(parseRedisUrl(redis.url, 'redis'));
    closers.push(() => store.close());
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** Compares so seldom that nothing in these tests waits for it, unless they say otherwise. */
  async function start(flags: Readonly<Record<string, string>> = {}): Promise<void> {
    const addresses = { grpcAddress: '127.0.0.1:0', httpAddress: '127.0.0.1:0' };
    const all = { redis: redis.url, tenant: '*', decisionLog: 'off', compareInterval: '1h', ...addresses, ...flags };
    const options = parseOptions({ flags: all, env: {}, suggest: () => undefined, instance: 'all' });
    sidecar = await startSidecar(options, logger);
    closers.push(() => sidecar.close(0));
    const { grpcAddress } = sidecar.servers;
    client = createGrpcClient(grpcAddress ? formatAddress(grpcAddress) : '');
    closers.push(async () => client.close());
  }

  /** Whether Ada may read, or the code of the refusal. */
  const ask = (tenant: string, atLeast = '', deadlineMs = 10_000): Promise<boolean | string | undefined> =>
    unary(
      client,
      check,
      { tenant, subject: 'user:ada', action: 'read', object: 'doc:1', atLeast },
      {},
      { deadline: Date.now() + deadlineMs },
    ).then(
      ({ decision }) => decision?.allowed,
      (error: ServiceError) => errorInfoOf(error).reason,
    );

  const get = async (path: string): Promise<Response> => {
    const { httpAddress } = sidecar.servers;
    return fetch(`http://${httpAddress ? formatAddress(httpAddress) : ''}${path}`);
  };

  test('keeps the last policies when its Redis is emptied, and drops only what was deleted', async () => {
    await store.commit('acme', policy);
    await store.commit('globex', policy);
    await start({ compareInterval: '1s' });
    await sidecar.ready;
    const admin = new Redis(redis.url);
    closers.push(async () => admin.disconnect());
    await admin.flushall();
    // Two looks that began after it are over when two tenants that are not there were answered for.
    expect([await ask('nobody'), await ask('nobody')]).toEqual(['UNKNOWN_TENANT', 'UNKNOWN_TENANT']);
    expect([await ask('acme'), await ask('globex')]).toEqual([true, true]);
    expect((await get('/readyz')).status).toBe(200);
    await vi.waitFor(
      async () =>
        expect(await (await get('/metrics')).text()).toMatch(
          /postern_snapshot_behind_seconds\{tenant="acme"\} [0-9.]*[1-9]/,
        ),
      { timeout: 5_000 },
    );
    await store.commit('acme', policy);
    await store.deleteTenant('acme');
    await vi.waitFor(async () => expect(await ask('acme')).toBe('UNKNOWN_TENANT'), { timeout: 10_000 });
    expect(await ask('globex')).toBe(true);
  });

  test('keeps a policy whose name was lost from the list of tenants', async () => {
    await store.commit('acme', policy);
    await start();
    await sidecar.ready;
    const admin = new Redis(redis.url);
    closers.push(async () => admin.disconnect());
    const [list] = (await admin.keys('*')).filter((key) => !key.includes('acme'));
    await admin.del(list as string);
    expect(await store.tenants()).toEqual([]);
    expect(await ask('nobody')).toBe('UNKNOWN_TENANT');
    expect(await ask('acme')).toBe(true);
  });

  test('is ready without a tenant, and answers for one at the first question after it was written', async () => {
    await start();
    await sidecar.ready;
    expect((await get('/readyz')).status).toBe(200);
    expect(await ask('acme')).toBe('UNKNOWN_TENANT');
    await store.commit('acme', policy);
    expect(await ask('acme')).toBe(true);
    expect(await ask('')).toBe('INVALID_TENANT');
    const head = await store.commit('globex', policy);
    expect(await ask('globex', formatRevision(head))).toBe(true);
  });

  test('answers for a new tenant over HTTP too', async () => {
    await start();
    await sidecar.ready;
    await store.commit('acme', policy);
    const { httpAddress } = sidecar.servers;
    const answer = await fetch(
      `http://${httpAddress ? formatAddress(httpAddress) : ''}/postern.v1.DecisionService/Check`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tenant: 'acme', subject: 'user:ada', action: 'read', object: 'doc:1' }),
      },
    );
    expect(await answer.json()).toMatchObject({ decision: { allowed: true } });
  });

  test('is ready when every tenant that it found is, and stays so', async () => {
    await store.commit('acme', policy);
    redis.pause();
    await start();
    expect((await get('/readyz')).status).toBe(503);
    redis.resume();
    await sidecar.ready;
    expect(await ask('acme')).toBe(true);
    await store.commit('late', policy);
    expect(await ask('late')).toBe(true);
    await redis.kill();
    expect((await get('/readyz')).status).toBe(200);
  });

  test('says NOT_READY, within the deadline, of a tenant that it cannot look for', async () => {
    await store.commit('acme', policy);
    await start();
    await sidecar.ready;
    redis.pause();
    closers.push(async () => redis.resume());
    expect(await ask('globex', '', 1_000)).toBe('NOT_READY');
    expect(await ask('acme')).toBe(true);
  });

  test('knows a tenant that somebody else deleted for gone long before the next comparison', async () => {
    await store.commit('acme', policy);
    await store.commit('globex', policy);
    await start();
    await sidecar.ready;
    expect(await ask('acme')).toBe(true);
    await store.deleteTenant('acme');
    await vi.waitFor(async () => expect(await ask('acme')).toBe('UNKNOWN_TENANT'), { timeout: 5_000 });
    expect(await ask('globex')).toBe(true);
    expect(await (await get('/metrics')).text()).not.toContain('tenant="acme"');
  });

  test('does not wait for a store that does not answer, in order to end', async () => {
    await start();
    await sidecar.ready;
    redis.pause();
    closers.push(async () => redis.resume());
    const asked = ask('globex', '', 60_000);
    // The server has it when it answers a later question of the same connection.
    expect(await ask('')).toBe('INVALID_TENANT');
    const beganMs = performance.now();
    const closing = sidecar.close(60_000);
    expect(await asked).toBe('NOT_READY');
    await closing;
    expect(performance.now() - beganMs).toBeLessThan(4_000);
  });
});
