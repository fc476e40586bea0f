// kill -9 of the Redis that keeps the decision log, at full load, with the real command before it. What Redis keeps, the
// log keeps; what Redis had acknowledged and forgot is gone, and a reader sees which numbers.
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeWithOwnRedis, type RedisOptions, startRedis } from '../setup/redis-server.ts';
import { type Serving, serve } from '../setup/serve-process.ts';
import { ask } from './asking.ts';
import { loadInto } from './log-crash-policy.ts';
import { readStream, upTo } from './reading-back.ts';

vi.setConfig({ testTimeout: 120_000 });

const closers: (() => Promise<unknown>)[] = [];
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Kills Redis under load, does something to what it left, and starts it again; load goes on all the while. */
async function killRedis(options: RedisOptions, between: (redisDirectory: string) => Promise<void> = async () => {}) {
  const redis = await startRedis(options);
  closers.push(() => redis.stop());
  await loadInto(redis.url);
  const flags = [`--redis=${redis.url}`, '--instance=crash', `--decision-log-spool-dir=${directory}/spool`];
  const sidecar: Serving = await serve(flags);
  const asking = ask(sidecar.address);
  await asking.more(3_000);
  await redis.kill();
  const before = [...asking.answered];
  await between(redis.directory);
  await asking.more(1_000);
  await redis.restart();
  if (options.persistent !== true) await loadInto(redis.url);
  await asking.more(1_000);
  await asking.stop();
  expect(await sidecar.stop()).toBe(0);
  return { before, answered: asking.answered, account: await readStream(redis.url) };
}

describeWithOwnRedis('the log in a Redis that is killed', () => {
  test('loses nothing where Redis syncs every write', async () => {
    const { answered, account } = await killRedis({ persistent: true });
    const { numbers, report, missingOf, repeated } = account;
    expect(report.problems).toEqual([]);
    expect(missingOf(answered)).toEqual([]);
    expect(numbers).toEqual(upTo(answered.length));
    console.info(`kill -9 of Redis, appendfsync always: lost 0 of ${answered.length}; ${repeated} lines came twice`);
  });

  test('misses what Redis acknowledged and forgot where it syncs every second, and the verification names it', async () => {
    const options = { persistent: true, config: { appendfsync: 'everysec' } };
    // The death of the machine, not only of the process: the end of the file did not reach the disk.
    const { before, answered, account } = await killRedis(options, async (redisDirectory) => {
      const files = join(redisDirectory, 'appendonlydir');
      const name = (await readdir(files)).find((each) => each.endsWith('.incr.aof')) as string;
      const { size } = await stat(join(files, name));
      await truncate(join(files, name), size - 200_000);
    });
    const { numbers, report, missingOf } = account;
    const lost = missingOf(answered);
    expect(lost.length).toBeGreaterThan(0);
    expect(before).toEqual(expect.arrayContaining(lost));
    // One hole, with its numbers; what comes behind it is in order.
    expect(report.problems).toHaveLength(1);
    expect(report.problems[0]).toMatchObject({ kind: 'missing', tenant: 'default', instance: 'crash' });
    const missing = upTo(numbers.at(-1) as number).filter((n) => !numbers.includes(n));
    expect(missing).toEqual(upTo(missing.at(-1) as number, missing[0]));
    expect(missing.length).toBe(lost.length);
    console.info(
      `kill -9 of Redis, appendfsync everysec, 200 kB not on disk: lost ${lost.length} of ${answered.length}: ${report.problems[0]?.found}`,
    );
  });

  test('begins in the middle where Redis keeps nothing', async () => {
    const { before, answered, account } = await killRedis({});
    const { numbers, report, missingOf } = account;
    const lost = missingOf(answered);
    expect(before).toEqual(expect.arrayContaining(lost));
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ begins: 'middle', firstSeq: lost.length + 1 }]);
    expect(numbers).toEqual(upTo(answered.length, lost.length + 1));
    console.info(`kill -9 of Redis, nothing on disk: lost ${lost.length} of ${answered.length}`);
  });
});
