import {
  appendFile,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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

const filesOf = async () => (await readdir(join(directory, 'default'))).sort();

/** Five complete files and the current one, one record each. */
async function writeSix(options: { maxFiles?: number; maxAgeMs?: number } = {}) {
  const sink = createFileSink({ directory, instance: 'a', rotateBytes: 1, ...options });
  for (let seq = 1; seq <= 6; seq++) await sink.write(batch(seq));
  await sink.close();
}

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
const dayMs = 86_400_000;

describe('complete files', () => {
  test('are all kept where nothing else is said', async () => {
    await writeSix();
    expect(await numbers()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('are kept up to a number, the newest, beside the one that is written', async () => {
    await writeSix({ maxFiles: 2 });
    expect(await filesOf()).toEqual(['decisions-a.000004.ndjson', 'decisions-a.000005.ndjson', 'decisions-a.ndjson']);
    expect(await numbers()).toEqual([4, 5, 6]);
  });

  test('go on with their numbers, whatever is gone', async () => {
    await writeSix({ maxFiles: 1 });
    await writeSix({ maxFiles: 1 });
    expect(await filesOf()).toEqual(['decisions-a.000011.ndjson', 'decisions-a.ndjson']);
  });

  test('are kept up to an age of their last record, looked at when a process begins', async () => {
    await writeSix();
    for (const number of [1, 2, 4]) {
      await utimes(join(directory, 'default', `decisions-a.00000${number}.ndjson`), daysAgo(9), daysAgo(9));
    }
    const sink = createFileSink({ directory, instance: 'a', maxAgeMs: 5 * dayMs });
    await sink.write(batch(7));
    await sink.close();
    // The fourth is old, too, but behind one that is not: nothing goes from the middle.
    expect(await numbers()).toEqual([3, 4, 5, 6, 7]);
  });

  test('that are all too old leave the newest, so that a reader sees by its number that others are gone', async () => {
    await writeSix();
    for (let number = 1; number <= 5; number++) {
      await utimes(join(directory, 'default', `decisions-a.00000${number}.ndjson`), daysAgo(9), daysAgo(9));
    }
    const sink = createFileSink({ directory, instance: 'a', maxAgeMs: dayMs });
    await sink.write(batch(7));
    await sink.close();
    expect(await filesOf()).toEqual(['decisions-a.000005.ndjson', 'decisions-a.ndjson']);
  });

  test('that somebody compresses count as they did, and their numbers are not given again', async () => {
    await writeSix();
    for (let number = 1; number <= 5; number++) {
      const path = join(directory, 'default', `decisions-a.00000${number}.ndjson`);
      await writeFile(`${path}.gz`, gzipSync(await readFile(path)));
      // The third is being compressed while the process goes on.
      if (number !== 3) await rm(path);
    }
    const sink = createFileSink({ directory, instance: 'a', rotateBytes: 1, maxFiles: 4 });
    await sink.write(batch(7));
    await sink.close();
    expect(await filesOf()).toEqual([
      'decisions-a.000003.ndjson',
      'decisions-a.000003.ndjson.gz',
      'decisions-a.000004.ndjson.gz',
      'decisions-a.000005.ndjson.gz',
      'decisions-a.000006.ndjson',
      'decisions-a.ndjson',
    ]);
  });

  test('of another instance, and files of other names, stay', async () => {
    await mkdir(join(directory, 'default'));
    const others = ['decisions-a.old.ndjson', 'decisions-aa.000001.ndjson', 'decisions-b.000001.ndjson', 'notes.txt'];
    for (const name of others) await writeFile(join(directory, 'default', name), '');
    await writeSix({ maxFiles: 1, maxAgeMs: 1 });
    expect(await filesOf()).toEqual(['decisions-a.000005.ndjson', 'decisions-a.ndjson', ...others]);
  });

  test('that cannot be deleted are told, and cost no record', async () => {
    const problems: string[] = [];
    await mkdir(join(directory, 'default', 'decisions-a.000001.ndjson'), { recursive: true });
    const sink = createFileSink({
      directory,
      instance: 'a',
      rotateBytes: 1,
      maxFiles: 1,
      onProblem: (problem) => problems.push(problem),
    });
    for (let seq = 1; seq <= 2; seq++) await sink.write(batch(seq));
    await sink.close();
    expect(problems).toEqual([expect.stringMatching(/not deleted: .*decisions-a\.000001\.ndjson/)]);
    await rm(join(directory, 'default', 'decisions-a.000001.ndjson'), { recursive: true });
    expect(await numbers()).toEqual([1, 2]);
  });

  test('are never written over by another process of the same name that rotates at the same time', async () => {
    const sinks = Array.from({ length: 4 }, () => createFileSink({ directory, instance: 'a', rotateBytes: 1 }));
    for (let round = 0; round < 10; round++) {
      const results = await Promise.allSettled(sinks.map((sink, i) => sink.write(batch(round * 4 + i + 1))));
      for (const [i, result] of results.entries()) {
        if (result.status === 'rejected') await retry(() => sinks[i]?.write(batch(round * 4 + i + 1)));
      }
    }
    for (const sink of sinks) await sink.close();
    expect(new Set(await numbers())).toEqual(new Set(Array.from({ length: 40 }, (_, i) => i + 1)));
  });
});

async function retry(write: () => unknown): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

test('a complete file was handed to the disk before it has its name, and a closed one before it is let go', async () => {
  const order: string[] = [];
  const prototype = Object.getPrototypeOf(await open(directory, 'r').then((handle) => closeAfter(handle)));
  const sync = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const { size } = await this.stat();
    order.push((await this.stat()).isDirectory() ? 'directory' : `${size} bytes`);
  });
  try {
    const sink = createFileSink({ directory, instance: 'a', rotateBytes: 1 });
    await sink.write(batch(1));
    expect(order).toEqual([]);
    await sink.write(batch(2));
    const bytes = batch(1).parts[0]?.length;
    expect(order).toEqual([`${bytes} bytes`, 'directory']);
    await sink.close();
    expect(order).toEqual([`${bytes} bytes`, 'directory', `${bytes} bytes`]);
  } finally {
    sync.mockRestore();
  }
});

test('a disk that cannot keep a complete file fails the batch, which comes again', async () => {
  const prototype = Object.getPrototypeOf(await open(directory, 'r').then((handle) => closeAfter(handle)));
  const sink = createFileSink({ directory, instance: 'a', rotateBytes: 1 });
  await sink.write(batch(1));
  const sync = vi
    .spyOn(prototype, 'sync')
    .mockRejectedValueOnce(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
  await expect(sink.write(batch(2))).rejects.toThrow('EIO');
  sync.mockRestore();
  await sink.write(batch(2));
  await sink.close();
  expect(await numbers()).toEqual([1, 2]);
});

async function closeAfter(handle: FileHandle): Promise<FileHandle> {
  await handle.close();
  return handle;
}
