import { appendFile, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFileSource } from '../../../src/decision-log/query/file-source.ts';
import { type LogPage, mostLookedAt, queryLog } from '../../../src/decision-log/query/query-log.ts';
import type { Selection } from '../../../src/decision-log/query/selection.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { someTime } from '../entries.ts';
import { decisionLine, gapLine, numbersIn, useLogDirectory } from './logs.ts';

const log = useLogDirectory();
const lines = (instance: string, from: number, to: number, fields = {}) =>
  Array.from({ length: to - from + 1 }, (_, i) => decisionLine(instance, from + i, fields));
const all: Selection = { allKinds: true };

function page(selection: Selection = all, after = '', size = 1_000, signal?: AbortSignal): Promise<LogPage> {
  return queryLog(createFileSource(log.path), { tenant: 'default', selection, size, after }, signal);
}

async function numbers(selection?: Selection) {
  return numbersIn((await page(selection)).found);
}

/** Every page to the last. */
async function pages(selection: Selection, size: number): Promise<(string | number | undefined)[][]> {
  const read: (string | number | undefined)[][] = [];
  let after = '';
  do {
    const { found, next } = await page(selection, after, size);
    read.push(numbersIn(found));
    after = next;
  } while (after !== '');
  return read;
}

test('a log that is not there yet is empty', async () => {
  expect(await page()).toEqual({ found: [], next: '' });
});

test('records come with the lines that they were read from, oldest first', async () => {
  await log.append('a', lines('a', 1, 3));
  const { found, next } = await page();
  expect(found.map(({ line }) => line)).toEqual(lines('a', 1, 3));
  expect(numbersIn(found)).toEqual([1, 2, 3]);
  expect(next).toBe('');
});

test('what an instance rotated comes before what it writes now, and instances come as they began', async () => {
  await log.append('b', lines('b', 1, 2, { time: new Date(someTime + 5).toISOString() }));
  await log.append('a', lines('a', 7, 8));
  await log.append('a', lines('a', 9, 9), '000002');
  await log.append('a', lines('a', 3, 4), '000001');
  const { found } = await page();
  expect(numbersIn(found)).toEqual([3, 4, 9, 7, 8, 1, 2]);
});

test('every page goes on where the one before ended, through rotation and growth', async () => {
  await log.append('a', lines('a', 1, 5));
  const first = await page(all, '', 2);
  expect(numbersIn(first.found)).toEqual([1, 2]);
  await rename(log.fileOf('a'), log.fileOf('a', '000001'));
  await log.append('a', lines('a', 6, 7));
  const second = await page(all, first.next, 4);
  expect(numbersIn(second.found)).toEqual([3, 4, 5, 6]);
  expect(numbersIn((await page(all, second.next, 4)).found)).toEqual([7]);
});

test('pages of any size give all there is, once', async () => {
  await log.append('a', lines('a', 1, 20));
  await log.append('b', lines('b', 21, 40));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 45 }), async (size) => {
      expect((await pages(all, size)).flat()).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    }),
    { numRuns: 15 },
  );
});

test('a file that is compressed is read as it was, and gone on in', async () => {
  await log.append('a', lines('a', 1, 4), '000001');
  await writeFile(`${log.fileOf('a', '000001')}.gz`, gzipSync(await readFile(log.fileOf('a', '000001'))));
  await rm(log.fileOf('a', '000001'));
  await log.append('a', lines('a', 5, 6));
  expect(await pages(all, 4)).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ]);
  expect(await pages(all, 3)).toEqual([[1, 2, 3], [4, 5, 6], []]);
});

test('a page whose file is gone, or was cut, is refused rather than misread', async () => {
  await log.append('a', lines('a', 1, 5));
  const { next } = await page(all, '', 2);
  await truncate(log.fileOf('a'), 10);
  await expect(page(all, next)).rejects.toMatchObject({ code: 'LIST_CHANGED', metadata: { field: 'page_token' } });
  await rm(log.fileOf('a'));
  await expect(page(all, next)).rejects.toMatchObject({ code: 'LIST_CHANGED' });
});

test('a position that somebody made up is refused, whatever it is', async () => {
  await log.append('a', lines('a', 1, 5));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ minLength: 1 }), fc.constant('../../x/1:2/7')), async (position) => {
      const outcome = await page(all, position).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(PosternError);
      expect(['INVALID_PAGE_TOKEN', 'LIST_CHANGED']).toContain((outcome as PosternError).code);
    }),
  );
});

test.for<[name: string, selection: Selection, found: unknown[]]>([
  ['a subject', { subject: 'user:bob' }, [2, 'gap']],
  ['an action', { action: 'write' }, [3, 'gap']],
  ['an object', { object: 'doc:"7"' }, [4, 'gap']],
  ['a type', { type: 'folder' }, [5, 'gap']],
  ['denials', { allowed: false }, ['gap', 6]],
  ['a source', { source: 'batch' }, ['gap', 7]],
  ['an instance', { instance: 'b' }, [9]],
  ['a revision', { revision: 'e1.8' }, ['gap', 8]],
  ['a decision, and then no gap', { id: '01JABCDEFGHJKMNPQRA0000008' }, [8]],
  ['a time', { since: new Date(someTime + 3).toISOString(), until: new Date(someTime + 5).toISOString() }, [3, 4]],
  ['two things at once', { subject: 'user:alice', action: 'write' }, [3, 'gap']],
  ['all kinds', { allKinds: true }, [1, 2, 3, 4, 5, 'garbage', 'gap', 6, 7, 8, 9]],
])('asked for %s, it gives what has it, and gaps', async ([, selection, found]) => {
  await log.append('a', [
    decisionLine('a', 1),
    decisionLine('a', 2, { subject: 'user:bob' }),
    decisionLine('a', 3, { action: 'write' }),
    decisionLine('a', 4, { object: 'doc:"7"' }),
    decisionLine('a', 5, { object: 'folder:1' }),
    '{"id":"torn',
    gapLine('a', 5, 5),
    decisionLine('a', 6, { allowed: false }),
    decisionLine('a', 7, { source: 'batch' }),
    decisionLine('a', 8, { revision: 'e1.8' }),
  ]);
  await log.append('b', [decisionLine('b', 9, { subject: 'user:carol', action: 'share', object: 'x:1' })]);
  expect(await numbers(selection)).toEqual(found);
});

test('a text that was written with escapes is found by what it says', async () => {
  await log.append('a', [decisionLine('a', 1).replace('user:alice', String.raw`user:\u0061lice`)]);
  expect(await numbers({ subject: 'user:alice' })).toEqual([1]);
});

test('a line that was written twice is given once, on one page or on two', async () => {
  const twice = [...lines('a', 1, 4), ...lines('a', 1, 5)];
  await log.append('a', twice);
  expect(await numbers()).toEqual([1, 2, 3, 4, 5]);
  expect((await pages(all, 3)).flat()).toEqual([1, 2, 3, 4, 5]);
});

test('two lines of one number that differ are both given, whatever hash they say that they have', async () => {
  const hash = 'h'.repeat(43);
  await log.append('a', [decisionLine('a', 1, { hash }), decisionLine('a', 1, { allowed: false, hash })]);
  expect(await numbers()).toEqual([1, 1]);
});

test('where few match, a page ends early and says where to go on', async () => {
  await log.append('a', lines('a', 1, mostLookedAt));
  await log.append('a', [decisionLine('a', mostLookedAt + 1, { subject: 'user:bob' })]);
  const first = await page({ subject: 'user:bob' });
  expect(first.found).toEqual([]);
  expect(numbersIn((await page({ subject: 'user:bob' }, first.next)).found)).toEqual([mostLookedAt + 1]);
});

test('files that were written last before the time are not read at all', async () => {
  await log.append('a', ['{"never parsed'], '000001');
  await utimes(log.fileOf('a', '000001'), new Date(0), new Date(0));
  await log.append('a', lines('a', 2, 2));
  expect(await numbers({ ...all, since: new Date(someTime).toISOString() })).toEqual([2]);
});

test('a line that has no end yet is no line', async () => {
  await log.append('a', lines('a', 1, 2));
  await appendFile(log.fileOf('a'), decisionLine('a', 3));
  expect(await numbers()).toEqual([1, 2]);
});

test('a page that nobody waits for is given up', async () => {
  await log.append('a', lines('a', 1, 2));
  await expect(page({ subject: 'user:bob' }, '', 10, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
});
