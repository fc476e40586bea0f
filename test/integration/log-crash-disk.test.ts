// Disks that are full, with the real command: that of the spool, and that of the files where decisions go. What finds no
// room stands in a gap, nothing is torn, and when there is room again the log goes on, also where what filled the disk
// was the spool itself.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';
import { type Serving, serve } from '../setup/serve-process.ts';
import { canMountDisks, mountSmallDisk, type SmallDisk } from '../setup/small-disk.ts';
import { ask } from './asking.ts';
import { loadInto, policy } from './log-crash-policy.ts';
import { type Account, readFiles, readStream, upTo } from './reading-back.ts';

vi.setConfig({ testTimeout: 120_000 });

const kibibyte = 1024;
const closers: (() => Promise<unknown>)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-disks-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'policy.yaml'), policy);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const bounds = ['--instance=disk', '--decision-log-buffer-bytes=1MiB'];

async function smallDisk(bytes: number): Promise<SmallDisk> {
  const disk = await mountSmallDisk(bytes);
  closers.push(() => disk.remove());
  return disk;
}

async function untilSaid(sidecar: Serving, words: string): Promise<void> {
  await vi.waitFor(() => expect(sidecar.said.join('\n')).toContain(words), { timeout: 60_000 });
}

async function untilDelivered(sidecar: Serving): Promise<void> {
  const waiting = async () => {
    const metrics = await sidecar.metrics();
    return ['pending_records', 'spool_bytes'].map((name) => metrics.get(`postern_decision_log_${name}`));
  };
  await vi.waitFor(async () => expect(await waiting()).toEqual([0, 0]), { timeout: 60_000 });
}

function expectAccounted(what: string, answered: readonly string[], account: Account): void {
  const { numbers, gaps, report, missingOf, torn } = account;
  expect(report.problems).toEqual([]);
  expect(torn).toBe(0);
  const lost = gaps.get('spool_full')?.length ?? 0;
  expect(account.accountedNumbers()).toBe(answered.length);
  expect(missingOf(answered)).toHaveLength(lost);
  console.info(`${what}: ${answered.length} = ${numbers.length} read + ${lost} in gaps`);
}

describe.skipIf(!canMountDisks)('a disk that is full', () => {
  describeWithOwnRedis('under the spool', () => {
    test('costs the newest answers while Redis is gone, and none when Redis is back, since what it has is given back', async () => {
      const disk = await smallDisk(1024 * kibibyte);
      const redis = await startRedis({ persistent: true });
      closers.push(() => redis.stop());
      await loadInto(redis.url);
      const flags = [`--redis=${redis.url}`, `--decision-log-spool-dir=${disk.directory}/spool`, ...bounds];
      const sidecar = await serve(flags);
      const before = ask(sidecar.address);
      await before.more(500);
      await redis.kill();
      await untilSaid(sidecar, 'cannot be used');
      await before.more(5_000);
      await before.stop();
      await redis.restart();
      await untilSaid(sidecar, 'works again');
      const after = ask(sidecar.address);
      await after.more(500);
      await after.stop();
      await untilDelivered(sidecar);
      expect(await sidecar.stop()).toBe(0);
      const account = await readStream(redis.url);
      expect([...account.gaps.keys()]).toEqual(['spool_full']);
      expectAccounted('spool disk full, Redis gone', [...before.answered, ...after.answered], account);
    });
  });

  test('where decisions go costs nothing: they wait in the spool, and nothing is torn', async () => {
    const disk = await smallDisk(512 * kibibyte);
    const log = join(disk.directory, 'log');
    await mkdir(log);
    await disk.fill(100 * kibibyte);
    const places = [`--decision-log-dir=${log}`, `--decision-log-spool-dir=${directory}/spool`];
    const sidecar = await serve([`--policy=${directory}/policy.yaml`, ...places, ...bounds]);
    const asking = ask(sidecar.address, { batches: 1, single: 4, batchSize: 50 });
    await untilSaid(sidecar, 'cannot be brought to where they go');
    await asking.stop();
    await disk.clear();
    // What was answered until then may be more than fits: as an operator makes room, so does a larger disk.
    await disk.grow(64 * 1024 * kibibyte);
    await untilDelivered(sidecar);
    expect(await sidecar.stop()).toBe(0);
    const account = await readFiles(log);
    expect(account.numbers).toEqual(upTo(asking.answered.length));
    expectAccounted('file disk full', asking.answered, account);
  });
});

// For those who may not mount: a file that must not grow is refused in the same way, but never given room.
test('a limit on the size of files is told, and costs no answer', async () => {
  const limited = ['/bin/sh', '-c', 'ulimit -f 200; exec "$@"', 'limited'];
  const places = [`--decision-log-dir=${directory}/log`, `--decision-log-spool-dir=${directory}/spool`];
  const sidecar = await serve([`--policy=${directory}/policy.yaml`, ...places, ...bounds], { within: limited });
  const asking = ask(sidecar.address);
  await untilSaid(sidecar, 'EFBIG');
  await asking.more(2_000);
  await asking.stop();
  await sidecar.kill();
  // Started again without the limit, it delivers what had found room.
  const next = await serve([`--policy=${directory}/policy.yaml`, ...places, ...bounds]);
  expect(await next.stop()).toBe(0);
  const { numbers, report, starts, torn } = await readFiles(join(directory, 'log'));
  expect(report.problems).toEqual([]);
  expect(numbers).toEqual(upTo(numbers.length));
  expect(torn).toBe(0);
  expect(starts.at(-1)).toMatchObject({ after: 'crash', next: numbers.length + 1 });
  expect(starts.at(-1)).not.toHaveProperty('lost_ms');
});
