import { expect, test, vi } from 'vitest';
import type { ReadOptions, ReadRecord } from '../../../src/decision-log/filter.ts';
import { createFileSource } from '../../../src/decision-log/query/file-source.ts';
import type { TailEvent } from '../../../src/decision-log/query/intake.ts';
import { type TailQuestion, tailLogs } from '../../../src/decision-log/query/tail-logs.ts';
import { parseRecord } from '../../../src/decision-log/record.ts';
import { toArray } from '../entries.ts';
import { decisionLine, numbersIn, useLogDirectory } from './logs.ts';

const log = useLogDirectory();
const never = new AbortController().signal;
const readOf = (line: string): ReadRecord => ({ line, record: parseRecord(line) });
const startOf = (...names: readonly string[]) => names.map((name) => ({ name, from: 'start' as const }));
const question: TailQuestion = { tenants: startOf('default'), selection: { allKinds: true } };
const quiet = { heartbeatMs: 60_000 };

/** A source of which the test says what it gives. */
function sourceOf(follow: (tenant: string, options: ReadOptions) => AsyncGenerator<ReadRecord, void>) {
  return { follow };
}

async function numbersUntil(events: AsyncGenerator<TailEvent, void>, count: number) {
  const found: unknown[] = [];
  while (found.length < count) {
    const { value } = await events.next();
    if (value === undefined) break;
    found.push(...numbersIn(value.entries));
  }
  return found;
}

test('what is there comes first, then what is written, and it ends with its signal', async () => {
  await log.append('a', [decisionLine('a', 1), decisionLine('a', 2)]);
  const abort = new AbortController();
  const events = tailLogs(createFileSource(log.path), question, quiet, abort.signal);
  expect(await numbersUntil(events, 2)).toEqual([1, 2]);
  await log.append('a', [decisionLine('a', 3)]);
  expect(await numbersUntil(events, 1)).toEqual([3]);
  abort.abort();
  expect((await events.next()).done).toBe(true);
});

test('it begins with the newest that match, or ends at the end where it does not follow', async () => {
  const denied = { allowed: false };
  await log.append('a', [decisionLine('a', 1, denied), decisionLine('a', 2), decisionLine('a', 3, denied)]);
  const tenants = [{ name: 'default', from: 1 }];
  const asked = { tenants, selection: { allowed: false }, follow: false };
  const events = await toArray(tailLogs(createFileSource(log.path), asked, quiet, never));
  expect(events.flatMap(({ entries }) => numbersIn(entries))).toEqual([3]);
});

test('copies are given once', async () => {
  const hash = 'h'.repeat(43);
  await log.append(
    'a',
    [1, 1, 2].map((seq) => decisionLine('a', seq, { hash })),
  );
  const events = tailLogs(createFileSource(log.path), { ...question, follow: false }, quiet, never);
  expect(await numbersUntil(events, 3)).toEqual([1, 2]);
});

test('several tenants are one stream, and one that is quiet holds up none', async () => {
  const source = sourceOf(async function* (tenant, { signal }) {
    if (tenant === 'quiet') await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    else for (let seq = 1; seq <= 3; seq++) yield readOf(decisionLine(tenant, seq, { tenant }));
  });
  const abort = new AbortController();
  const tenants = startOf('quiet', 'a', 'b');
  const events = tailLogs(source, { ...question, tenants }, quiet, abort.signal);
  expect((await numbersUntil(events, 6)).sort()).toEqual([1, 1, 2, 2, 3, 3]);
  abort.abort();
  expect((await events.next()).done).toBe(true);
});

test('a reader who stands still lets no more be read than is bounded', async () => {
  let read = 0;
  const source = sourceOf(async function* () {
    for (;;) yield readOf(decisionLine('a', ++read));
  });
  const abort = new AbortController();
  const events = tailLogs(source, question, quiet, abort.signal);
  await events.next();
  await vi.waitFor(() => expect(read).toBeGreaterThanOrEqual(200));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  const held = read;
  expect(held).toBeLessThan(1_000);
  expect(await numbersUntil(events, 1)).not.toEqual([]);
  await vi.waitFor(() => expect(read).toBeGreaterThan(held));
  abort.abort();
});

test('nothing new is told, with what keeps it from being read, and when it is over', async () => {
  let options: ReadOptions | undefined;
  const source = sourceOf(async function* (_, given) {
    options = given;
    await new Promise((resolve) => given.signal?.addEventListener('abort', resolve));
  });
  const abort = new AbortController();
  const events = tailLogs(source, question, { heartbeatMs: 1 }, abort.signal);
  expect((await events.next()).value).toEqual({ entries: [], losses: [], problem: '' });
  options?.onProblem?.('Redis is away');
  expect((await events.next()).value).toMatchObject({ problem: 'Redis is away' });
  options?.onRecovered?.();
  expect((await events.next()).value).toMatchObject({ problem: '' });
  options?.onLoss?.(7);
  expect((await events.next()).value).toMatchObject({ losses: [{ tenant: 'default', atLeast: 7 }] });
  abort.abort();
  expect((await events.next()).done).toBe(true);
});

test('a line that is no record is told with its place, and reading goes on behind it', async () => {
  const source = sourceOf(async function* (_, { onGarbage }) {
    onGarbage?.({ where: '1-0', problem: 'is not JSON' });
    yield readOf(decisionLine('a', 1));
  });
  const events = await toArray(tailLogs(source, question, quiet, never));
  const entries = events.flatMap((event) => event.entries);
  expect(entries).toMatchObject([{ line: '', where: '1-0', problem: 'is not JSON' }, { record: { seq: 1 } }]);
});

test('a tenant that comes while others are followed is followed, too', async () => {
  const added = Promise.withResolvers<void>();
  async function* tenants() {
    yield* startOf('a');
    await added.promise;
    yield* startOf('b');
  }
  const source = sourceOf(async function* (tenant, { signal }) {
    yield readOf(decisionLine(tenant, 1, { tenant }));
    await new Promise((resolve) => signal?.addEventListener('abort', resolve));
  });
  const abort = new AbortController();
  const events = tailLogs(source, { ...question, tenants: tenants() }, quiet, abort.signal);
  expect((await events.next()).value).toMatchObject({ entries: [{ record: { tenant: 'a' } }] });
  added.resolve();
  expect((await events.next()).value).toMatchObject({ entries: [{ record: { tenant: 'b' } }] });
  abort.abort();
});

test('what a source throws ends the stream, after what was read before', async () => {
  const source = sourceOf(async function* () {
    yield readOf(decisionLine('a', 1));
    throw new Error('broken');
  });
  const events = tailLogs(source, question, quiet, never);
  expect(await numbersUntil(events, 1)).toEqual([1]);
  await expect(events.next()).rejects.toThrow('broken');
});
