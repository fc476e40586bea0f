// DecisionLogService of whole sidecars over a real Redis: all instances in one answer, a Redis that dies, a stream that
// is trimmed while nobody reads, and users that may or may not read.
import { join } from 'node:path';
import { type Client, status } from '@grpc/grpc-js';
import type { Redis } from 'ioredis';
import { beforeEach, expect, test, vi } from 'vitest';
import { DecisionLogService } from '../../src/gen/postern/v1/decision_log_service_pb.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender } from '../../src/store/redis/decision-client.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { decisionLine } from '../decision-log/query/logs.ts';
import { unary } from '../server/grpc-client.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { describeWithOwnRedis, describeWithRedis7, type RedisServer, startRedis } from '../setup/redis-server.ts';
import { operatorToken, useLogSidecars } from './log-sidecars.ts';

const { check } = DecisionService.method;
const { query } = DecisionLogService.method;
const tenant = 'default';
const headers = { authorization: `Bearer ${operatorToken}` };
const question = { subject: 'user:alice', action: 'read', object: 'doc:1' };

const { closers, load, start } = useLogSidecars();
type Reads = Awaited<ReturnType<typeof start>>['reads'];

async function ask(client: Client, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await unary(client, check, question);
}

/** What a tail has heard so far. */
function listen(reads: Reads, request: object = {}) {
  const abort = new AbortController();
  const heard = { numbers: [] as number[], losses: [] as bigint[], problems: new Set<string>() };
  const ended = (async () => {
    const asked = { tenants: [tenant], start: { case: 'newest' as const, value: 1_000 }, ...request };
    for await (const { entries, losses, heartbeat } of reads.tail(asked, { headers, signal: abort.signal })) {
      for (const { record } of entries) if (record.case === 'decision') heard.numbers.push(Number(record.value.seq));
      heard.losses.push(...losses.map(({ atLeast }) => atLeast));
      if (heartbeat !== undefined && heartbeat.problem !== '') heard.problems.add(heartbeat.problem);
    }
  })().catch(() => {});
  closers.push(async () => {
    abort.abort();
    await ended;
  });
  return heard;
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const within = { timeout: 20_000 };

describeWithOwnRedis('a log in Redis', () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedis({ persistent: true });
    closers.push(() => server.stop());
    await load(server.url);
  });

  test('is read through any sidecar: the decisions of all, page by page', async () => {
    const one = await start(server.url, 'one');
    const other = await start(server.url, 'other');
    await ask(one.client, 20);
    await ask(other.client, 20);
    await vi.waitFor(async () => {
      const read: string[] = [];
      let pageToken = '';
      do {
        const page = await unary(one.client, query, { tenant, pageSize: 7, pageToken }, headers);
        for (const { record } of page.entries) {
          if (record.case === 'decision') read.push(`${record.value.origin?.instance}/${record.value.seq}`);
        }
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      expect(read.sort()).toEqual([...upTo(20).map((n) => `one/${n}`), ...upTo(20).map((n) => `other/${n}`)].sort());
    });
    const filter = { instance: 'other', action: 'read' };
    const [{ record } = expect.fail('nothing was read')] = (
      await unary(one.client, query, { tenant, filter, pageSize: 1 }, headers)
    ).entries;
    const id = record.case === 'decision' ? record.value.id : '';
    const { entries } = await unary(one.client, query, { tenant, filter: { id } }, headers);
    expect(entries).toHaveLength(1);
  });

  test('is followed through the death of Redis, without a record missing or twice', async () => {
    const { client, reads } = await start(server.url, 'one');
    await ask(client, 10);
    const heard = listen(reads);
    await vi.waitFor(() => expect(heard.numbers).toEqual(upTo(10)), within);
    await server.kill();
    await ask(client, 50);
    await vi.waitFor(() => expect([...heard.problems].join()).toContain('cannot read'), within);
    await server.restart();
    await vi.waitFor(() => expect(heard.numbers).toEqual(upTo(60)), within);
    await ask(client, 10);
    await vi.waitFor(() => expect(heard.numbers).toEqual(upTo(70)), within);
    expect(heard.losses).toEqual([]);
  });

  test('that was trimmed before it was read says how many are missing', async () => {
    const { reads } = await start(server.url, 'reader', { decisionLog: 'redis' });
    const connection = connect(parseRedisUrl(server.url));
    closers.push(async () => connection.close());
    const append = async (from: number, to: number) => {
      const lines = upTo(to).slice(from - 1);
      const text = lines.map((seq) => `${decisionLine('w', seq)}\n`).join('');
      await createDecisionAppender(connection).append(tenant, text);
    };
    await append(1, 10);
    const heard = listen(reads);
    await vi.waitFor(() => expect(heard.numbers).toEqual(upTo(10)), within);
    // In one step, as while a reader was away.
    const { decisions } = tenantKeys(tenant);
    const redis = connection.client as Redis;
    const multi = redis.multi();
    for (const seq of upTo(40).slice(10)) multi.xadd(decisions, '*', 'record', decisionLine('w', seq));
    await multi.xtrim(decisions, 'MAXLEN', 5).exec();
    await vi.waitFor(() => expect(heard.numbers).toEqual([...upTo(10), 36, 37, 38, 39, 40]), within);
    expect(heard.losses).toEqual([25n]);
  });

  test('that cannot be read is an error of the call, and not an empty log', async () => {
    const { client } = await start(server.url, 'one');
    await server.kill();
    await expect(unary(client, query, { tenant }, headers)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

describeWithRedis7('a sidecar as a shipped Redis user', () => {
  const aclfile = join(import.meta.dirname, '../../deploy/redis/users.acl');

  test('reads the log as postern-log-administrator, and as postern-administrator is told what it lacks', async () => {
    const server = await startRedis({ config: { aclfile } });
    closers.push(() => server.stop());
    const users = ['postern-administrator', 'postern-log-administrator'];
    await asAdmin(server.url, async (admin) => {
      for (const user of users) await admin.acl('SETUSER', user, 'on', '>s3cret');
    });
    const [plain = '', reading = ''] = users.map((user) => server.url.replace('//', `//${user}:s3cret@`));
    await load(plain);
    const reader = await start(reading, 'one');
    await ask(reader.client, 3);
    await vi.waitFor(async () => {
      expect((await unary(reader.client, query, { tenant }, headers)).entries.length).toBeGreaterThanOrEqual(3);
    });
    const other = await start(plain, 'two');
    await expect(unary(other.client, query, { tenant }, headers)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringMatching(/"postern-administrator" lacks.*users\.acl/),
    });
  });
});
