import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { plainContent } from '../../src/decision-log/content/content.ts';
import type { LogEvent } from '../../src/decision-log/events.ts';
import type { DecisionEntry } from '../../src/decision-log/log.ts';
import { estimateBytes } from '../../src/decision-log/queue.ts';
import type { DecisionRecord } from '../../src/decision-log/record.ts';
import type { Sink } from '../../src/decision-log/sink.ts';
import { createDirectLog, createMemorySink, decisionEntry, numbersOf } from './entries.ts';

const oneEntry = estimateBytes(decisionEntry());

function createLog(sink: Sink, options: Parameters<typeof createDirectLog>[1] = {}) {
  const events: LogEvent[] = [];
  const log = createDirectLog(sink, { onEvent: (event) => events.push(event), ...options });
  const append = (count: number, entry: Partial<DecisionEntry> = {}) => {
    for (let i = 0; i < count; i++) log.append(decisionEntry(entry));
  };
  return { log, events, append };
}

/** A promise that is settled from outside. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

test('every record is written in order, numbered from 1', async () => {
  const sink = createMemorySink();
  const { log, append } = createLog(sink);
  append(2_500);
  await log.flush(10_000);
  expect(numbersOf(sink.records)).toEqual(Array.from({ length: 2_500 }, (_, i) => i + 1));
  const none = { dropped: 0, failedWrites: 0, pendingRecords: 0, pendingBytes: 0 };
  expect(log.stats()).toMatchObject({ appended: 2_500, written: 2_500, ...none });
});

test('what is not wanted gets no number, and is counted', async () => {
  const sink = createMemorySink();
  const wants = ({ allowed }: DecisionEntry) => !allowed;
  const { log, append } = createLog(sink, { content: { ...plainContent, wants } });
  append(3, { allowed: true });
  append(2, { allowed: false });
  await log.flush(10_000);
  expect(numbersOf(sink.records)).toEqual([1, 2]);
  expect(log.stats()).toMatchObject({ leftOut: 3, appended: 2, written: 2 });
});

test('records are written without being asked to, after the interval', async () => {
  const sink = createMemorySink();
  const { append } = createLog(sink);
  append(3);
  await vi.waitFor(() => expect(numbersOf(sink.records)).toEqual([1, 2, 3]));
});

test('a whole batch does not wait for the interval', async () => {
  const sink = createMemorySink();
  const { append } = createLog(sink, { intervalMs: 3_600_000, batchRecords: 100 });
  append(100);
  await vi.waitFor(() => expect(sink.records).toHaveLength(100));
});

test('append does not call the sink', async () => {
  const sink = createMemorySink();
  const { log, append } = createLog(sink, { batchRecords: 10 });
  append(1_000);
  expect(sink.batches).toEqual([]);
  await log.flush(10_000);
  expect(sink.records).toHaveLength(1_000);
});

test('each tenant has numbers and batches of its own', async () => {
  const sink = createMemorySink();
  const { log, append } = createLog(sink);
  for (let i = 0; i < 3; i++) for (const tenant of ['a', 'b']) append(1, { tenant });
  await log.flush(10_000);
  for (const tenant of ['a', 'b']) {
    const records = sink.records.filter((record) => record.tenant === tenant);
    expect(numbersOf(records)).toEqual([1, 2, 3]);
  }
  expect(sink.batches.map((batch) => batch.tenant).sort()).toEqual(['a', 'b']);
});

test('a tenant whose writes fail does not hold up the others', async () => {
  const sink = createMemorySink(async (batch) => {
    if (batch.tenant === 'broken') throw new Error('no such place');
    return undefined;
  });
  const { log, append } = createLog(sink);
  append(1, { tenant: 'broken' });
  append(1, { tenant: 'fine' });
  await vi.waitFor(() => expect(sink.records).toHaveLength(1));
  await log.close(1);
});

test('over the bound the newest are dropped, and a gap record comes before the next one', async () => {
  const { opened, open } = gate();
  const sink = createMemorySink(async () => void (await opened));
  const { log, events, append } = createLog(sink, { bufferBytes: 10 * oneEntry });
  append(13);
  expect(log.stats()).toMatchObject({ appended: 13, dropped: 3, pendingRecords: 10, pendingBytes: 10 * oneEntry });
  open();
  await vi.waitFor(() => expect(log.stats().pendingRecords).toBe(0));
  append(1);
  await log.flush(10_000);
  expect(numbersOf(sink.records)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'gap 11-13', 14]);
  expect(sink.records[10]).toMatchObject({ cause: 'buffer_full', instance: 'i-1', tenant: 'default' });
  expect(log.stats()).toMatchObject({ written: 11, dropped: 3, pendingBytes: 0 });
  expect(events).toEqual([{ kind: 'dropping', tenant: 'default', which: 'newest' }]);
});

test('a buffer that is emptied little by little is told to be full once, and again after it was half empty', async () => {
  let allowed = 0;
  const sink = createMemorySink(async () => {
    await vi.waitFor(() => expect(allowed).toBeGreaterThan(0), { interval: 1, timeout: 10_000 });
    allowed--;
  });
  const { log, events, append } = createLog(sink, { bufferBytes: 100 * oneEntry, batchRecords: 1 });
  append(150);
  for (let i = 0; i < 5; i++) {
    const { written } = log.stats();
    allowed = 1;
    await vi.waitFor(() => expect(log.stats().written).toBeGreaterThan(written));
    append(20);
  }
  expect(events).toHaveLength(1);
  allowed = Number.POSITIVE_INFINITY;
  await log.flush(10_000);
  append(150);
  expect(events).toHaveLength(2);
  await log.close(10_000);
});

test('what was dropped last is told even when no decision follows', async () => {
  const sink = createMemorySink();
  const { append } = createLog(sink, { bufferBytes: oneEntry });
  append(4);
  await vi.waitFor(() => expect(numbersOf(sink.records)).toEqual([1, 'gap 2-4']));
});

test('a buffer smaller than a record still takes one', async () => {
  const sink = createMemorySink();
  const { log, append } = createLog(sink, { bufferBytes: 1 });
  append(1);
  await log.flush(10_000);
  expect(numbersOf(sink.records)).toEqual([1]);
});

test('a sink that fails is tried again until it takes the batch, and the operator hears of it twice', async () => {
  let failures = 5;
  const sink = createMemorySink(async () => {
    if (failures-- > 0) throw new Error('connection lost');
    return undefined;
  });
  const { log, events, append } = createLog(sink);
  append(3);
  await log.flush(10_000);
  expect(numbersOf(sink.records)).toEqual([1, 2, 3]);
  expect(log.stats()).toMatchObject({ written: 3, dropped: 0, failedWrites: 5 });
  expect(events).toEqual([
    { kind: 'sink_failed', tenant: 'default', message: 'connection lost' },
    { kind: 'sink_recovered', tenant: 'default', attempts: 6 },
  ]);
});

test('a record that the sink refuses leaves a gap, and its neighbours are written', async () => {
  // The first line is the start record.
  let refused: readonly number[] = [3, 4, 6];
  const sink = createMemorySink(async () => {
    const now = refused;
    refused = [];
    return now;
  });
  const { log, events, append } = createLog(sink);
  append(7);
  await log.flush(10_000);
  expect(numbersOf(sink.records)).toEqual([1, 2, 5, 7, 'gap 3-4', 'gap 6-6']);
  expect(sink.records[4]).toMatchObject({ cause: 'refused' });
  expect(log.stats()).toMatchObject({ written: 4, dropped: 3, pendingRecords: 0 });
  expect(events).toEqual([{ kind: 'refused', tenant: 'default', records: 3 }]);
});

test('a sink that refuses everything does not keep the log busy', async () => {
  const sink = createMemorySink(async (batch) => Array.from({ length: batch.records }, (_, i) => i));
  const { log, append } = createLog(sink);
  append(5);
  await log.flush(10_000);
  expect(log.stats()).toMatchObject({ written: 0, dropped: 5, pendingRecords: 0 });
  expect(sink.batches).toHaveLength(2);
});

test('flush gives up at its deadline and leaves what is pending', async () => {
  const { opened, open } = gate();
  const sink = createMemorySink(async () => void (await opened));
  const { log, append } = createLog(sink);
  append(3);
  await log.flush(1);
  expect(log.stats()).toMatchObject({ written: 0, dropped: 0, pendingRecords: 3 });
  open();
  await log.flush(10_000);
  expect(log.stats()).toMatchObject({ written: 3, pendingRecords: 0 });
});

test('close writes what waits, and closes the sink once', async () => {
  const sink = createMemorySink();
  const { log, append } = createLog(sink, { intervalMs: 3_600_000 });
  append(3);
  await Promise.all([log.close(10_000), log.close(10_000)]);
  expect(numbersOf(sink.records)).toEqual([1, 2, 3]);
  expect(sink.closed).toBe(1);
});

test.for([
  { name: 'never answers', before: () => new Promise<undefined>(() => {}) },
  { name: 'always fails', before: () => Promise.reject(new Error('gone')) },
])('close ends at its deadline when the sink $name, and counts what was lost', async ({ before }) => {
  const sink = createMemorySink(before);
  const { log, events, append } = createLog(sink, { batchRecords: 10 });
  append(25);
  await log.close(5);
  expect(log.stats()).toMatchObject({ appended: 25, written: 0, dropped: 25, pendingRecords: 0, pendingBytes: 0 });
  expect(events.at(-1)).toEqual({ kind: 'abandoned', records: 25 });
  expect(sink.closed).toBe(1);
});

test('a decision after close is counted as dropped', async () => {
  const sink = createMemorySink();
  const { log, append } = createLog(sink);
  await log.close(1);
  append(1);
  expect(log.stats()).toMatchObject({ appended: 1, dropped: 1, pendingRecords: 0 });
});

test('the description says where records go, how many may wait and what happens then', () => {
  const { log } = createLog(createMemorySink(), { bufferBytes: 3 * 1024 * 1024 });
  expect(log.description).toBe(
    'memory; 3 MiB of memory may wait for that, then the newest records are dropped, and a gap record tells which',
  );
});

test('however the sink behaves, every number is written once, or in one gap, and the counters agree', async () => {
  const behaviour = fc.array(fc.constantFrom('take', 'fail', 'slow', 'refuse first'), { maxLength: 30 });
  const bursts = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(behaviour, bursts, fc.integer({ min: 1, max: 50 }), async (answers, counts, capacity) => {
      const queue = [...answers];
      const sink = createMemorySink(async (batch) => {
        const answer = queue.shift();
        if (answer === 'fail') throw new Error('no');
        if (answer === 'slow') await new Promise((resolve) => setImmediate(resolve));
        return answer === 'refuse first' && batch.parts[0]?.startsWith('{"id"') === true ? [0] : [];
      });
      const { log, append } = createLog(sink, { bufferBytes: capacity * oneEntry, batchRecords: 20, retryMinMs: 0 });
      for (const count of counts) {
        append(count);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await log.flush(10_000);
      const told = sink.records
        .flatMap((record) =>
          record.type === 'gap'
            ? Array.from({ length: record.last - record.first + 1 }, (_, i) => record.first + i)
            : [(record as DecisionRecord).seq],
        )
        .sort((a, b) => a - b);
      const appended = counts.reduce((sum, count) => sum + count, 0);
      expect(told).toEqual(Array.from({ length: appended }, (_, i) => i + 1));
      const written = sink.records.filter((record) => record.type === undefined).length;
      expect(log.stats()).toMatchObject({
        appended,
        written,
        dropped: appended - written,
        pendingRecords: 0,
        pendingBytes: 0,
      });
    }),
    { numRuns: 60 },
  );
});

test('a tenant whose writes fail fills half of the buffer, and costs another tenant nothing', async () => {
  const sink = createMemorySink(async ({ tenant }) => {
    if (tenant === 'stuck') throw new Error('no');
    return undefined;
  });
  const { log, append } = createLog(sink, { bufferBytes: 40 * oneEntry });
  append(1, { tenant: 'well' });
  append(100, { tenant: 'stuck' });
  expect(log.stats()).toMatchObject({ dropped: 81, pendingRecords: 20 });
  for (let round = 0; round < 5; round++) {
    append(9, { tenant: 'well' });
    await vi.waitFor(() => expect(log.stats().written).toBe(1 + 9 * (round + 1)));
  }
  expect(numbersOf(sink.records)).toEqual(Array.from({ length: 46 }, (_, i) => i + 1));
  await log.close(1);
});
