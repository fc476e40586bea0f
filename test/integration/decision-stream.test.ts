// Decisions in a real Redis: trimming, reading, following, and a Redis that goes away and comes back.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Redis } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import type { BufferedDecisionLog } from '../../src/decision-log/buffered-log.ts';
import type { Garbage, ReadOptions, ReadRecord } from '../../src/decision-log/filter.ts';
import { readStream } from '../../src/decision-log/read-stream.ts';
import { createRedisSink } from '../../src/decision-log/sinks/redis.ts';
import { type Connection, connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender, createDecisionStreamReader } from '../../src/store/redis/decision-client.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { createDirectLog, decisionEntry, numbersOf, toArray } from '../decision-log/entries.ts';
import { describeWithOwnRedis, sharedRedisUrl, startRedis } from '../setup/redis-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let tenants = 0;
const newTenant = () => `stream-${process.pid}-${++tenants}`;

function open(url: string) {
  const connection = connect(parseRedisUrl(url));
  const reader = createDecisionStreamReader(connection.client);
  cleanups.push(async () => {
    await reader.close();
    connection.close();
  });
  return { connection, redis: connection.client as Redis, reader };
}

function createLog(connection: Connection, maxEntries = 0) {
  const sink = createRedisSink(createDecisionAppender(connection), { maxEntries });
  const log = createDirectLog(sink);
  cleanups.push(() => log.close(100));
  return log;
}

async function write(log: BufferedDecisionLog, tenant: string, count: number, allowed = true) {
  for (let i = 0; i < count; i++) log.append(decisionEntry({ tenant, allowed, enforcedAllowed: allowed }));
  await log.flush(10_000);
}

async function collect(url: string, tenant: string, options: Partial<ReadOptions>) {
  const read = await toArray(
    readStream(open(url).reader, tenant, { from: 'start', follow: false, filter: {}, ...options }),
  );
  return numbersOf(read.map((one) => one.record));
}

test('a stream is trimmed to about its limit, from the oldest on', async () => {
  const tenant = newTenant();
  const { connection } = open(sharedRedisUrl());
  await write(createLog(connection, 1_000), tenant, 5_000);
  const numbers = await collect(sharedRedisUrl(), tenant, {});
  expect(numbers.at(-1)).toBe(5_000);
  expect(numbers.length).toBeGreaterThanOrEqual(1_000);
  expect(numbers.length).toBeLessThan(1_500);
});

test('all of a stream is read, page by page', async () => {
  const tenant = newTenant();
  await write(createLog(open(sharedRedisUrl()).connection), tenant, 2_345);
  expect(await collect(sharedRedisUrl(), tenant, {})).toEqual(Array.from({ length: 2_345 }, (_, i) => i + 1));
});

test('a number gives the newest records that match, however far back they are', async () => {
  const tenant = newTenant();
  const log = createLog(open(sharedRedisUrl()).connection);
  await write(log, tenant, 3, false);
  await write(log, tenant, 2_500);
  expect(await collect(sharedRedisUrl(), tenant, { from: 3 })).toEqual([2_501, 2_502, 2_503]);
  expect(await collect(sharedRedisUrl(), tenant, { from: 2, filter: { allowed: false } })).toEqual([2, 3]);
  expect(await collect(sharedRedisUrl(), tenant, { from: 9, filter: { allowed: false } })).toEqual([1, 2, 3]);
});

test('a tenant without decisions has an empty stream', async () => {
  expect(await collect(sharedRedisUrl(), newTenant(), {})).toEqual([]);
  expect(await collect(sharedRedisUrl(), newTenant(), { from: 10 })).toEqual([]);
});

test('an entry of somebody else is reported with its id, and skipped', async () => {
  const tenant = newTenant();
  const { connection, redis } = open(sharedRedisUrl());
  const log = createLog(connection);
  await write(log, tenant, 1);
  const id = await redis.xadd(tenantKeys(tenant).decisions, '*', 'other', 'thing');
  await write(log, tenant, 1);
  const garbage: Garbage[] = [];
  expect(await collect(sharedRedisUrl(), tenant, { onGarbage: (one) => garbage.push(one) })).toEqual([1, 2]);
  expect(garbage).toEqual([{ where: id, problem: 'record "" is not JSON' }]);
});

test('following from the end gives what is written from then on', async () => {
  const tenant = newTenant();
  const { connection, redis, reader } = open(sharedRedisUrl());
  const log = createLog(connection);
  await write(log, tenant, 3);
  const abort = new AbortController();
  const records = readStream(reader, tenant, { from: 'end', follow: true, signal: abort.signal });
  const next = records.next();
  await vi.waitFor(async () => expect(await redis.info('clients')).toMatch(/blocked_clients:[1-9]/));
  await write(log, tenant, 1);
  expect(numbersOf([((await next).value as ReadRecord).record])).toEqual([4]);
  abort.abort();
  expect((await records.next()).done).toBe(true);
});

test('a Redis that cannot be reached is an error where nothing is followed', async () => {
  const { reader } = open('redis://127.0.0.1:1');
  await expect(toArray(readStream(reader, 'default', { from: 'start', follow: false }))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
});

test('a log whose Sentinels were all away writes again when one is back', async () => {
  const tenant = newTenant();
  const sentinel = createSentinel(new URL(sharedRedisUrl()));
  const port = await listen(sentinel, 0);
  await closed(sentinel);
  const log = createLog(open(`redis+sentinel://127.0.0.1:${port}/primary`).connection);
  log.append(decisionEntry({ tenant }));
  await vi.waitFor(() => expect(log.stats().failedWrites).toBeGreaterThan(2));
  await listen(sentinel, port);
  cleanups.push(() => closed(sentinel));
  await log.flush(10_000);
  expect(log.stats()).toMatchObject({ written: 1, dropped: 0 });
  expect(await collect(sharedRedisUrl(), tenant, {})).toEqual([1]);
});

test('a stream of another type is told with its key, and what that means', async () => {
  const tenant = newTenant();
  const { connection, redis } = open(sharedRedisUrl());
  await redis.set(tenantKeys(tenant).decisions, 'not yours');
  await expect(createDecisionAppender(connection).append(tenant, '{}\n')).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    metadata: { where: tenantKeys(tenant).decisions },
  });
});

/** As much of a Sentinel as a client asks for: it names this one primary. */
function createSentinel({ hostname, port }: URL): Server {
  return createServer((socket) => {
    cleanups.push(async () => void socket.destroy());
    socket.on('error', () => {});
    socket.on('data', (commands) => {
      for (const command of String(commands)
        .split(/^\*[0-9]+\r\n/m)
        .slice(1)) {
        const isAddress = /get-master-addr-by-name/i.test(command);
        const reply = [hostname, port].map((text) => `$${text.length}\r\n${text}\r\n`).join('');
        socket.write(isAddress ? `*2\r\n${reply}` : /sentinels/i.test(command) ? '*0\r\n' : '+OK\r\n');
      }
    });
  });
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

describeWithOwnRedis('a Redis that goes away', () => {
  test('loses no decision that fits into the buffer, and a follower none that was written', async () => {
    const server = await startRedis({ persistent: true });
    cleanups.push(() => server.stop());
    const { connection, reader } = open(server.url);
    const log = createLog(connection);
    const abort = new AbortController();
    const problems: string[] = [];
    const records = readStream(reader, 'default', {
      from: 'start',
      follow: true,
      filter: {},
      signal: abort.signal,
      onProblem: (problem) => problems.push(problem),
    });
    const seen = new Set<number | string>();
    const following = (async () => {
      for await (const { record } of records) for (const number of numbersOf([record])) seen.add(number);
    })();

    await write(log, 'default', 10);
    await vi.waitFor(() => expect(seen.size).toBe(10));
    await server.kill();
    for (let i = 0; i < 500; i++) log.append(decisionEntry());
    await vi.waitFor(() => expect(log.stats().failedWrites).toBeGreaterThan(1), { timeout: 10_000 });
    await vi.waitFor(() => expect(problems).not.toEqual([]), { timeout: 10_000 });
    expect(log.stats()).toMatchObject({ written: 10, dropped: 0, pendingRecords: 500 });

    await server.restart();
    await log.flush(10_000);
    expect(log.stats()).toMatchObject({ appended: 510, written: 510, dropped: 0 });
    await vi.waitFor(() => expect(seen.size).toBe(510), { timeout: 10_000 });
    expect([...seen].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 510 }, (_, i) => i + 1));
    abort.abort();
    await following;
  });
});
