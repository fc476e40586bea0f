// Redis is gone for a while, in each mode of the log, with the real command before it: every answer is read afterwards or
// stands in a gap, memory stays within its bound, and what was on disk at an orderly end comes with the next start.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeWithOwnRedis, type RedisServer, startRedis } from '../setup/redis-server.ts';
import { type Serving, serve } from '../setup/serve-process.ts';
import { ask } from './asking.ts';
import { loadInto } from './log-crash-policy.ts';
import { readStream, upTo } from './reading-back.ts';

vi.setConfig({ testTimeout: 120_000 });

const mebibyte = 2 ** 20;
/** More than fit into the least memory that may be had, and the least spool. */
const overflowing = 12_000;

const closers: (() => Promise<unknown>)[] = [];
let directory = '';
let redis: RedisServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-outage-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function start(mode: string, ...more: string[]): Promise<Serving> {
  const spool = mode === 'spool' ? [`--decision-log-spool-dir=${directory}/spool`] : [];
  const bounds = ['--decision-log-buffer-bytes=1MiB', '--instance=outage', '--drain-timeout=8s'];
  return serve([`--redis=${redis.url}`, `--decision-log-mode=${mode}`, ...bounds, ...spool, ...more]);
}

describeWithOwnRedis('an outage of Redis', () => {
  beforeEach(async () => {
    redis = await startRedis({ persistent: true });
    closers.push(() => redis.stop());
    await loadInto(redis.url);
  });

  test.each([
    ['spool', 'spool_full'],
    ['drop-oldest', 'buffer_full'],
    ['drop-newest', 'buffer_full'],
  ])('in mode %s leaves a record or a gap for every answer', async (mode, cause) => {
    const sidecar = await start(mode, ...(mode === 'spool' ? ['--decision-log-spool-bytes=1MiB'] : []));
    const asking = ask(sidecar.address);
    await asking.more(1_000);
    const residentBefore = await sidecar.residentBytes();
    await redis.kill();
    await asking.more(overflowing);
    const pending = (await sidecar.metrics()).get('postern_decision_log_pending_bytes') ?? Number.NaN;
    const grown = (await sidecar.residentBytes()) - residentBefore;
    await redis.restart();
    await asking.more(1_000);
    await asking.stop();
    expect(await sidecar.stop()).toBe(0);

    const account = await readStream(redis.url);
    const { numbers, gaps, report, missingOf } = account;
    expect(report.problems).toEqual([]);
    expect([...gaps.keys()]).toEqual([cause]);
    const lost = gaps.get(cause)?.length ?? 0;
    expect(lost).toBeGreaterThan(1_000);
    expect(account.accountedNumbers()).toBe(asking.answered.length);
    expect(numbers.length + lost).toBe(asking.answered.length);
    expect(missingOf(asking.answered)).toHaveLength(lost);
    expect(pending).toBeLessThan(1.1 * mebibyte);
    expect(grown).toBeLessThan(96 * mebibyte);
    const resident = `${Math.round(grown / mebibyte)} MiB more memory`;
    console.info(
      `outage in mode ${mode}: ${asking.answered.length} = ${numbers.length} read + ${lost} in gaps; ${resident}`,
    );
  });

  test('in mode block has questions wait and then end with LOG_FULL, and costs no record', async () => {
    const sidecar = await start('block');
    const asking = ask(sidecar.address, { deadlineMs: 1_500 });
    await asking.more(1_000);
    await redis.kill();
    await vi.waitFor(() => expect(asking.errors.get('LOG_FULL')).toBeGreaterThan(10), { timeout: 60_000 });
    const atStandstill = asking.answered.length;
    const pending = (await sidecar.metrics()).get('postern_decision_log_pending_bytes') ?? Number.NaN;
    await redis.restart();
    await asking.more(1_000);
    await asking.stop();
    expect(await sidecar.stop()).toBe(0);

    const account = await readStream(redis.url);
    expect(account.report.problems).toEqual([]);
    expect(account.gaps.size).toBe(0);
    expect(account.missingOf(asking.answered)).toEqual([]);
    expect(pending).toBeLessThan(1.5 * mebibyte);
    const told = `${atStandstill} before it stood still, ${asking.errors.get('LOG_FULL')} times LOG_FULL`;
    console.info(`outage in mode block: ${asking.answered.length} answered, all read; ${told}`);
  });

  test('in which the process is ended leaves on disk what the next one delivers', async () => {
    const first = await start('spool', '--drain-timeout=100ms');
    const asking = ask(first.address);
    await asking.more(1_000);
    await redis.kill();
    await asking.more(5_000);
    await asking.stop();
    expect(await first.stop()).toBe(0);
    expect(first.said.join('\n')).toContain('are left on disk');
    await redis.restart();
    const second = await start('spool');
    expect(await second.stop()).toBe(0);

    const { numbers, report, missingOf, repeated, starts } = await readStream(redis.url);
    expect(report.problems).toEqual([]);
    expect(missingOf(asking.answered)).toEqual([]);
    expect(numbers).toEqual(upTo(asking.answered.length));
    // The second one decided nothing, and so has nothing to say.
    expect(starts).toHaveLength(1);
    console.info(`ended in an outage, spool: lost 0 of ${asking.answered.length}; ${repeated} lines came twice`);
  });
});
