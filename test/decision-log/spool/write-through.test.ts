// A spool that has each record on disk when append() returns, with no interval to lose: also while one file follows
// another, and where a process begins with a file that is full.
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createIds } from '../../../src/decision-log/ids.ts';
import { openLog } from '../../../src/decision-log/open-log.ts';
import type { Sink } from '../../../src/decision-log/sink.ts';
import { checkChain } from '../chain-check.ts';
import { createMemorySink, decisionEntry } from '../entries.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-through-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const nextId = createIds();
const gone: Sink = { description: 'gone', write: () => Promise.reject(new Error('gone')), close: async () => {} };

async function open(sink: Sink, at = directory) {
  const log = await openLog({
    mode: 'spool',
    instance: 'i-1',
    sink,
    spool: { directory: at, bytes: 256 * 2 ** 20, sync: false },
    tenants: ['default'],
    intervalMs: 0,
    batchRecords: 1_000,
    retryMinMs: 1,
    retryMaxMs: 2,
    onEvent: () => {},
  });
  const append = () => log.append(decisionEntry({ id: nextId(Date.now()) }));
  return { log, append };
}

const filesIn = (at = directory) => readdirSync(join(at, 'default')).filter((name) => name.endsWith('.ndjson'));

function idsOnDisk(): string[] {
  const lines = filesIn().flatMap((name) => readFileSync(join(directory, 'default', name), 'utf8').split('\n'));
  return lines.filter((line) => line.includes('"id":')).map((line) => (JSON.parse(line) as { id: string }).id);
}

/** Records one after the other, some in each turn, until a file has grown as long as it may. */
async function fillFile({ append }: Awaited<ReturnType<typeof open>>): Promise<number> {
  const files = filesIn().length;
  for (let count = 1; ; count++) {
    append();
    if (filesIn().length > files) return count;
    if (count % 100 === 0) await nextTurn();
  }
}

test('a record is on disk when append() returns', async () => {
  const { log, append } = await open(gone);
  for (let count = 1; count <= 20; count++) {
    append();
    expect(idsOnDisk()).toHaveLength(count);
  }
  await log.close(0);
});

test('one file follows another without a record missing or out of order', async () => {
  const sink = createMemorySink();
  const opened = await open(sink);
  const appended = await fillFile(opened);
  for (let i = 0; i < 500; i++) opened.append();
  await opened.log.close(10_000);
  const { numbers, missing } = checkChain(sink.lines);
  expect(numbers).toHaveLength(appended + 500);
  expect(missing).toEqual([]);
});

test('a process that begins with a file that is full goes on in the next one, and brings all to the sink', async () => {
  const first = await open(gone);
  // All within one turn, so that no other file is begun: what a process leaves that dies right then.
  let appended = 0;
  const stopAt = 9 * 2 ** 20;
  for (let bytes = 0; bytes < stopAt; appended++) {
    first.append();
    if (appended % 1_000 === 0) bytes = filesIn().reduce((sum, name) => sum + sizeOf(name), 0);
  }
  const copy = `${directory}-copy`;
  cpSync(directory, copy, { recursive: true });
  expect(filesIn(copy)).toHaveLength(1);
  await first.log.close(0);
  const sink = createMemorySink();
  const second = await open(sink, copy);
  expect(filesIn(copy)).toHaveLength(2);
  for (let i = 0; i < 10; i++) second.append();
  await second.log.close(10_000);
  await rm(copy, { recursive: true });
  const { numbers, missing, records } = checkChain(sink.lines);
  expect(numbers).toHaveLength(appended + 10);
  expect(missing).toEqual([]);
  expect(records.filter(({ type }) => type === 'start').map(({ after }) => after)).toEqual(['nothing', 'crash']);
});

const sizeOf = (name: string) => readFileSync(join(directory, 'default', name)).length;
