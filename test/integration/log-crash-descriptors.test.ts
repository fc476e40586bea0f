// A process that may open few files, and has more tenants than that: every answer is in the log, whichever tenant was asked,
// and after a crash as well. With the real command.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { createGrpcClient, unary } from '../server/grpc-client.ts';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';
import { type Serving, serve } from '../setup/serve-process.ts';
import { loadInto } from './log-crash-policy.ts';
import { readFiles, upTo } from './reading-back.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A process without tenants has some 40 open. */
const mostOpen = 100;
const tenants = Array.from({ length: 150 }, (_, i) => `tenant-${i}`);
const rounds = 6;
const closers: (() => Promise<unknown>)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-descriptors-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Asks for all tenants at once, a few times, over one connection; the ids by tenant. */
async function askAll({ address }: Serving, answered: Map<string, string[]>): Promise<void> {
  const client = createGrpcClient(address);
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      tenants.map(async (tenant) => {
        const question = { tenant, subject: 'user:alice', action: 'read', object: `doc:${round}` };
        const { decision } = await unary(client, DecisionService.method.check, question);
        answered.set(tenant, [...(answered.get(tenant) ?? []), decision?.decisionId ?? '']);
      }),
    );
  }
  client.close();
}

describeWithOwnRedis('with fewer files than tenants', () => {
  test.for(['10ms', '0ms'])('every answer is in the log, with an interval of %s', async (interval) => {
    const redis = await startRedis();
    closers.push(() => redis.stop());
    await loadInto(redis.url, tenants);
    const flags = [
      `--redis=${redis.url}`,
      `--tenant=${tenants.join(',')}`,
      '--instance=few',
      '--decision-log=file',
      `--decision-log-dir=${directory}/log`,
      `--decision-log-spool-dir=${directory}/spool`,
      `--decision-log-interval=${interval}`,
    ];
    const within = ['/bin/sh', '-c', `ulimit -n ${mostOpen}; exec "$@"`, 'limited'];
    const answered = new Map<string, string[]>();
    const first = await serve(flags, { within });
    await askAll(first, answered);
    const delivered = async () => (await first.metrics()).get('postern_decision_log_pending_records');
    await vi.waitFor(async () => expect(await delivered()).toBe(0), { timeout: 60_000 });
    await first.kill();
    const second = await serve(flags, { within });
    await askAll(second, answered);
    expect(await second.stop()).toBe(0);
    expect([...first.said, ...second.said].filter((text) => /EMFILE|cannot/.test(text))).toEqual([]);
    for (const tenant of tenants) {
      const account = await readFiles(join(directory, 'log'), tenant);
      const ids = answered.get(tenant) ?? [];
      expect(account.report.problems).toEqual([]);
      expect(account.missingOf(ids)).toEqual([]);
      expect(account.numbers).toEqual(upTo(2 * rounds));
      expect(account.torn).toBe(0);
    }
  });
});
