// Single failures of a disk at the wrong moment, each of which a reader must not see in the log.
import { type FileHandle, mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogEvent } from '../../../src/decision-log/events.ts';
import { createIds } from '../../../src/decision-log/ids.ts';
import { openLog } from '../../../src/decision-log/open-log.ts';
import type { Sink } from '../../../src/decision-log/sink.ts';
import { createFaultyDisk, type FaultyDisk } from '../../setup/faulty-disk.ts';
import { createMemorySink, decisionEntry } from '../entries.ts';
import { verify } from '../verify/chain-writer.ts';

let directory: string;
let disk: FaultyDisk;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-faults-'));
  disk = await createFaultyDisk(directory);
});
afterEach(async () => {
  disk.restore();
  await rm(directory, { recursive: true, force: true });
});

const nextId = createIds();
const gone: Sink = { description: 'gone', write: () => Promise.reject(new Error('gone')), close: async () => {} };

async function open(sink: Sink, { intervalMs = 1, sync = false } = {}) {
  const events: LogEvent[] = [];
  const log = await openLog({
    mode: 'spool',
    instance: 'i-1',
    sink,
    spool: { directory, bytes: 100_000, sync },
    tenants: ['default'],
    intervalMs,
    batchRecords: 50,
    retryMinMs: 1,
    retryMaxMs: 2,
    onEvent: (event) => events.push(event),
  });
  const append = (count: number) => {
    for (let i = 0; i < count; i++) log.append(decisionEntry({ id: nextId(Date.now()) }));
  };
  const heard = (kind: LogEvent['kind']) => events.filter((event) => event.kind === kind).length;
  return { log, append, heard };
}

const reportOf = ({ lines }: { lines: readonly string[] }) => verify(lines.map((line) => line.trimEnd()));

test('a record that is written, and that the disk does not confirm, is not written once more', async () => {
  const sink = createMemorySink();
  const { log, append, heard } = await open(sink, { intervalMs: 0, sync: true });
  disk.faults.push('none', 'refused');
  append(1);
  expect(heard('spool_failed')).toBe(1);
  expect(log.stats().written).toBe(1);
  append(9);
  await log.close(10_000);
  expect(reportOf(sink)).toMatchObject({ ok: true, chains: [{ decisions: 10, lastSeq: 10, repeats: 0 }] });
});

test('once something is given up at the end, so is what comes behind it, though there would be room', async () => {
  const first = await open(gone);
  while (first.heard('spool_full') === 0) {
    first.append(50);
    await first.log.flush(5);
  }
  first.append(1);
  await first.log.close(20);
  const sink = createMemorySink();
  await (await open(sink)).log.close(10_000);
  const { problems, chains } = reportOf(sink);
  expect(problems).toEqual([]);
  expect(chains).toMatchObject([{ ends: 'stop', lastSeq: first.log.stats().appended }]);
});

test('what a sink refused stays in the spool until it is told, also on a disk that is full', async () => {
  let isFirst = true;
  const sink = createMemorySink(async () => {
    if (!isFirst) return undefined;
    isFirst = false;
    disk.isFull = true;
    return [1];
  });
  const first = await open(sink);
  first.append(1);
  await vi.waitFor(() => expect(first.heard('spool_failed')).toBe(1));
  await first.log.close(0);
  disk.isFull = false;
  await (await open(sink)).log.close(10_000);
  const { problems, chains } = reportOf(sink);
  expect(problems).toEqual([]);
  expect(chains).toMatchObject([{ decisions: 1, lastSeq: 1 }]);
});

test('where each record waits for the disk, so does the name of the file that it is in', async () => {
  const some = await openFile('/dev/null');
  const sync = vi.spyOn(Object.getPrototypeOf(some) as FileHandle, 'sync');
  await some.close();
  const { log, append } = await open(gone, { intervalMs: 0, sync: true });
  append(1);
  expect(log.stats().written).toBe(1);
  expect(sync).toHaveBeenCalledTimes(1);
  sync.mockRestore();
  await log.close(0);
});
