// The spool with real files: what survives the death of a process, an outage, and a disk that is full.
import { appendFile, chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LogEvent } from '../../../src/decision-log/events.ts';
import { createIds } from '../../../src/decision-log/ids.ts';
import { type OpenLogOptions, openLog } from '../../../src/decision-log/open-log.ts';
import type { Sink } from '../../../src/decision-log/sink.ts';
import { checkChain } from '../chain-check.ts';
import { createMemorySink, decisionEntry } from '../entries.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-spool-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const nextId = createIds();
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const gone: Sink = { description: 'gone', write: () => Promise.reject(new Error('gone')), close: async () => {} };

async function open(sink: Sink, options: Partial<OpenLogOptions> & { bytes?: number } = {}) {
  const events: LogEvent[] = [];
  const { bytes = 2 ** 30, ...rest } = options;
  const log = await openLog({
    mode: 'spool',
    instance: 'i-1',
    sink,
    spool: { directory, bytes, sync: false },
    intervalMs: 1,
    retryMinMs: 1,
    retryMaxMs: 2,
    onEvent: (event) => events.push(event),
    ...rest,
  });
  const append = (count: number, tenant = 'default') => {
    for (let i = 0; i < count; i++) log.append(decisionEntry({ tenant, id: nextId(Date.now()) }));
  };
  return { log, events, append };
}

const kindsOf = (events: readonly LogEvent[]) => events.map(({ kind }) => kind);

describe('a spool', () => {
  test('brings every record to the sink, in order, chained from a start record to a stop', async () => {
    const sink = createMemorySink();
    const { log, append } = await open(sink);
    append(2_500);
    await log.close(10_000);
    const { numbers, kinds } = checkChain(sink.lines);
    expect(numbers).toEqual(upTo(2_500));
    expect([kinds[0], kinds.at(-1)]).toEqual(['start', 'stop']);
    expect(log.stats()).toMatchObject({ written: 2_500, delivered: 2_500, dropped: 0, spoolBytes: 0, behindMs: 0 });
  });

  test('with an interval of 0 has each record on disk when append returns, into the next file and beside seals', async () => {
    const sink = createMemorySink();
    const { log, append } = await open(sink, { intervalMs: 0, tenants: ['default'], sealIntervalMs: 5 });
    for (let i = 1; i <= 600; i++) {
      append(50);
      expect(log.stats()).toMatchObject({ appended: 50 * i, written: 50 * i, pendingRecords: 0, dropped: 0 });
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    append(1, 'another');
    await log.close(10_000);
    const lines = sink.lines.filter((line) => line.includes('"tenant":"default"'));
    const { numbers, kinds } = checkChain(lines);
    expect(numbers).toEqual(upTo(30_000));
    expect(kinds).toContain('seal');
    expect((await readdir(join(directory, 'default'))).at(0)).not.toBe('00000002.ndjson');
    expect(checkChain(sink.lines.filter((line) => line.includes('"tenant":"another"'))).numbers).toEqual([1]);
  });

  test('with an interval of 0 and a disk or sink that takes nothing goes on in memory, and in order', async () => {
    let isGone = true;
    const sink = createMemorySink(async () => {
      if (isGone) throw new Error('gone');
      return undefined;
    });
    const { log, append } = await open(sink, { intervalMs: 0, tenants: ['default'], bytes: 50_000 });
    append(1_000);
    expect(log.stats().pendingRecords).toBeGreaterThan(0);
    expect(log.stats().written).toBeGreaterThan(0);
    isGone = false;
    await vi.waitFor(() => expect(log.stats()).toMatchObject({ pendingRecords: 0, spoolBytes: 0 }), {
      timeout: 10_000,
    });
    append(1);
    expect(log.stats().pendingRecords).toBe(0);
    await log.close(10_000);
    expect(checkChain(sink.lines).numbers).toEqual(upTo(1_001));
  });

  test('keeps records while the sink is gone, and brings them in order when it is back', async () => {
    let isGone = true;
    const sink = createMemorySink(async () => {
      if (isGone) throw new Error('gone');
      return undefined;
    });
    const { log, append, events } = await open(sink);
    append(5_000);
    await log.flush(10_000);
    expect(log.stats()).toMatchObject({ written: 5_000, delivered: 0, dropped: 0, pendingRecords: 0 });
    expect(log.stats().spoolBytes).toBeGreaterThan(5_000 * 300);
    expect(log.stats().behindMs).toBeGreaterThan(0);
    isGone = false;
    await vi.waitFor(() => expect(log.stats().delivered).toBe(5_000));
    await log.close(10_000);
    expect(checkChain(sink.lines).numbers).toEqual(upTo(5_000));
    expect(kindsOf(events)).toEqual(['sink_failed', 'sink_recovered']);
  });

  test('leaves on disk what the sink does not take in time; the next process brings it, and goes on with numbers and chain', async () => {
    const first = await open(gone);
    first.append(100);
    await first.log.flush(10_000);
    await first.log.close(20);
    expect(kindsOf(first.events)).toEqual(['sink_failed', 'left_in_spool']);
    const sink = createMemorySink();
    const second = await open(sink);
    second.append(50);
    await second.log.close(10_000);
    const { numbers, kinds, records } = checkChain(sink.lines);
    expect(numbers).toEqual(upTo(150));
    expect(kinds.filter((kind) => kind !== 'decision')).toEqual(['start', 'stop', 'start', 'stop']);
    expect(records.filter(({ type }) => type === 'start')).toMatchObject([
      { next: 1, after: 'nothing' },
      { next: 101, after: 'stop' },
    ]);
    expect(kindsOf(second.events)).toContain('resumed');
  });

  test('of a process that died is cut behind its last whole line, and a start record says that it died, and what that can have cost', async () => {
    const first = await open(gone, { intervalMs: 25 });
    first.append(100);
    await first.log.flush(10_000);
    const segment = join(directory, 'default', '00000002.ndjson');
    await vi.waitFor(async () => expect((await readFile(segment, 'utf8')).split('\n')).toHaveLength(102));
    await appendFile(segment, '{"id":"01JABCDEFGHJKMNPQRSTVWXYZ0","inst');
    const sink = createMemorySink();
    // The first one is not closed: it lives on in this test as a dead process does not.
    const second = await open(sink);
    await vi.waitFor(() => expect(checkChain(sink.lines).kinds.at(-1)).toBe('start'));
    const { records } = checkChain(sink.lines);
    expect(records.at(-1)).toMatchObject({ next: 101, after: 'crash', lost_ms: 25 });
    expect(second.events[0]).toEqual({ kind: 'crashed', tenant: 'default', lastSeq: 100, cutBytes: 40 });
    second.append(1);
    await second.log.close(10_000);
    expect(checkChain(sink.lines).numbers).toEqual(upTo(101));
    await first.log.close(0);
  });

  test('that is full drops the newest when memory is full, too, and a gap record tells which', async () => {
    let isGone = true;
    const sink = createMemorySink(async () => {
      if (isGone) throw new Error('gone');
      return undefined;
    });
    const { log, append, events } = await open(sink, { bytes: 100_000, bufferBytes: 50_000, batchRecords: 50 });
    let appended = 0;
    const isFull = () => kindsOf(events).includes('spool_full') && kindsOf(events).includes('dropping');
    for (; !isFull(); appended += 25) {
      append(25);
      await log.flush(1);
    }
    expect(log.stats().spoolBytes).toBeLessThanOrEqual(100_000);
    isGone = false;
    await vi.waitFor(() => expect(log.stats()).toMatchObject({ pendingRecords: 0, spoolBytes: 0 }));
    append(1);
    await log.close(10_000);
    const { numbers, missing, records } = checkChain(sink.lines);
    expect([...numbers, ...missing].sort((a, b) => a - b)).toEqual(upTo(appended + 1));
    expect(log.stats()).toMatchObject({ appended: appended + 1, written: numbers.length, dropped: missing.length });
    expect(records.find(({ type }) => type === 'gap')).toMatchObject({ cause: 'spool_full' });
  });

  test('a record that the sink refuses leaves a gap that bridges the chain', async () => {
    let isFirst = true;
    const sink = createMemorySink(async ({ records }) => {
      if (!isFirst || records < 10) return undefined;
      isFirst = false;
      return [3, 4, 7];
    });
    const { log, append, events } = await open(sink);
    append(20);
    await log.close(10_000);
    const { numbers, missing } = checkChain(sink.lines);
    expect(missing).toEqual([3, 4, 7]);
    expect(numbers).toEqual(upTo(20).filter((n) => ![3, 4, 7].includes(n)));
    expect(log.stats()).toMatchObject({ delivered: 17, refused: 3 });
    expect(events).toEqual([{ kind: 'refused', tenant: 'default', records: 3 }]);
  });

  test('of several tenants has a chain for each', async () => {
    const sink = createMemorySink();
    const { log, append } = await open(sink);
    for (let i = 0; i < 10; i++) for (const tenant of ['a', 'b']) append(10, tenant);
    await log.close(10_000);
    for (const tenant of ['a', 'b']) {
      const lines = sink.lines.filter((line) => line.includes(`"tenant":"${tenant}"`));
      expect(checkChain(lines).numbers).toEqual(upTo(100));
    }
  });

  test('removes what the sink has, and keeps the last file to go on from', async () => {
    const sink = createMemorySink();
    const { log, append } = await open(sink, { bufferBytes: 2 ** 30, batchRecords: 10_000 });
    append(60_000);
    await log.close(20_000);
    const files = (await readdir(join(directory, 'default'))).sort();
    expect(files).toEqual([expect.stringMatching(/^0000000[345]\.ndjson$/), 'shipped.json']);
    expect(checkChain(sink.lines).numbers).toHaveLength(60_000);
  });

  test('whose cursor is lost brings everything again: a reader tells repeats by their hash', async () => {
    const sink = createMemorySink();
    const first = await open(sink);
    first.append(10);
    await first.log.close(10_000);
    await writeFile(join(directory, 'default', 'shipped.json'), '{"segm');
    const second = await open(sink);
    second.append(5);
    await second.log.close(10_000);
    const { numbers, repeated } = checkChain(sink.lines);
    expect(numbers).toEqual(upTo(15));
    expect(repeated).toBe(12);
  });

  test('seals its chain at intervals, also when nothing follows', async () => {
    const sink = createMemorySink();
    const { log, append } = await open(sink, { sealIntervalMs: 5 });
    append(10);
    await vi.waitFor(() => expect(checkChain(sink.lines).kinds).toContain('seal'));
    await log.close(10_000);
    const seals = checkChain(sink.lines).records.filter(({ type }) => type === 'seal');
    expect(seals.at(-1)).toMatchObject({ last: 10 });
  });

  test.skipIf(process.getuid?.() === 0)('says that the disk cannot be written, and recovers when it can', async () => {
    const sink = createMemorySink();
    await chmod(directory, 0o500);
    const { log, append, events } = await open(sink);
    append(3);
    await vi.waitFor(() => expect(kindsOf(events)).toContain('spool_failed'));
    await chmod(directory, 0o700);
    await log.close(10_000);
    expect(checkChain(sink.lines).numbers).toEqual(upTo(3));
  });
});

test('whatever prefix of the files a dead process leaves, the next one goes on from its last whole line', async () => {
  const first = await open(gone);
  first.append(40);
  await first.log.close(0);
  const segment = join(directory, 'default', '00000002.ndjson');
  const whole = await readFile(segment);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
      await rm(join(directory, 'default', 'shipped.json'), { force: true });
      for (const name of await readdir(join(directory, 'default'))) await rm(join(directory, 'default', name));
      await writeFile(segment, whole.subarray(0, length));
      const left = whole.subarray(0, length).toString('latin1').split('\n').length - 1;
      const sink = createMemorySink();
      const { log, append } = await open(sink);
      append(3);
      await log.close(10_000);
      const { numbers } = checkChain(sink.lines);
      // The first line is the start record, the last one the stop.
      const survived = Math.max(0, Math.min(left - 1, 40));
      expect(numbers).toEqual(upTo(survived + 3));
    }),
    { numRuns: 40 },
  );
});
