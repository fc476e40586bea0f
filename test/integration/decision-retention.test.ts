// What a Redis keeps of decisions, by length and by age, as the Redis user that is shipped; and what it refuses of one.
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import { createRedisSink, type DecisionAppender } from '../../src/decision-log/sinks/redis.ts';
import { createRetention } from '../../src/decision-log/sinks/redis-retention.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender } from '../../src/store/redis/decision-client.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { describeWithOwnRedis, describeWithRedis7, sharedRedisUrl, startRedis } from '../setup/redis-server.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let tenants = 0;
const newTenant = () => `kept-${process.pid}-${++tenants}`;
const keyOf = (tenant: string) => tenantKeys(tenant).decisions;
const hourMs = 3_600_000;

function open(url = sharedRedisUrl()) {
  const connection = connect(parseRedisUrl(url));
  cleanups.push(async () => connection.close());
  return { redis: connection.client as Redis, appender: createDecisionAppender(connection) };
}

const batchOf = (tenant: string, lines: readonly string[]) => ({
  tenant,
  parts: [lines.map((line) => `${line}\n`).join('')],
  records: lines.length,
});
const lines = (count: number, text = 'x') =>
  Array.from({ length: count }, (_, i) => `{"seq":${i + 1},"text":"${text}"}`);

/** Entries of some hours ago, so many for each; whole blocks, so that about is exact. */
async function fill(redis: Redis, tenant: string, hours: readonly number[], each = 500): Promise<void> {
  const now = Date.now();
  for (const ago of hours) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < each; i++)
      pipeline.xadd(keyOf(tenant), `${now - ago * hourMs}-${i + 1}`, 'record', `{"ago":${ago}}`);
    await pipeline.exec();
  }
}

async function agesOf(redis: Redis, tenant: string): Promise<Record<string, number>> {
  const entries = await redis.xrange(keyOf(tenant), '-', '+');
  const ages: Record<string, number> = {};
  for (const [, fields] of entries) ages[fields[1] as string] = (ages[fields[1] as string] ?? 0) + 1;
  return ages;
}

test('entries that are too old go, whole blocks of them, and none that is younger', async () => {
  const tenant = newTenant();
  const { redis, appender } = open();
  await fill(redis, tenant, [48, 30, 20, 1]);
  const sink = createRedisSink(appender, { maxAgeMs: 24 * hourMs, everyMs: 5 });
  cleanups.push(() => sink.close());
  await sink.write(batchOf(tenant, ['{"ago":0}']));
  await vi.waitFor(async () => expect((await agesOf(redis, tenant))['{"ago":30}'] ?? 0).toBeLessThan(100));
  const ages = await agesOf(redis, tenant);
  expect(ages).toMatchObject({ '{"ago":20}': 500, '{"ago":1}': 500, '{"ago":0}': 1 });
  expect(ages['{"ago":48}']).toBeUndefined();
});

test('age is looked at while no decisions come, for what this process has written', async () => {
  const tenant = newTenant();
  const { redis, appender } = open();
  const sink = createRedisSink(appender, { maxAgeMs: 300, everyMs: 20 });
  cleanups.push(() => sink.close());
  await sink.write(batchOf(tenant, lines(500)));
  expect(await redis.xlen(keyOf(tenant))).toBe(500);
  await vi.waitFor(async () => expect(await redis.xlen(keyOf(tenant))).toBe(0), { timeout: 10_000 });
});

test('a stream is cut to its length and its age, whichever is less', async () => {
  const [long, old] = [newTenant(), newTenant()];
  const { redis, appender } = open();
  await fill(redis, old, [48], 1_000);
  const sink = createRedisSink(appender, { maxEntries: 2_000, maxAgeMs: 24 * hourMs, everyMs: 5 });
  cleanups.push(() => sink.close());
  for (let i = 0; i < 10; i++) await sink.write(batchOf(long, lines(500)));
  await sink.write(batchOf(old, lines(500)));
  expect(await redis.xlen(keyOf(long))).toBeLessThan(2_200);
  expect(await redis.xlen(keyOf(long))).toBeGreaterThanOrEqual(2_000);
  await vi.waitFor(async () => expect(await redis.xlen(keyOf(old))).toBeLessThan(600));
  expect(await redis.xlen(keyOf(old))).toBeGreaterThanOrEqual(500);
});

test('a stream that was let grow is cut in steps, each of which Redis takes at once', async () => {
  const tenant = newTenant();
  const { redis, appender } = open();
  await fill(redis, tenant, [48, 47, 46, 45], 10_000);
  expect(await appender.trim(tenant, { maxEntries: 100 })).toBe(true);
  expect(await redis.xlen(keyOf(tenant))).toBeGreaterThan(25_000);
  const sink = createRedisSink(appender, { maxEntries: 100 });
  await sink.write(batchOf(tenant, lines(1)));
  expect(await redis.xlen(keyOf(tenant))).toBeLessThan(300);
});

test('of the clocks of Redis and of this process the one that is behind counts: what is cut is gone', async () => {
  const asked: number[] = [];
  const trimmer = {
    async trim(_: string, keep: { readonly maxEntries: number } | { readonly before: number }) {
      if ('before' in keep) asked.push(keep.before);
      return false;
    },
  };
  const now = Date.parse('2026-03-04T05:06:07Z');
  vi.useFakeTimers({ now, toFake: ['setInterval', 'clearInterval', 'Date'] });
  const retention = createRetention(trimmer, { maxAgeMs: hourMs, everyMs: 1_000 });
  const hours = async () => {
    asked.length = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    return asked.map((before) => Math.round((before - now) / hourMs));
  };
  retention.note('default', now + 1_000 * hourMs);
  expect(await hours()).toEqual([-1]);
  retention.note('default', now - 5 * hourMs);
  expect(await hours()).toEqual([-6]);
  retention.close();
  expect(await hours()).toEqual([]);
});

test('a stream that cannot be trimmed is told once, and written once', async () => {
  const problems: string[] = [];
  const { redis, appender } = open();
  const tenant = newTenant();
  let broken = true;
  const client: DecisionAppender = {
    ...appender,
    trim: (...args) => (broken ? Promise.reject(new Error('NOPERM')) : appender.trim(...args)),
  };
  const sink = createRedisSink(client, { maxEntries: 1, onProblem: (problem) => problems.push(problem) });
  for (let i = 0; i < 3; i++) expect(await sink.write(batchOf(tenant, lines(2)))).toEqual([]);
  expect(problems).toEqual(['the stream of decisions is not trimmed: NOPERM']);
  expect(await redis.xlen(keyOf(tenant))).toBe(6);
  broken = false;
  await sink.write(batchOf(tenant, lines(1)));
  broken = true;
  await sink.write(batchOf(tenant, lines(1)));
  expect(problems).toHaveLength(2);
});

describeWithRedis7('as the shipped user of a sidecar', () => {
  test('decisions are written, and trimmed by length and by age', async () => {
    const server = await startRedis({ config: { aclfile: join(import.meta.dirname, '../../deploy/redis/users.acl') } });
    cleanups.push(() => server.stop());
    await asAdmin(server.url, async (admin) => {
      await admin.acl('SETUSER', 'postern-sidecar', 'on', '>s3cret');
      await fill(admin as Redis, 'acme', [48]);
    });
    const problems: string[] = [];
    const sink = createRedisSink(open(server.url.replace('//', '//postern-sidecar:s3cret@')).appender, {
      maxEntries: 1_000,
      maxAgeMs: 24 * hourMs,
      everyMs: 5,
      onProblem: (problem) => problems.push(problem),
    });
    cleanups.push(() => sink.close());
    await sink.write(batchOf('acme', lines(900)));
    await vi.waitFor(() =>
      asAdmin(server.url, async (admin) => expect(await admin.xlen(keyOf('acme'))).toBeLessThan(1_000)),
    );
    expect(problems).toEqual([]);
    expect(await asAdmin(server.url, (admin) => admin.acl('LOG'))).toEqual([]);
  });
});

describeWithOwnRedis('what Redis refuses', () => {
  const long = 'x'.repeat(1024 * 1024 + 1);

  test.for([
    { limit: 'proto-max-bulk-len', says: 'with an answer' },
    { limit: 'client-query-buffer-limit', says: 'without a word' },
  ])('of one record, by $limit, $says, costs the others nothing', async ({ limit }) => {
    const server = await startRedis({ config: { [limit]: '1mb' } });
    cleanups.push(() => server.stop());
    const { redis, appender } = open(server.url);
    const batch = batchOf('default', [...lines(3), long, ...lines(3), long]);
    expect(await createRedisSink(appender).write(batch)).toEqual([3, 7]);
    const kept = (await redis.xrange(keyOf('default'), '-', '+')).map(([, fields]) => fields[1]);
    expect(kept).toEqual([...lines(3), ...lines(3)]);
  });

  test('of many at once, because memory is full, fails the whole batch', async () => {
    const server = await startRedis({ config: { maxmemory: '3mb' } });
    cleanups.push(() => server.stop());
    const { redis, appender } = open(server.url);
    await redis.set('others', 'x'.repeat(4_000_000)).catch(() => {});
    const sink = createRedisSink(appender);
    await expect(sink.write(batchOf('default', [...lines(3), long]))).rejects.toThrow('OOM');
    await redis.config('SET', 'maxmemory', '0');
    expect(await sink.write(batchOf('default', [...lines(3), long]))).toEqual([]);
  });

  test('of everything, on a replica or where the key has another type, fails the whole batch', async () => {
    const server = await startRedis();
    cleanups.push(() => server.stop());
    const { redis, appender } = open(server.url);
    const sink = createRedisSink(appender);
    await redis.set(keyOf('other'), 'not yours');
    await expect(sink.write(batchOf('other', [...lines(3), long]))).rejects.toThrow('another type');
    await asAdmin(server.url, (admin) => admin.replicaof('127.0.0.1', '1'));
    await expect(sink.write(batchOf('default', [...lines(3), long]))).rejects.toThrow('READONLY');
    await asAdmin(server.url, (admin) => admin.replicaof('NO', 'ONE'));
    await vi.waitFor(async () => expect(await sink.write(batchOf('default', [...lines(3), long]))).toEqual([]));
  });

  test('because it is gone, while a long record is sent, is no refusal', async () => {
    const server = await startRedis({ config: { 'client-query-buffer-limit': '1mb' } });
    cleanups.push(() => server.stop());
    const { appender } = open(server.url);
    await appender.append('default', '{}\n');
    await server.kill();
    await expect(createRedisSink(appender).write(batchOf('default', [long]))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });
});
