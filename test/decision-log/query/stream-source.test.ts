import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNumbers } from '../../../src/decision-log/numbers.ts';
import { queryLog } from '../../../src/decision-log/query/query-log.ts';
import { createStreamSource } from '../../../src/decision-log/query/stream-source.ts';
import type { StreamClient, StreamEntry } from '../../../src/decision-log/read-stream.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { someTime } from '../entries.ts';
import { decisionLine, numbersIn } from './logs.ts';

const isAfter = (a: string, b: string) => {
  const [ams = '0', an = '0'] = a.split('-');
  const [bms = '0', bn = '0'] = b.split('-');
  return BigInt(ams) > BigInt(bms) || (ams === bms && BigInt(an) > BigInt(bn));
};

/** A stream in memory, and what was asked of it. */
function streamOf(entries: readonly StreamEntry[]) {
  const asked: string[] = [];
  const client: StreamClient = {
    async read(_, after, count) {
      asked.push(after);
      return entries.filter(({ id }) => isAfter(id, after)).slice(0, count);
    },
    async last(_, before, count) {
      return entries.filter(({ id }) => before === '+' || isAfter(before, id)).slice(-count);
    },
  };
  return { source: createStreamSource(client), asked };
}

const entries = Array.from({ length: 30 }, (_, i) => ({
  id: `${someTime + Math.floor(i / 10)}-${i % 10}`,
  record: decisionLine('a', i + 1),
}));
const ask = (source: ReturnType<typeof streamOf>['source'], selection: object, after = '', size = 7) =>
  queryLog(source, { tenant: 'default', selection, size, after });

test('pages follow each other by the ids of entries', async () => {
  const { source } = streamOf(entries);
  const read: (string | number)[] = [];
  let after = '';
  do {
    const page = await ask(source, { allKinds: true }, after);
    read.push(...numbersIn(page.found));
    after = page.next;
  } while (after !== '');
  expect(read).toEqual(entries.map((_, i) => i + 1));
});

test('a search from a time on, or for an id, begins five minutes earlier: clocks differ', async () => {
  const { source, asked } = streamOf(entries);
  await ask(source, { since: new Date(someTime).toISOString() });
  expect(asked.splice(0)[0]).toBe(`${someTime - 300_000}-0`);
  await ask(source, { id: '01JABCDEFGHJKMNPQRA0000008' });
  // A ULID begins with the time when it was made.
  const madeMs = Number.parseInt(asked[0] ?? '', 10) + 300_000;
  expect(new Date(madeMs).toISOString()).toMatch(/^2024-/);
});

test('a copy is known on the next page, and the entry at which that goes on is known too', async () => {
  const first = entries[0] as StreamEntry;
  const { source } = streamOf([
    ...entries.slice(0, 7),
    { id: `${someTime}-7`, record: (entries[6] as StreamEntry).record },
    { id: `${someTime}-8`, record: first.record },
    { id: `${someTime}-9`, record: decisionLine('a', 99) },
  ]);
  const page = await ask(source, { allKinds: true });
  expect(numbersIn((await ask(source, { allKinds: true }, page.next)).found)).toEqual([99]);
});

test('a position that is no id of an entry is refused before Redis sees it', async () => {
  const { source, asked } = streamOf(entries);
  const isId = (text: string) => /^[0-9]{1,15}-[0-9]{1,15}$/.test(text);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1 }).filter((text) => !isId(text)),
      async (position) => {
        const error = await ask(source, {}, position).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(PosternError);
        expect(error).toMatchObject({ code: 'INVALID_PAGE_TOKEN' });
      },
    ),
  );
  expect(asked).toEqual([]);
});

test('what was cut away is counted by the numbers of each instance that was heard before and after', () => {
  const of = (instance: string, ...seqs: readonly number[]) =>
    seqs.map((seq) => ({ record: decisionLine(instance, seq) }));
  const numbers = createNumbers();
  expect(numbers.next([...of('a', 1, 2), ...of('b', 5)], false)).toBeUndefined();
  expect(numbers.next([...of('a', 3), ...of('b', 6)], true)).toBeUndefined();
  expect(numbers.next([...of('a', 10, 11), ...of('b', 9), ...of('c', 4)], true)).toBe(6 + 2);
  // Of those who were never heard before, nobody can say; and where there is nobody else, that is said.
  expect(numbers.next(of('d', 7), true)).toBe(0);
  expect(numbers.next(of('a', 20), false)).toBeUndefined();
});
