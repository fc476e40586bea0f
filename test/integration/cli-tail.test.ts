// postern tail as a process, against real Redis servers and sidecars: several tenants, what comes while it runs, and
// everything that can go away under it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { beforeEach, expect, test, vi } from 'vitest';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender } from '../../src/store/redis/decision-client.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { postern, startPostern } from '../cli/postern.ts';
import { decisionLine, gapLine } from '../decision-log/query/logs.ts';
import { unary } from '../server/grpc-client.ts';
import { describeWithOwnRedis, type RedisServer, startRedis } from '../setup/redis-server.ts';
import { operatorToken, useLogSidecars } from './log-sidecars.ts';

const { check } = DecisionService.method;
const question = { subject: 'user:alice', action: 'read', object: 'doc:1' };
const within = { timeout: 20_000 };
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

const { closers, load, start } = useLogSidecars();

interface Tail {
  readonly child: ChildProcess;
  /** "acme/3" for each decision, "acme/gap" for a gap. */
  readonly records: string[];
  readonly notes: () => string;
}

/** A tail that runs, and prints JSON. */
function tail(args: readonly string[], env: Readonly<Record<string, string>> = {}): Tail {
  const child = startPostern(['tail', '--json', ...args], { env });
  const records: string[] = [];
  let rest = '';
  let notes = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    const lines = (rest + String(bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { tenant, seq, type } = JSON.parse(line) as { tenant: string; seq?: number; type?: string };
      records.push(`${tenant}/${type ?? seq}`);
    }
  });
  child.stderr?.on('data', (bytes: Buffer) => (notes += String(bytes)));
  closers.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  return { child, records, notes: () => notes };
}

describeWithOwnRedis('postern tail', () => {
  let server: RedisServer;
  let redis: Redis;
  let append: (tenant: string, lines: readonly string[]) => Promise<void>;
  beforeEach(async () => {
    server = await startRedis({ persistent: true });
    closers.push(() => server.stop());
    const connection = connect(parseRedisUrl(server.url));
    closers.push(async () => connection.close());
    redis = connection.client as Redis;
    const appender = createDecisionAppender(connection);
    append = async (tenant, lines) => {
      await appender.append(tenant, lines.map((line) => `${line}\n`).join(''));
    };
  });
  const lines = (tenant: string, from: number, to: number) =>
    upTo(to)
      .slice(from - 1)
      .map((seq) => decisionLine('w', seq, { tenant }));

  test('follows the tenants that are named, and no others', async () => {
    for (const tenant of ['a', 'b', 'c']) await append(tenant, lines(tenant, 1, 2));
    const { records } = tail(['--redis', server.url, '--tenant', 'a', '--tenant', 'b', '-n', '1']);
    await vi.waitFor(() => expect([...records].sort()).toEqual(['a/2', 'b/2']), within);
    for (const tenant of ['a', 'b', 'c']) await append(tenant, lines(tenant, 3, 3));
    await vi.waitFor(() => expect([...records].sort()).toEqual(['a/2', 'a/3', 'b/2', 'b/3']), within);
  });

  test('of all tenants follows those that come, from their first record on, and shows gaps', async () => {
    await load(server.url, 'a');
    await append('a', lines('a', 1, 1));
    const { records } = tail(['--redis', server.url, '--tenant', '*', '--denied']);
    await append('a', [JSON.stringify({ ...JSON.parse(gapLine('w', 2, 3)), tenant: 'a' })]);
    await vi.waitFor(() => expect(records).toEqual(['a/gap']), within);
    await load(server.url, 'b');
    await append('b', [decisionLine('w', 1, { tenant: 'b', allowed: false })]);
    await vi.waitFor(() => expect(records).toEqual(['a/gap', 'b/1']), within);
  });

  test('goes on through the death of Redis: nothing is missing, and nothing comes twice', async () => {
    await append('a', lines('a', 1, 10));
    const { records, notes } = tail(['--redis', server.url, '--tenant', 'a', '--all']);
    await vi.waitFor(() => expect(records).toHaveLength(10), within);
    for (const round of [1, 2]) {
      await server.kill();
      await vi.waitFor(() => expect(notes().match(/trying again/g)).toHaveLength(round), within);
      await server.restart();
      // The connection of this test comes back in its own time.
      await vi.waitFor(() => append('a', lines('a', round * 10 + 1, round * 10 + 10)), within);
      await vi.waitFor(() => expect(records).toEqual(upTo(round * 10 + 10).map((n) => `a/${n}`)), within);
    }
    expect(notes()).toContain('reading again');
    expect(notes()).not.toContain('missing');
  });

  test('says how many records a trimmed stream may lack, and goes on behind them', async () => {
    await append('a', lines('a', 1, 10));
    const { records, notes } = tail(['--redis', server.url, '--tenant', 'a', '--all']);
    await vi.waitFor(() => expect(records).toHaveLength(10), within);
    const { decisions } = tenantKeys('a');
    const away = redis.multi();
    for (const line of lines('a', 11, 40)) away.xadd(decisions, '*', 'record', line);
    await away.xtrim(decisions, 'MAXLEN', 5).exec();
    await vi.waitFor(() => expect(records.slice(10)).toEqual([36, 37, 38, 39, 40].map((n) => `a/${n}`)), within);
    expect(notes()).toContain('tenant a: at least 25 records are missing');
  });

  test('through a sidecar takes a token, and goes on when the sidecar and Redis were gone', async () => {
    await load(server.url);
    const first = await start(server.url, 'one');
    const ask = async (client: typeof first.client, times: number) => {
      for (let i = 0; i < times; i++) {
        await unary(client, check, question);
      }
    };
    await ask(first.client, 5);
    const env = { POSTERN_TOKEN: operatorToken };
    const { records, notes } = tail(['--address', first.address, '--tenant', '*'], env);
    await vi.waitFor(() => expect(records).toEqual(upTo(5).map((n) => `default/${n}`)), within);
    await server.kill();
    await ask(first.client, 5);
    await server.restart();
    await vi.waitFor(() => expect(records).toEqual(upTo(10).map((n) => `default/${n}`)), within);
    await first.close();
    await vi.waitFor(() => expect(notes()).toMatch(/(shutting down|cannot reach).*trying again/), within);
    const second = await start(server.url, 'two', { grpcAddress: first.address });
    await ask(second.client, 3);
    const both = [...upTo(10), 1, 2, 3].map((n) => `default/${n}`);
    await vi.waitFor(() => expect(records).toEqual(both), within);
  });

  test('through a sidecar ends at the end where it does not follow, and is told what it may not', async () => {
    await load(server.url);
    const { address, client } = await start(server.url, 'one');
    await unary(client, check, question);
    const env = { POSTERN_TOKEN: operatorToken };
    await vi.waitFor(async () => {
      const { child, records } = tail(['--address', address, '--no-follow', '--all'], env);
      const [code] = (await once(child, 'close')) as [number];
      expect({ code, records }).toEqual({ code: 0, records: ['default/1'] });
    }, within);
    const nobody = tail(['--address', address, '--no-follow']);
    expect(await once(nobody.child, 'close')).toEqual([3, null]);
    expect(nobody.notes()).toContain('POSTERN_TOKEN');
    const denied = tail(['--address', address, '--no-follow', '--on-behalf-of', 'user:bob'], env);
    expect(await once(denied.child, 'close')).toEqual([3, null]);
    expect(denied.notes()).toMatch(/it takes the action .*read_decisions/);
  });

  test('what is read through a sidecar is all that it takes to verify the log', async () => {
    await load(server.url);
    const one = await start(server.url, 'one');
    for (let i = 0; i < 20; i++) await unary(one.client, check, question);
    await one.close();
    const { address } = await start(server.url, 'two');
    const args = ['tail', '--address', address, '--all', '--all-kinds', '--no-follow', '--json'];
    const directory = await mkdtemp(join(tmpdir(), 'postern-verify-'));
    closers.push(() => rm(directory, { recursive: true }));
    const file = join(directory, 'read.ndjson');
    const read = await postern(args, { env: { POSTERN_TOKEN: operatorToken } });
    await writeFile(file, read.stdout);
    const report = await postern(['audit', 'verify', '--dir', file]);
    expect(report).toMatchObject({ code: 0, stderr: '' });
    await writeFile(file, read.stdout.replace('"allowed":true', '"allowed":false'));
    expect((await postern(['audit', 'verify', '--dir', file])).code).toBe(1);
  });
});
