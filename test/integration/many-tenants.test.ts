// A sidecar with two hundred tenants in a Redis of its own, loaded on demand and within a bound: what it answers while
// tenants come and go for want of memory, change, and are broken.
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
const tenants = Array.from({ length: 200 }, (_, i) => `tenant-${i}`);
/** What a tenant of these tests is taken for is some 42,000 bytes: a hundred of them. */
const roomForHalf = '4200000';

describeWithOwnRedis('a sidecar of many tenants, on demand', () => {
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
    await Promise.all(tenants.map((tenant) => store.commit(tenant, policyOf(tenant))));
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** In each tenant, only the user of its name may read. */
  function policyOf(tenant: string): Change[] {
    return [
      { op: 'put', record: { kind: 'role', name: 'reader', permissions: ['doc:read'] } },
      { op: 'put', record: { kind: 'binding', subject: `user:${tenant}`, role: 'reader', scope: '*' } },
    ];
  }

  async function start(flags: Readonly<Record<string, string>> = {}): Promise<void> {
    const addresses = { grpcAddress: '127.0.0.1:0', httpAddress: '127.0.0.1:0', decisionLog: 'off' };
    const all = {
      redis: redis.url,
      tenant: '*',
      tenantLoading: 'on-demand',
      compareInterval: '1h',
      ...addresses,
      ...flags,
    };
    const options = parseOptions({ flags: all, env: {}, suggest: () => undefined, instance: 'many' });
    sidecar = await startSidecar(options, createLogger({ level: 'silent', format: 'json' }));
    closers.push(() => sidecar.close(0));
    const { grpcAddress } = sidecar.servers;
    client = createGrpcClient(grpcAddress ? formatAddress(grpcAddress) : '');
    closers.push(async () => client.close());
    await sidecar.ready;
  }

  /** Whether a user may read in a tenant, or the code of the refusal. */
  const ask = (
    tenant: string,
    user = tenant,
    atLeast = '',
    deadlineMs = 30_000,
  ): Promise<boolean | string | undefined> =>
    unary(
      client,
      check,
      { tenant, subject: `user:${user}`, action: 'read', object: 'doc:1', atLeast },
      {},
      { deadline: Date.now() + deadlineMs },
    ).then(
      ({ decision }) => decision?.allowed,
      (error: ServiceError) => errorInfoOf(error).reason,
    );

  const metric = async (name: string): Promise<number> => {
    const { httpAddress } = sidecar.servers;
    const response = await fetch(`http://${httpAddress ? formatAddress(httpAddress) : ''}/metrics`);
    const lines = (await response.text()).split('\n').filter((line) => line.startsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  test('is ready with none of them, loads each once for all who ask, and denies nobody who is allowed', async () => {
    await start();
    expect(await metric('postern_tenants_loaded')).toBe(0);
    const asked = tenants.flatMap((tenant) => Array.from({ length: 5 }, () => ask(tenant)));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([true]));
    expect(await metric('postern_tenants_loaded')).toBe(200);
    expect(await metric('postern_snapshot_loads_total')).toBe(200);
    expect(await metric('postern_tenant_loads_waiting')).toBe(0);
    expect(await Promise.all([ask('tenant-1', 'tenant-2'), ask('tenant-201')])).toEqual([false, 'UNKNOWN_TENANT']);
    await redis.kill();
    expect(new Set(await Promise.all(tenants.map((tenant) => ask(tenant))))).toEqual(new Set([true]));
  });

  test('answers for all of them where half have room, and keeps to the bound', { timeout: 60_000 }, async () => {
    await start({ tenantMemoryBytes: roomForHalf });
    for (let round = 0; round < 2; round++) {
      expect(new Set(await Promise.all(tenants.map((tenant) => ask(tenant))))).toEqual(new Set([true]));
    }
    expect(await metric('postern_tenants_evicted_total')).toBeGreaterThan(100);
    // What is loaded at once may be beyond the bound until the next sweep.
    await vi.waitFor(async () => expect(await metric('postern_snapshot_bytes')).toBeLessThan(Number(roomForHalf)), {
      timeout: 20_000,
    });
    expect(await metric('postern_snapshot_bytes')).toBeGreaterThan(Number(roomForHalf) / 2);
    const head = await store.commit('tenant-0', policyOf('somebody'));
    expect(await ask('tenant-0', 'somebody', formatRevision(head))).toBe(true);
  });

  test('says NOT_READY of one that is broken, and goes on loading the others until it is mended', async () => {
    const broken = tenants.slice(0, 20);
    const admin = new Redis(redis.url);
    closers.push(async () => admin.disconnect());
    const bindings = (tenant: string) => `postern:{${tenant}}:binding`;
    for (const tenant of broken) await admin.hset(bindings(tenant), 'garbage', '{');
    await start();
    const good = tenants.slice(20);
    const answers = Promise.all(good.map((tenant) => ask(tenant)));
    expect(new Set(await Promise.all(broken.map((tenant) => ask(tenant, tenant, '', 3_000))))).toEqual(
      new Set(['NOT_READY']),
    );
    expect(new Set(await answers)).toEqual(new Set([true]));
    await admin.hdel(bindings('tenant-0'), 'garbage');
    await store.commit('tenant-0', []);
    await vi.waitFor(async () => expect(await ask('tenant-0')).toBe(true), { timeout: 15_000 });
  });

  test('has those that are named whatever happens', async () => {
    await start({ tenant: 'tenant-7,*', tenantMemoryBytes: '50000' });
    expect(await metric('postern_tenants_loaded')).toBe(1);
    for (const tenant of ['tenant-1', 'tenant-2']) expect(await ask(tenant)).toBe(true);
    await redis.kill();
    expect(await ask('tenant-7')).toBe(true);
    expect(await ask('tenant-9', 'tenant-9', '', 1_000)).toBe('NOT_READY');
  });
});
