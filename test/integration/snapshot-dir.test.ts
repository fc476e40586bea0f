// A sidecar with --snapshot-dir, as its users start it: it answers while Redis is down, says how old its data is, and
// is up to date as soon as Redis is back.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { type Change, formatRevision } from '../../src/model/change.ts';
import { formatAddress } from '../../src/server/address.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar/sidecar.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createGrpcClient, errorInfoOf, unary } from '../server/grpc-client.ts';
import { describeWithOwnRedis, type RedisServer, startRedis } from '../setup/redis-server.ts';

const { check } = DecisionService.method;
const logger = createLogger({ level: 'silent', format: 'json' });
/** Followers come back at any time within a second, and more where the machine is busy. */
const patient = { timeout: 15_000 };
const policy: Change[] = [
  { op: 'put', record: { kind: 'role', name: 'reader', permissions: ['doc:read'] } },
  { op: 'put', record: { kind: 'binding', subject: 'user:ada', role: 'reader', scope: '*' } },
];

describeWithOwnRedis('a sidecar with a directory for snapshots', () => {
  let redis: RedisServer;
  let directory: string;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    redis = await startRedis({ persistent: true });
    closers.push(() => redis.stop());
    directory = join(await mkdtemp(join(tmpdir(), 'postern-dir-')), 'snapshots');
    closers.push(() => rm(join(directory, '..'), { recursive: true }));
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function start(flags: Readonly<Record<string, string>> = {}): Promise<{ sidecar: Sidecar; client: Client }> {
    const addresses = { grpcAddress: '127.0.0.1:0', httpAddress: '127.0.0.1:0' };
    const all = { redis: redis.url, snapshotDir: directory, decisionLog: 'off', ...addresses, ...flags };
    const options = parseOptions({ flags: all, env: {}, suggest: () => undefined, instance: 'one' });
    const sidecar = await startSidecar(options, logger);
    closers.push(() => sidecar.close(0));
    const { grpcAddress } = sidecar.servers;
    const client = createGrpcClient(grpcAddress ? formatAddress(grpcAddress) : '');
    closers.push(async () => client.close());
    return { sidecar, client };
  }

  const ask = (client: Client, subject: string, more: object = {}) =>
    unary(client, check, { subject, action: 'read', object: 'doc:1', ...more }, {}, { deadline: Date.now() + 15_000 });

  async function commit(changes: Change[], tenant = 'default') {
    const store = createRedisStore(parseRedisUrl(redis.url, 'redis'));
    const revision = await store.commit(tenant, changes);
    await store.close();
    return revision;
  }

  /** Serves until everything is saved, and ends. */
  async function serveOnce(flags: Readonly<Record<string, string>> = {}): Promise<void> {
    const { sidecar } = await start(flags);
    await sidecar.ready;
    await vi.waitFor(
      async () => expect(await readdir(directory)).toEqual([`${flags.tenant === '*' ? 'acme' : 'default'}.snapshot`]),
      patient,
    );
    await sidecar.close(0);
  }

  test('answers from it while Redis is down, and catches up when it is back', async () => {
    await commit(policy);
    await serveOnce();
    await redis.kill();
    const { sidecar, client } = await start();
    await sidecar.ready;
    const answer = await ask(client, 'user:ada');
    expect(answer.decision?.allowed).toBe(true);
    expect(Number(answer.dataAgeMs)).toBeGreaterThan(0);
    await redis.restart();
    const late = await commit([
      { op: 'put', record: { kind: 'binding', subject: 'user:bob', role: 'reader', scope: '*' } },
    ]);
    const after = await ask(client, 'user:bob', { atLeast: formatRevision(late) });
    expect(after.decision?.allowed).toBe(true);
    await vi.waitFor(async () => expect(Number((await ask(client, 'user:bob')).dataAgeMs)).toBe(0), patient);
  });

  test('refuses what is older than the bound, and answers again when Redis is back', async () => {
    await commit(policy);
    await serveOnce();
    await redis.kill();
    const { client } = await start({ maxStaleness: '1ms' });
    const refused = await vi.waitFor(async () => {
      const error = await ask(client, 'user:ada').then(
        () => undefined,
        (failed: ServiceError) => errorInfoOf(failed)?.reason,
      );
      expect(error).toBe('STALE');
      return error;
    }, patient);
    expect(refused).toBe('STALE');
    await redis.restart();
    await vi.waitFor(async () => expect((await ask(client, 'user:ada')).decision?.allowed).toBe(true), {
      timeout: 15_000,
    });
  });

  test('serves all tenants that are in it while Redis is down', async () => {
    await commit(policy, 'acme');
    await serveOnce({ tenant: '*' });
    await redis.kill();
    const { sidecar, client } = await start({ tenant: '*' });
    await sidecar.ready;
    const answer = await vi.waitFor(() => ask(client, 'user:ada', { tenant: 'acme' }), patient);
    expect(answer.decision?.allowed).toBe(true);
  });

  test('is not ready, and never denies, where it is damaged and Redis is down', async () => {
    await commit(policy);
    await serveOnce();
    await redis.kill();
    await writeFile(join(directory, 'default.snapshot'), 'garbage');
    const { client } = await start();
    await expect(ask(client, 'user:ada')).rejects.toSatisfy(
      (error) => errorInfoOf(error as ServiceError)?.reason === 'NOT_READY',
    );
    await redis.restart();
    await vi.waitFor(async () => expect((await ask(client, 'user:ada')).decision?.allowed).toBe(true), {
      timeout: 15_000,
    });
  });
});
