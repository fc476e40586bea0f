import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFiles } from '../../src/decision-log/read-files.ts';
import { createFileSink } from '../../src/decision-log/sinks/file.ts';
import { createLines, decisionEntry, numbersOf, toArray } from './entries.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-files-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const encoder = createLines('a', 'default');
const batch = (seq: number) => ({
  tenant: 'default',
  parts: [encoder.decision(decisionEntry(), seq)],
  records: 1,
});

async function numbers() {
  const read = await toArray(readFiles(directory, { from: 'start', follow: false }));
  return numbersOf(read.map((one) => one.record));
}

test('a file that has reached its size is renamed with the next number, and nothing is lost', async () => {
  const sink = createFileSink({ directory, instance: 'a', rotateBytes: 700 });
  for (let seq = 1; seq <= 10; seq++) await sink.write(batch(seq));
  await sink.close();
  expect((await readdir(join(directory, 'default'))).sort()).toEqual([
    'decisions-a.000001.ndjson',
    'decisions-a.000002.ndjson',
    'decisions-a.000003.ndjson',
    'decisions-a.ndjson',
  ]);
  expect(await numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('a new process appends to what is there, and goes on with the numbers of rotations', async () => {
  for (let seq = 1; seq <= 3; seq++) {
    const sink = createFileSink({ directory, instance: 'a', rotateBytes: 1 });
    await sink.write(batch(seq));
    await sink.close();
  }
  expect(await readdir(join(directory, 'default'))).toHaveLength(3);
  expect(await numbers()).toEqual([1, 2, 3]);
});

test('half a line of a process that died does not spoil the next record', async () => {
  const path = join(directory, 'default', 'decisions-a.ndjson');
  await mkdir(join(directory, 'default'));
  await writeFile(path, batch(1).parts[0] as string);
  await appendFile(path, '{"id":"01J');
  const sink = createFileSink({ directory, instance: 'a' });
  await sink.write(batch(2));
  await sink.close();
  expect(await numbers()).toEqual([1, 2]);
  expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4);
});

test('a directory that cannot be made today can be used when it can be made', async () => {
  const blocked = join(directory, 'default');
  await writeFile(blocked, 'a file where the directory should be');
  const sink = createFileSink({ directory, instance: 'a' });
  await expect(sink.write(batch(1))).rejects.toThrow('EEXIST');
  await rm(blocked);
  await sink.write(batch(1));
  await sink.close();
  expect(await numbers()).toEqual([1]);
});

test('a file that was removed is begun anew by the next attempt, and takes the batch that would have been lost', async () => {
  const sink = createFileSink({ directory, instance: 'a' });
  await sink.write(batch(1));
  await rm(join(directory, 'default'), { recursive: true });
  await expect(sink.write(batch(2))).rejects.toThrow('was removed');
  await sink.write(batch(2));
  await sink.close();
  expect(await numbers()).toEqual([2]);
});

test('a rotation that fails half-way is no end: the next attempt begins with what is on disk', async () => {
  const sink = createFileSink({ directory, instance: 'a', rotateBytes: 1 });
  await sink.write(batch(1));
  await rm(join(directory, 'default', 'decisions-a.ndjson'));
  await expect(sink.write(batch(2))).rejects.toThrow('ENOENT');
  await sink.write(batch(2));
  await sink.close();
  expect(await numbers()).toEqual([2]);
});

test('two processes of one name do not write over each other', async () => {
  const sinks = [createFileSink({ directory, instance: 'a' }), createFileSink({ directory, instance: 'a' })];
  for (let seq = 1; seq <= 6; seq++) await sinks[seq % 2]?.write(batch(seq));
  for (const sink of sinks) await sink.close();
  expect(await numbers()).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a file that somebody truncates goes on from there', async () => {
  const sink = createFileSink({ directory, instance: 'a' });
  await sink.write(batch(1));
  await truncate(join(directory, 'default', 'decisions-a.ndjson'));
  await sink.write(batch(2));
  await sink.close();
  expect(await numbers()).toEqual([2]);
});
