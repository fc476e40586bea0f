// Two processes under one name, and a stream that is trimmed while nobody reads: with the real command.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';
import { serve } from '../setup/serve-process.ts';
import { ask } from './asking.ts';
import { loadInto, policy } from './log-crash-policy.ts';
import { readFiles, readStream, upTo } from './reading-back.ts';

vi.setConfig({ testTimeout: 120_000 });

const closers: (() => Promise<unknown>)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-names-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'policy.yaml'), policy);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startRedisWithPolicy(): Promise<string> {
  const redis = await startRedis();
  closers.push(() => redis.stop());
  await loadInto(redis.url);
  return redis.url;
}

test('a second process of one name and one spool does not start; one without a name takes another', async () => {
  const shared = [`--policy=${directory}/policy.yaml`, `--decision-log-dir=${directory}/log`];
  const first = await serve([...shared, '--instance=twin']);
  await expect(serve([...shared, '--instance=twin'])).rejects.toThrow('another process is running as instance twin');
  const other = await serve(shared);
  for (const sidecar of [first, other]) {
    const asking = ask(sidecar.address);
    await asking.more(300);
    await asking.stop();
    await sidecar.kill();
  }
  // Both are dead: each name can be had again, by name and without.
  const again = await serve([...shared, '--instance=twin']);
  const unnamed = await serve(shared);
  expect([await again.stop(), await unnamed.stop()]).toEqual([0, 0]);
  const { report, starts } = await readFiles(join(directory, 'log'));
  expect(report.problems).toEqual([]);
  const instances = new Set(starts.map(({ instance }) => instance));
  expect(instances.size).toBe(2);
  expect(starts.map(({ after }) => after).sort()).toEqual(['crash', 'crash', 'nothing', 'nothing']);
});

describeWithOwnRedis('in Redis', () => {
  test('two processes of one name that cannot see each other are found by whoever verifies', async () => {
    const url = await startRedisWithPolicy();
    const spools = ['one', 'other'].map((name) => `--decision-log-spool-dir=${directory}/${name}`);
    const sidecars = await Promise.all(spools.map((spool) => serve([`--redis=${url}`, '--instance=twin', spool])));
    const answered: string[] = [];
    for (const sidecar of sidecars) {
      const asking = ask(sidecar.address);
      await asking.more(300);
      await asking.stop();
      answered.push(...asking.answered);
    }
    for (const sidecar of sidecars) expect(await sidecar.stop()).toBe(0);
    const { report, missingOf } = await readStream(url);
    expect(missingOf(answered)).toEqual([]);
    expect(report.ok).toBe(false);
    expect(report.problems.map(({ kind }) => kind)).toContain('fork');
  });

  test('a stream that is trimmed while nobody reads begins in the middle, and is whole from there', async () => {
    const url = await startRedisWithPolicy();
    const places = [`--decision-log-spool-dir=${directory}/spool`, '--decision-log-max-entries=1000'];
    const sidecar = await serve([`--redis=${url}`, '--instance=trimmed', ...places]);
    const asking = ask(sidecar.address);
    await asking.more(5_000);
    await asking.stop();
    expect(await sidecar.stop()).toBe(0);
    const { numbers, report } = await readStream(url);
    expect(report.problems).toEqual([]);
    const [first = 0] = numbers;
    expect(report.chains).toMatchObject([{ begins: 'middle', firstSeq: first }]);
    expect(numbers).toEqual(upTo(asking.answered.length, first));
    expect(numbers.length).toBeGreaterThanOrEqual(990);
    console.info(
      `stream trimmed: ${asking.answered.length} answered, the first ${first - 1} let go, ${numbers.length} read`,
    );
  });
});
