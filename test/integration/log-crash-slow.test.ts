// Where decisions go is slow, or does not answer at all: Redis behind a network that says nothing, and a disk on which
// no write ends. Answers go on, and when it is over nothing is missing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startFaultProxy } from '../setup/fault-proxy.ts';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';
import { type Serving, serve } from '../setup/serve-process.ts';
import { mountFreezingDisk } from '../setup/small-disk.ts';
import { ask } from './asking.ts';
import { loadInto, policy } from './log-crash-policy.ts';
import { readFiles, readStream, upTo } from './reading-back.ts';

vi.setConfig({ testTimeout: 120_000 });

const closers: (() => Promise<unknown>)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-slow-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'policy.yaml'), policy);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function counted(sidecar: Serving, name: string): Promise<number> {
  return (await sidecar.metrics()).get(`postern_decision_log_${name}`) ?? Number.NaN;
}

describeWithOwnRedis('a Redis', () => {
  test.each(['far away', 'silent'])('that is %s holds up no answer, and gets every record', async (fault) => {
    const redis = await startRedis({ persistent: true });
    closers.push(() => redis.stop());
    await loadInto(redis.url);
    const proxy = await startFaultProxy(redis.port);
    closers.push(() => proxy.close());
    const url = `redis://127.0.0.1:${proxy.port}`;
    const sidecar = await serve([`--redis=${url}`, '--instance=slow', `--decision-log-spool-dir=${directory}/spool`]);
    const asking = ask(sidecar.address);
    await asking.more(500);
    if (fault === 'silent') proxy.silence();
    else proxy.delay(1_000);
    const before = await counted(sidecar, 'delivered_total');
    // None of these waits for a write: what is under way is not answered within the time that they take together.
    await asking.more(3_000);
    const delivered = (await counted(sidecar, 'delivered_total')) - before;
    await proxy.restore();
    await asking.more(500);
    await asking.stop();
    expect(await sidecar.stop()).toBe(0);
    const { numbers, report, missingOf } = await readStream(redis.url);
    expect(report.problems).toEqual([]);
    expect(missingOf(asking.answered)).toEqual([]);
    expect(numbers).toEqual(upTo(asking.answered.length));
    if (fault === 'silent') expect(delivered).toBeLessThan(1_500);
    console.info(`Redis ${fault}: lost 0 of ${asking.answered.length}; ${delivered} of 3000 delivered meanwhile`);
  });
});

test('a disk on which no write ends holds up no answer', async ({ skip }) => {
  const disk = await mountFreezingDisk();
  if (disk === undefined) return skip('needs root, a loop device and fsfreeze');
  closers.push(() => disk.remove());
  const places = [`--decision-log-dir=${directory}/log`, `--decision-log-spool-dir=${disk.directory}/spool`];
  const bounds = ['--instance=slow', '--decision-log-buffer-bytes=1MiB'];
  const sidecar = await serve([`--policy=${directory}/policy.yaml`, ...places, ...bounds]);
  const asking = ask(sidecar.address);
  await asking.more(500);
  await disk.freeze();
  // More than fits into memory.
  await asking.more(6_000);
  const written = await counted(sidecar, 'written_total');
  await asking.more(1_000);
  expect(await counted(sidecar, 'written_total')).toBe(written);
  await disk.thaw();
  await asking.more(500);
  await asking.stop();
  expect(await sidecar.stop()).toBe(0);
  const account = await readFiles(join(directory, 'log'));
  expect(account.report.problems).toEqual([]);
  const lost = account.gaps.get('spool_full')?.length ?? 0;
  expect(account.accountedNumbers()).toBe(asking.answered.length);
  expect(account.missingOf(asking.answered)).toHaveLength(lost);
  console.info(`disk frozen: ${asking.answered.length} = ${account.numbers.length} read + ${lost} in gaps`);
});
