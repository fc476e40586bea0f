// A spool that is full, or on a disk that takes no more: what ends there is told, and what dies there does not claim to
// have lost only its last moments.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogEvent } from '../../../src/decision-log/events.ts';
import { createIds } from '../../../src/decision-log/ids.ts';
import { openLog } from '../../../src/decision-log/open-log.ts';
import type { Sink } from '../../../src/decision-log/sink.ts';
import { claimInstance } from '../../../src/decision-log/spool/claim.ts';
import { checkChain } from '../chain-check.ts';
import { createMemorySink, decisionEntry } from '../entries.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-full-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const nextId = createIds();
const gone: Sink = { description: 'gone', write: () => Promise.reject(new Error('gone')), close: async () => {} };

async function open(sink: Sink, { at = directory, bytes = 100_000, sync = false } = {}) {
  const events: LogEvent[] = [];
  const log = await openLog({
    mode: 'spool',
    instance: 'i-1',
    sink,
    spool: { directory: at, bytes, sync },
    intervalMs: 1,
    batchRecords: 50,
    retryMinMs: 1,
    retryMaxMs: 2,
    onEvent: (event) => events.push(event),
  });
  const append = (count: number, tenant = 'default') => {
    for (let i = 0; i < count; i++) log.append(decisionEntry({ tenant, id: nextId(Date.now()) }));
  };
  const heard = (kind: LogEvent['kind']) => events.filter((event) => event.kind === kind).length;
  return { log, append, heard };
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

/** Until more waits than there is room for. */
async function fill({ log, append, heard }: Awaited<ReturnType<typeof open>>): Promise<void> {
  while (heard('spool_full') === 0) {
    append(50);
    await log.flush(5);
  }
}

test('an orderly end with a spool that is full tells what it had to give up, and the next process goes on behind it', async () => {
  const first = await open(gone);
  await fill(first);
  first.append(70);
  await first.log.close(20);
  const { appended } = first.log.stats();
  const sink = createMemorySink();
  const second = await open(sink);
  second.append(3);
  await second.log.close(10_000);
  const { numbers, missing, records } = checkChain(sink.lines);
  expect([...numbers, ...missing].sort((a, b) => a - b)).toEqual(upTo(appended + 3));
  expect(missing.length).toBeGreaterThanOrEqual(70);
  expect(records.filter(({ type }) => type === 'gap').map(({ cause }) => cause)).toEqual(['abandoned']);
  expect(records.findLast(({ type }) => type === 'start')).toMatchObject({ after: 'stop', next: appended + 1 });
});

test('a process that died with a spool that was full does not say that only its last moments are missing', async () => {
  const first = await open(gone);
  await fill(first);
  const copy = `${directory}-copy`;
  await cp(directory, copy, { recursive: true });
  await first.log.close(0);
  const sink = createMemorySink();
  const second = await open(sink, { at: copy });
  second.append(1);
  await second.log.close(10_000);
  await rm(copy, { recursive: true });
  const start = checkChain(sink.lines).records.findLast(({ type }) => type === 'start');
  expect(start).toMatchObject({ after: 'crash' });
  expect(start).not.toHaveProperty('lost_ms');
});

test('a spool that is emptied little by little is full once, and not with every batch', async () => {
  let allowed = 0;
  const sink = createMemorySink(async () => {
    if (allowed-- <= 0) throw new Error('gone');
    return undefined;
  });
  const first = await open(sink, { bytes: 1_000_000 });
  await fill(first);
  for (let i = 0; i < 5; i++) {
    const { delivered } = first.log.stats();
    allowed = 1;
    await vi.waitFor(() => expect(first.log.stats().delivered).toBeGreaterThan(delivered));
    first.append(2_000);
    await first.log.flush(50);
  }
  expect(first.heard('spool_full')).toBe(1);
  allowed = Number.POSITIVE_INFINITY;
  await first.log.close(10_000);
  const { numbers, missing } = checkChain(sink.lines);
  expect([...numbers, ...missing].sort((a, b) => a - b)).toEqual(upTo(first.log.stats().appended));
});

// A device that is full whatever is removed from it, in the place of a file.
test('a tenant whose file cannot be written holds up no other', async () => {
  await mkdir(join(directory, 'default'));
  await symlink('/dev/full', join(directory, 'default', '00000002.ndjson'));
  const sink = createMemorySink();
  const { log, append, heard } = await open(sink);
  append(10);
  append(10, 'other');
  await vi.waitFor(() => expect(heard('spool_failed')).toBe(1));
  await vi.waitFor(() => expect(sink.lines.filter((line) => line.includes('"tenant":"other"'))).toHaveLength(11));
  expect(log.stats().pendingRecords).toBe(10);
  await log.close(20);
  expect(sink.lines.filter((line) => line.includes('"tenant":"default"'))).toEqual([]);
  expect(heard('abandoned')).toBe(1);
});

test('a tenant may be called as anything that a spool keeps, and all is private to its owner', async () => {
  const claim = await claimInstance(directory, 'memory', 'i-1', 'fresh');
  const sink = createMemorySink();
  const { log, append } = await open(sink, { at: claim.directory, sync: true });
  const tenants = ['sink', 'kept-up', 'shipped.json', '00000002.ndjson', 'a.b-c_d'];
  for (const tenant of tenants) append(2, tenant);
  await log.close(10_000);
  await claim.release();
  for (const tenant of tenants) {
    expect(checkChain(sink.lines.filter((line) => line.includes(`"tenant":"${tenant}"`))).numbers).toEqual([1, 2]);
  }
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const { mode } = await stat(join(entry.parentPath, entry.name));
    expect(`${entry.name} ${(mode & 0o777).toString(8)}`).toBe(`${entry.name} ${entry.isDirectory() ? 700 : 600}`);
  }
});

test('an orderly end waits for what is told of the records that a sink refuses last', async () => {
  const closing = Promise.withResolvers<void>();
  const sink = createMemorySink(async ({ parts }) => {
    await closing.promise;
    return parts.join('').includes('"type":"stop"') ? [0] : undefined;
  });
  const { log, append } = await open(sink);
  append(5);
  await log.flush(10_000);
  // The sink has not taken the first of these yet, so that the others come with the end.
  append(5);
  await log.flush(10_000);
  const closed = log.close(10_000);
  const onDisk = async () => {
    const [name = ''] = (await readdir(join(directory, 'default'))).filter((one) => one.endsWith('.ndjson'));
    expect(await readFile(join(directory, 'default', name), 'utf8')).toContain('"type":"stop"');
  };
  await vi.waitFor(onDisk, { timeout: 10_000, interval: 1 });
  closing.resolve();
  await closed;
  const { numbers, missing } = checkChain(sink.lines);
  expect([...numbers, ...missing].sort((a, b) => a - b)).toEqual(upTo(10));
  expect(log.stats()).toMatchObject({ refused: 1, spoolBytes: 0 });
});
