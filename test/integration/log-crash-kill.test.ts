// kill -9 of the whole command at full load, five times in a row, with the same spool: what was answered against what can
// be read. A record that is missing is newer than every record that is not, and the log says that there was a crash.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describeWithOwnRedis, startRedis } from '../setup/redis-server.ts';
import { serve } from '../setup/serve-process.ts';
import { ask } from './asking.ts';
import { loadInto, policy } from './log-crash-policy.ts';
import { type Account, type Line, readFiles, readStream, timeOf, upTo } from './reading-back.ts';

vi.setConfig({ testTimeout: 180_000 });

const kills = 5;
/** The default. */
const usualMs = 10;

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
  await writeFile(join(directory, 'policy.yaml'), policy);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Kills it under load again and again; then ends it in order, so that all that was kept is delivered. */
async function killAgainAndAgain(flags: readonly string[], intervalMs = usualMs) {
  const all = [
    '--instance=crash',
    `--decision-log-interval=${intervalMs}ms`,
    `--decision-log-spool-dir=${directory}/spool`,
  ];
  const rounds: (readonly string[])[] = [];
  for (let round = 1; round <= kills; round++) {
    const sidecar = await serve([...all, ...flags]);
    const asking = ask(sidecar.address, { single: 32, batches: 4, batchSize: 250 });
    // At another point of the batches and files each time.
    await asking.more(3_000 + 1_517 * round);
    await sidecar.kill();
    await asking.stop();
    rounds.push([...asking.answered]);
  }
  const last = await serve([...all, ...flags]);
  expect(await last.stop()).toBe(0);
  return rounds;
}

function expectAccounted(
  what: string,
  rounds: readonly (readonly string[])[],
  account: Account,
  intervalMs = usualMs,
): void {
  const { numbers, gaps, records, starts, repeated, torn, missingOf, report } = account;
  expect(report.problems).toEqual([]);
  expect(starts.map(({ after }) => after)).toEqual(['nothing', ...Array(kills).fill('crash')]);
  expect(starts.slice(1)).toEqual(Array(kills).fill(expect.objectContaining({ lost_ms: intervalMs })));
  // What was lost was never on disk, so that its numbers were given again; no number is missing or given twice.
  expect(numbers).toEqual(upTo(numbers.length));
  expect(gaps.size).toBe(0);
  expect(records.at(-1)).toMatchObject({ type: 'stop', last: numbers.length });
  const told: string[] = [];
  rounds.forEach((answered, round) => {
    const [begin, end] = [starts[round], starts[round + 1]].map((start) => records.indexOf(start as Line));
    const last = records.slice(begin, end).findLast(({ type }) => type === undefined)?.id as string;
    const lost = missingOf(answered).sort();
    expect(lost.filter((id) => id <= last)).toEqual([]);
    if (intervalMs === 0) expect(lost).toEqual([]);
    const span = lost.length === 0 ? 0 : timeOf(lost.at(-1) as string) - timeOf(last);
    told.push(`${lost.length} of ${answered.length} (${span} ms)`);
  });
  console.info(`${what}: lost ${told.join(', ')}; ${repeated} lines came twice, ${torn} torn`);
}

test('a sidecar that writes files loses only its newest answers, and says so', async () => {
  const rounds = await killAgainAndAgain([`--policy=${directory}/policy.yaml`, `--decision-log-dir=${directory}/log`]);
  expectAccounted('kill -9, spool, files', rounds, await readFiles(join(directory, 'log')));
});

test('one that writes each record before it answers loses none at all', async () => {
  const flags = [`--policy=${directory}/policy.yaml`, `--decision-log-dir=${directory}/log`];
  const rounds = await killAgainAndAgain(flags, 0);
  expectAccounted('kill -9, spool, written through', rounds, await readFiles(join(directory, 'log')), 0);
});

describeWithOwnRedis('with a stream in Redis', () => {
  test('it does the same', async () => {
    const redis = await startRedis();
    try {
      await loadInto(redis.url);
      const rounds = await killAgainAndAgain([`--redis=${redis.url}`]);
      expectAccounted('kill -9, spool, Redis', rounds, await readStream(redis.url));
    } finally {
      await redis.stop();
    }
  });
});
