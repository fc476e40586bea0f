// Two sidecars and a writer on a real Redis, over a network that can fail: tokens, the age of the data, and what a
// sidecar refuses past its bound.
import type { Client, ServiceError } from '@grpc/grpc-js';
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
import { type FaultProxy, startFaultProxy } from '../setup/fault-proxy.ts';
import { describeWithOwnRedis, type RedisServer, startRedis } from '../setup/redis-server.ts';

const { check } = DecisionService.method;
const logger = createLogger({ level: 'silent', format: 'json' });
const reader: Change = { op: 'put', record: { kind: 'role', name: 'reader', permissions: ['doc:read'] } };
const bind = (subject: string): Change => ({
  op: 'put',
  record: { kind: 'binding', subject, role: 'reader', scope: '*' },
});

interface Running {
  readonly sidecar: Sidecar;
  readonly client: Client;
  readonly proxy: FaultProxy;
  readonly ask: (subject: string, atLeast?: string, deadlineMs?: number) => ReturnType<typeof askOf>;
  readonly get: (path: string) => Promise<{ status: number; body: unknown }>;
}

async function askOf(client: Client, subject: string, atLeast: string, deadlineMs: number) {
  const question = { subject, action: 'read', object: 'doc:1', atLeast };
  try {
    const answer = await unary(client, check, question, {}, { deadline: Date.now() + deadlineMs });
    return { allowed: answer.decision?.allowed, revision: answer.revision, ageMs: answer.dataAgeMs };
  } catch (error) {
    const { reason, metadata } = errorInfoOf(error as ServiceError);
    return { reason, metadata };
  }
}

describeWithOwnRedis('a sidecar', () => {
  let redis: RedisServer;
  let writer: Store;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    closers.push(() => redis.stop());
    writer = createRedisStore(parseRedisUrl(redis.url, 'redis'));
    closers.push(() => writer.close());
    await writer.commit('default', [reader]);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function start(flags: Readonly<Record<string, string>> = {}): Promise<Running> {
    const proxy = await startFaultProxy(redis.port);
    closers.push(() => proxy.close());
    const addresses = { grpcAddress: '127.0.0.1:0', httpAddress: '127.0.0.1:0' };
    const store = { redis: `redis://127.0.0.1:${proxy.port}`, compareInterval: '1h' };
    const all = { ...store, decisionLog: 'off', ...addresses, ...flags };
    const options = parseOptions({ flags: all, env: {}, suggest: () => undefined, instance: 'tests' });
    const sidecar = await startSidecar(options, logger);
    closers.push(() => sidecar.close(0));
    await sidecar.ready;
    const { grpcAddress, httpAddress } = sidecar.servers;
    const client = createGrpcClient(grpcAddress ? formatAddress(grpcAddress) : '');
    closers.push(async () => client.close());
    const ask = (subject: string, atLeast = '', deadlineMs = 10_000) => askOf(client, subject, atLeast, deadlineMs);
    const get = async (path: string) => {
      const response = await fetch(`http://${httpAddress ? formatAddress(httpAddress) : ''}${path}`);
      return { status: response.status, body: await response.json() };
    };
    await vi.waitFor(async () => expect(await ask('user:nobody')).toMatchObject({ ageMs: 0 }));
    return { sidecar, client, proxy, ask, get };
  }

  test('gives whoever wrote his own writes, whichever of two he asks', async () => {
    const both = await Promise.all([start(), start()]);
    for (let i = 0; i < 100; i++) {
      const token = formatRevision(await writer.commit('default', [bind(`user:u${i}`)]));
      const answers = await Promise.all(both.map(({ ask }) => ask(`user:u${i}`, token)));
      expect(answers).toEqual([0, 1].map(() => expect.objectContaining({ allowed: true, revision: token })));
    }
    // The token of an answer serves as well as that of a commit, at the other one too.
    const { revision = '' } = await (both[0] as Running).ask('user:u1');
    expect(await (both[1] as Running).ask('user:u99', revision)).toMatchObject({ allowed: true, revision });
  });

  test('that is behind makes the one who asks wait, and nobody else', async () => {
    const [slow, fast] = [await start(), await start()];
    slow.proxy.silence();
    const token = formatRevision(await writer.commit('default', [bind('user:new')]));
    expect(await fast.ask('user:new', token)).toMatchObject({ allowed: true });
    const waiting = slow.ask('user:new', token);
    expect(await slow.ask('user:new')).toMatchObject({ allowed: false });
    await slow.proxy.restore();
    expect(await waiting).toMatchObject({ allowed: true, revision: token });
  });

  test('whose store is away answers a token that it holds, and says in time that it has not seen a newer one', async () => {
    const { ask } = await start();
    const held = formatRevision(await writer.commit('default', [bind('user:ada')]));
    expect(await ask('user:ada', held)).toMatchObject({ allowed: true });
    const newer = held.replace(/\.2\..*/, '.3');
    await redis.kill();
    expect(await ask('user:ada', held)).toMatchObject({ allowed: true, revision: held });
    // In time: past its deadline the caller would hear DEADLINE_EXCEEDED, which has no reason.
    expect(await ask('user:ada', newer, 400)).toMatchObject({ reason: 'REVISION_NOT_REACHED' });
    expect(await ask('user:ada', 'other.1')).toMatchObject({ reason: 'REVISION_OF_OTHER_EPOCH' });
  });

  test('that hears nothing more says how old its data is before it has noticed, and refuses past its bound, never denies', async () => {
    const { ask, get, proxy } = await start({ maxStaleness: '4s' });
    await writer.commit('default', [bind('user:ada')]).then((revision) => ask('user:ada', formatRevision(revision)));
    proxy.silence();
    const silentMs = performance.now();
    const seen: unknown[] = [];
    await vi.waitFor(
      async () => {
        const answer = await ask('user:ada');
        seen.push(answer);
        expect(answer).toMatchObject({ reason: 'STALE' });
      },
      { timeout: 15_000, interval: 50 },
    );
    expect(performance.now() - silentMs).toBeGreaterThan(1_900);
    const answers = seen.slice(0, -1) as { allowed: boolean; ageMs: number }[];
    expect(answers.every(({ allowed }) => allowed)).toBe(true);
    const ages = answers.map(({ ageMs }) => ageMs).filter((ageMs) => ageMs > 0);
    expect(ages.length).toBeGreaterThan(0);
    expect(ages).toEqual([...ages].sort((a, b) => a - b));
    expect(Math.max(...ages)).toBeLessThanOrEqual(4_000);
    expect(seen.at(-1)).toMatchObject({ metadata: { tenant: 'default', max_staleness_ms: '4000' } });
    const { status, body } = await get('/readyz');
    expect([status, body]).toEqual([
      503,
      {
        status: 'not ready',
        reason: 'the policies are older than 4 s (--max-staleness)',
        behind: [{ tenant: 'default', dataAgeMs: expect.any(Number), reason: expect.any(String) }],
        decisionLog: expect.objectContaining({ mode: 'off' }),
      },
    ]);
    expect((await get('/livez')).status).toBe(200);
    await proxy.restore();
    await vi.waitFor(async () => expect(await ask('user:ada')).toMatchObject({ allowed: true, ageMs: 0 }), {
      timeout: 15_000,
    });
    expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'ready', decisionLog: expect.anything() } });
  });
});
