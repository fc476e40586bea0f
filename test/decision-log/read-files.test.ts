import { appendFile, mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Garbage, ReadOptions, ReadRecord } from '../../src/decision-log/filter.ts';
import type { DecisionEntry } from '../../src/decision-log/log.ts';
import { readFiles } from '../../src/decision-log/read-files.ts';
import { createFileSink } from '../../src/decision-log/sinks/file.ts';
import { createLines, decisionEntry, numbersOf, someTime, toArray } from './entries.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-log-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function lines(instance: string, numbers: readonly number[], entry: Partial<DecisionEntry> = {}): string {
  const encoder = createLines(instance, entry.tenant ?? 'default');
  return numbers.map((seq) => encoder.decision(decisionEntry({ time: someTime + seq, ...entry }), seq)).join('');
}

const all: ReadOptions = { from: 'start', follow: false };

async function collect(path: string, options: Partial<ReadOptions> = {}): Promise<ReadRecord[]> {
  return toArray(readFiles(path, { ...all, ...options }));
}

async function numbers(path: string, options: Partial<ReadOptions> = {}) {
  return numbersOf((await collect(path, options)).map((read) => read.record));
}

/** Follows a log; `next` gives the numbers of the next so many records. */
function follow(path: string, options: Partial<ReadOptions> = {}) {
  const abort = new AbortController();
  const records = readFiles(path, { from: 'start', follow: true, signal: abort.signal, ...options });
  return {
    async next(count: number) {
      const read: ReadRecord[] = [];
      while (read.length < count) read.push((await records.next()).value as ReadRecord);
      return numbersOf(read.map((one) => one.record));
    },
    async stop() {
      abort.abort();
      return (await records.next()).done;
    },
  };
}

test('a file gives its records and the lines they were read from', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  await writeFile(path, lines('a', [1, 2]));
  const read = await collect(path);
  expect(numbersOf(read.map((one) => one.record))).toEqual([1, 2]);
  expect(read.map((one) => `${one.line}\n`).join('')).toBe(lines('a', [1, 2]));
});

test('a directory gives all tenants and instances in the order of time', async () => {
  await mkdir(join(directory, 'acme'));
  await writeFile(join(directory, 'acme', 'decisions-a.ndjson'), lines('a', [1, 4, 5], { tenant: 'acme' }));
  await writeFile(join(directory, 'decisions-b.ndjson'), lines('b', [2, 3, 6]));
  expect(await numbers(directory)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(await numbers(directory, { filter: { tenant: 'acme' } })).toEqual([1, 4, 5]);
});

test('what a file was rotated to comes before it, even if the clock went back', async () => {
  await writeFile(join(directory, 'decisions-a.000002.ndjson'), lines('a', [2], { time: someTime }));
  await writeFile(join(directory, 'decisions-a.000010.ndjson'), lines('a', [3], { time: someTime - 5_000 }));
  await writeFile(join(directory, 'decisions-a.ndjson'), lines('a', [4], { time: someTime - 9_000 }));
  await writeFile(join(directory, 'decisions-a.000001.ndjson'), lines('a', [1], { time: someTime }));
  expect(await numbers(directory)).toEqual([1, 2, 3, 4]);
  expect(await numbers(join(directory, 'decisions-a.ndjson'))).toEqual([1, 2, 3, 4]);
});

test('compressed files are read as what they hold', async () => {
  await writeFile(join(directory, 'decisions-a.000001.ndjson.gz'), gzipSync(lines('a', [1, 2])));
  await writeFile(join(directory, 'decisions-a.ndjson'), lines('a', [3]));
  expect(await numbers(directory)).toEqual([1, 2, 3]);
  await writeFile(join(directory, 'decisions-a.000001.ndjson.gz'), gzipSync(lines('a', [1, 2])).subarray(0, -20));
  await expect(collect(directory)).rejects.toMatchObject({
    message: expect.stringContaining('unexpected end of file'),
  });
});

test('garbage is reported with its place, and the records around it are read', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  const first = lines('a', [1]);
  await writeFile(path, `${first}{"half\n\n${lines('a', [2])}`);
  const garbage: Garbage[] = [];
  expect(await numbers(path, { onGarbage: (one) => garbage.push(one) })).toEqual([1, 2]);
  expect(garbage).toEqual([{ where: `${path}:${first.length}`, problem: 'record "{\\"half" is not JSON' }]);
});

test('a line without an end is not a record yet', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  await writeFile(path, lines('a', [1, 2]).slice(0, -1));
  expect(await numbers(path)).toEqual([1]);
});

test('a line of more than a megabyte is garbage, once, and ends where the line ends', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  await writeFile(path, `${'x'.repeat(3_000_000)}\n${lines('a', [1])}`);
  const garbage: Garbage[] = [];
  expect(await numbers(path, { onGarbage: (one) => garbage.push(one) })).toEqual([1]);
  expect(garbage).toHaveLength(1);
});

test('a number gives the newest records that match', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  const denied = { allowed: false, enforcedAllowed: false };
  await writeFile(path, lines('a', [1, 2], denied) + lines('a', [3, 4, 5]));
  expect(await numbers(path, { from: 2 })).toEqual([4, 5]);
  expect(await numbers(path, { from: 1, filter: { allowed: false } })).toEqual([2]);
  expect(await numbers(path, { from: 0 })).toEqual([]);
});

test('a path that is not there is an error that names it', async () => {
  await expect(collect(join(directory, 'none'))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining(`cannot read the decision log ${join(directory, 'none')}`),
  });
});

test('following goes on with what is appended, in parts of lines too', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  await writeFile(path, lines('a', [1]));
  const tail = follow(path);
  expect(await tail.next(1)).toEqual([1]);
  const second = lines('a', [2]);
  await appendFile(path, second.slice(0, 40));
  const next = tail.next(1);
  await appendFile(path, second.slice(40));
  expect(await next).toEqual([2]);
  expect(await tail.stop()).toBe(true);
});

test('following from the end leaves out what was there', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  await writeFile(path, lines('a', [1, 2]));
  // The first record comes only when the end was found: append until it does.
  const tail = follow(path, { from: 'end' });
  const next = tail.next(1);
  let seq = 3;
  let seen: (string | number)[] | undefined;
  void next.then((value) => (seen = value));
  while (seen === undefined) {
    await appendFile(path, lines('a', [seq++]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await next)[0]).toBeGreaterThan(2);
  await tail.stop();
});

test('following misses nothing when the file is rotated, and finds new tenants', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  await writeFile(path, lines('a', [1]));
  const tail = follow(directory);
  expect(await tail.next(1)).toEqual([1]);
  await appendFile(path, lines('a', [2]));
  await rename(path, join(directory, 'decisions-a.000001.ndjson'));
  await writeFile(path, lines('a', [3]));
  await mkdir(join(directory, 'acme'));
  await writeFile(join(directory, 'acme', 'decisions-a.ndjson'), lines('a', [4], { tenant: 'acme' }));
  expect(await tail.next(3)).toEqual([2, 3, 4]);
  await tail.stop();
});

test('following waits for a log that is not there yet, and says so once', async () => {
  const later = join(directory, 'later');
  const problems: string[] = [];
  let told = () => {};
  const firstProblem = new Promise<void>((resolve) => (told = resolve));
  const tail = follow(later, {
    onProblem: (problem) => {
      problems.push(problem);
      told();
    },
  });
  const next = tail.next(1);
  await firstProblem;
  const sink = createFileSink({ directory: later, instance: 'a' });
  await sink.write({ tenant: 'default', parts: [lines('a', [1])], records: 1 });
  expect(await next).toEqual([1]);
  expect(problems[0]).toContain(later);
  await tail.stop();
  await sink.close();
});

test('the newest are found from the end of files on, through rotation, in the order of time', async () => {
  const many = Array.from({ length: 1_000 }, (_, i) => i + 1);
  await writeFile(join(directory, 'decisions-a.000001.ndjson'), lines('a', many));
  await writeFile(join(directory, 'decisions-a.ndjson'), `${lines('a', [1_001, 1_003])}{"half`);
  await writeFile(join(directory, 'decisions-b.ndjson'), lines('b', [1_002, 1_004]));
  const expected = [...many, 1_001, 1_002, 1_003, 1_004];
  for (const from of [1, 3, 4, 700, 2_000]) expect(await numbers(directory, { from })).toEqual(expected.slice(-from));
});

test('files that were written last before the time are passed over, and followed all the same', async () => {
  const path = join(directory, 'decisions-a.ndjson');
  await writeFile(path, `{"never parsed\n${lines('a', [1])}`);
  await utimes(path, new Date(0), new Date(0));
  const garbage: Garbage[] = [];
  const since = new Date(someTime).toISOString();
  const tail = follow(directory, { filter: { since }, onGarbage: (one) => garbage.push(one) });
  const next = tail.next(1);
  await writeFile(join(directory, 'decisions-b.ndjson'), lines('b', [2]));
  expect(await next).toEqual([2]);
  await appendFile(path, lines('a', [3]));
  expect(await tail.next(1)).toEqual([3]);
  expect(garbage).toEqual([]);
  await tail.stop();
});
