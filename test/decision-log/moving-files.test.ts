// Files that are rotated, removed, compressed, or followed by another on the same inode, while somebody reads them.
import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { ReadRecord } from '../../src/decision-log/filter.ts';
import { createFileSource } from '../../src/decision-log/query/file-source.ts';
import { queryLog } from '../../src/decision-log/query/query-log.ts';
import { readFiles } from '../../src/decision-log/read-files.ts';
import { numbersOf, someTime, toArray } from './entries.ts';
import { decisionLine, numbersIn, useLogDirectory } from './query/logs.ts';

const log = useLogDirectory();
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => decisionLine('a', from + i));
const numbers = (read: readonly ReadRecord[]) => numbersOf(read.map(({ record }) => record));

/** Reads one record, does something, and reads the rest. */
async function readAround(between: () => void): Promise<(number | string)[]> {
  const read: ReadRecord[] = [];
  for await (const one of readFiles(log.path, { from: 'start', follow: false })) {
    read.push(one);
    if (read.length === 1) between();
  }
  return numbers(read);
}

async function rotate(number: string): Promise<void> {
  renameSync(log.fileOf('a'), log.fileOf('a', number));
}

test('a log that is read once gives all of it where it is rotated meanwhile', async () => {
  await log.append('a', lines(1, 3), '000001');
  await log.append('a', lines(4, 6));
  const read = await readAround(() => {
    renameSync(log.fileOf('a'), log.fileOf('a', '000002'));
    writeFileSync(log.fileOf('a'), `${decisionLine('a', 7)}\n`);
  });
  expect(read).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a log that is read once does not fail in the moment in which it is rotated', async () => {
  await log.append('a', lines(1, 3), '000001');
  await log.append('a', lines(4, 6));
  expect(await readAround(() => renameSync(log.fileOf('a'), log.fileOf('a', '000002')))).toEqual([1, 2, 3, 4, 5, 6]);
});

/** The next so many records of a log that is followed. */
function follow(from: 'start' | 'end') {
  const abort = new AbortController();
  const records = readFiles(log.path, { from, follow: true, signal: abort.signal });
  return {
    async next(count: number) {
      const read: ReadRecord[] = [];
      while (read.length < count) read.push((await records.next()).value as ReadRecord);
      return numbers(read);
    },
    stop: async () => {
      abort.abort();
      await records.return(undefined);
    },
  };
}

test('a file that has the inode of one that was removed is read from its beginning', async () => {
  await log.append('a', lines(1, 20), '000001');
  await log.append('a', lines(21, 22));
  const tail = follow('start');
  await tail.next(22);
  rotate('000002');
  // What a file system does that gives the number of the oldest file, which retention removed, to the next one.
  renameSync(log.fileOf('a', '000001'), log.fileOf('a'));
  writeFileSync(
    log.fileOf('a'),
    lines(23, 24)
      .map((line) => `${line}\n`)
      .join(''),
  );
  await log.append('a', lines(25, 60));
  expect(await tail.next(3)).toEqual([23, 24, 25]);
  await tail.stop();
});

test('a file that is compressed after it was read is not read again', async () => {
  await log.append('a', lines(1, 20), '000001');
  await log.append('a', lines(21, 22));
  const tail = follow('start');
  await tail.next(22);
  const next = tail.next(1);
  writeFileSync(`${log.fileOf('a', '000001')}.gz`, gzipSync(readFileSync(log.fileOf('a', '000001'))));
  rmSync(log.fileOf('a', '000001'));
  await log.append('a', lines(23, 23));
  expect(await next).toEqual([23]);
  await tail.stop();
});

test('a page that goes on where the oldest file was removed meanwhile passes over no other instance', async () => {
  await log.append('a', lines(1, 2), '000001');
  await log.append('a', lines(11, 13), '000002');
  await log.append('b', [decisionLine('b', 5), decisionLine('b', 6)]);
  const question = { tenant: 'default', selection: { allKinds: true }, size: 3 };
  const source = createFileSource(log.path);
  const first = await queryLog(source, { ...question, after: '' });
  expect(numbersIn(first.found)).toEqual([1, 2, 11]);
  rmSync(log.fileOf('a', '000001'));
  expect(numbersIn((await queryLog(source, { ...question, size: 9, after: first.next })).found)).toEqual([
    12, 13, 5, 6,
  ]);
});

test('a page goes on through a rotation that comes while it is read', async () => {
  await log.append('a', lines(1, 3), '000001');
  await log.append('a', lines(4, 6));
  const source = createFileSource(log.path);
  const scan = source.scan('default', { sinceMs: 0 });
  const read = [...((await scan.next()).value ?? [])];
  rotate('000002');
  await log.append('a', lines(7, 7));
  for await (const batch of scan) read.push(...batch);
  expect(read.map(({ text }) => (JSON.parse(text) as { seq: number }).seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a page that ends with a line too long for a record is gone on behind', async () => {
  await log.append('a', ['x'.repeat(3_000_000), decisionLine('a', 1)]);
  const question = { tenant: 'default', selection: { allKinds: true }, size: 1 };
  const source = createFileSource(log.path);
  const first = await queryLog(source, { ...question, after: '' });
  expect(numbersIn(first.found)).toEqual(['garbage']);
  expect(numbersIn((await queryLog(source, { ...question, after: first.next })).found)).toEqual([1]);
});

test('a page whose next file is removed before it is read says so', async () => {
  await log.append('a', lines(1, 3), '000001');
  await log.append('a', lines(4, 6));
  const scan = createFileSource(log.path).scan('default', { sinceMs: 0 });
  await scan.next();
  rmSync(log.fileOf('a'));
  await expect(scan.next()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test('the clock of the disk may be behind that of the records', async () => {
  await log.append('a', lines(1, 3));
  const since = new Date(someTime + 2).toISOString();
  utimesSync(log.fileOf('a'), 0, someTime / 1_000 - 1);
  const read = await toArray(readFiles(log.path, { from: 'start', follow: false, filter: { since } }));
  expect(numbers(read)).toEqual([2, 3]);
  const question = { tenant: 'default', selection: { allKinds: true, since }, size: 9, after: '' };
  expect(numbersIn((await queryLog(createFileSource(log.path), question)).found)).toEqual([2, 3]);
});
