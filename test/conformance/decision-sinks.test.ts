// Every sink must pass this one suite: files, a pipe like standard output, a real Redis, a collector of OTLP logs.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LogRecord, parseRecord } from '../../src/decision-log/record.ts';
import { type Batch, maxPartRecords, type Sink } from '../../src/decision-log/sink.ts';
import { createDirectLog, createLines, decisionEntry, numbersOf } from '../decision-log/entries.ts';
import { type Fixture, fixtures } from './decision-sinks.fixtures.ts';

let tenants = 0;
/** Redis may be shared by all tests of a run. */
const newTenant = () => `sink-${process.pid}-${++tenants}`;

/** @param long Characters of the attributes of some numbers. */
function toBatch(tenant: string, first: number, last: number, long: Readonly<Record<number, number>> = {}): Batch {
  const encoder = createLines('i-1', tenant);
  const lines = Array.from({ length: last - first + 1 }, (_, i) => {
    const attributes = long[first + i] === undefined ? undefined : { text: 'x'.repeat(long[first + i] as number) };
    return encoder.decision(decisionEntry({ tenant, object: 'doc:"é"\u2028\\ 😀', attributes }), first + i);
  });
  const parts: string[] = [];
  for (let i = 0; i < lines.length; i += maxPartRecords) parts.push(lines.slice(i, i + maxPartRecords).join(''));
  return { tenant, parts, records: lines.length };
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe.each(Object.entries(fixtures))('%s', (_, make) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await make();
  });
  afterAll(() => fixture.end());

  const recordsOf = async (tenant: string): Promise<LogRecord[]> => (await fixture.lines(tenant)).map(parseRecord);

  test('what is acknowledged can be read at once, in order, byte for byte', async () => {
    const tenant = newTenant();
    const batch = toBatch(tenant, 1, 3);
    expect(await fixture.sink.write(batch)).toEqual([]);
    expect((await fixture.lines(tenant)).map((line) => `${line}\n`).join('')).toBe(batch.parts.join(''));
    await fixture.sink.write(toBatch(tenant, 4, 5));
    expect(numbersOf(await recordsOf(tenant))).toEqual([1, 2, 3, 4, 5]);
  });

  test('a batch of many parts keeps its order', async () => {
    const tenant = newTenant();
    await fixture.sink.write(toBatch(tenant, 1, 5 * maxPartRecords + 7));
    expect(numbersOf(await recordsOf(tenant))).toEqual(upTo(5 * maxPartRecords + 7));
  });

  test('tenants that are written at the same time do not mix', async () => {
    const given = Array.from({ length: 5 }, newTenant);
    await Promise.all(given.map((tenant) => fixture.sink.write(toBatch(tenant, 1, 300))));
    for (const tenant of given) {
      const records = await recordsOf(tenant);
      expect(new Set(records.map((record) => record.tenant))).toEqual(new Set([tenant]));
      expect(numbersOf(records)).toEqual(upTo(300));
    }
  });

  test('records that are large together are all taken, whatever one call can carry', async () => {
    const tenant = newTenant();
    const long = Object.fromEntries(upTo(200).map((number) => [number, 16_000]));
    expect(await fixture.sink.write(toBatch(tenant, 1, 300, long))).toEqual([]);
    expect(numbersOf(await recordsOf(tenant))).toEqual(upTo(300));
  });

  test.for([
    { where: 'the first', bad: [1] },
    { where: 'in the middle', bad: [500] },
    { where: 'the last', bad: [1_000] },
    { where: 'several', bad: [2, 3, 257, 999] },
  ])('a record that is too long costs its 1,000 neighbours nothing: $where', async ({ bad }) => {
    const tenant = newTenant();
    const chars = (fixture.tooLong ?? 1_500_000) + 100;
    const batch = toBatch(tenant, 1, 1_000, Object.fromEntries(bad.map((number) => [number, chars])));
    const isBad = (number: number) => fixture.tooLong !== undefined && bad.includes(number);
    expect(await fixture.sink.write(batch)).toEqual(
      upTo(1_000)
        .filter(isBad)
        .map((number) => number - 1),
    );
    expect(numbersOf(await recordsOf(tenant))).toEqual(upTo(1_000).filter((number) => !isBad(number)));
    expect(await fixture.sink.write(toBatch(tenant, 1_001, 1_002))).toEqual([]);
    expect(numbersOf(await recordsOf(tenant)).slice(-2)).toEqual([1_001, 1_002]);
  });

  test('while nothing is answered a batch waits, and nothing is lost or doubled by it', async (context) => {
    if (fixture.stall === undefined) return context.skip('nothing brings this about');
    const tenant = newTenant();
    const resume = await fixture.stall();
    let settled = false;
    const writing = fixture.sink.write(toBatch(tenant, 1, 5_000)).finally(() => {
      settled = true;
    });
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    expect(settled).toBe(false);
    await resume();
    expect(await writing).toEqual([]);
    expect(numbersOf(await recordsOf(tenant))).toEqual(upTo(5_000));
  });

  test('what is gone rejects, and takes the same batch when it is back, first copies in order', async (context) => {
    if (fixture.vanish === undefined) return context.skip('nothing would bring it back');
    const tenant = newTenant();
    const batch = toBatch(tenant, 1, 1_000);
    const bringBack = await fixture.vanish();
    await expect(fixture.sink.write(batch)).rejects.toThrow();
    await expect(fixture.sink.write(batch)).rejects.toThrow();
    await bringBack();
    await vi.waitFor(async () => expect(await fixture.sink.write(batch)).toEqual([]), { timeout: 10_000 });
    expect([...new Set(numbersOf(await recordsOf(tenant)))]).toEqual(upTo(1_000));
  });

  test('a log on top of it writes every decision once', async () => {
    const tenant = newTenant();
    const keepsOpen: Sink = { ...fixture.sink, close: async () => {} };
    const log = createDirectLog(keepsOpen, { batchRecords: 100 });
    for (let i = 0; i < 5_000; i++) log.append(decisionEntry({ tenant }));
    await log.close(20_000);
    expect(log.stats()).toMatchObject({ written: 5_000, dropped: 0, failedWrites: 0, pendingBytes: 0 });
    expect(numbersOf(await recordsOf(tenant))).toEqual(['start', ...upTo(5_000), 'stop']);
  });

  test('a log on top of it tells what is refused by a gap, and writes all others once', async (context) => {
    if (fixture.tooLong === undefined) return context.skip('it refuses nothing');
    const tenant = newTenant();
    const log = createDirectLog({ ...fixture.sink, close: async () => {} }, { batchRecords: 100 });
    const attributes = { text: 'x'.repeat(fixture.tooLong + 100) };
    for (let i = 1; i <= 1_000; i++) log.append(decisionEntry({ tenant, ...(i === 500 ? { attributes } : {}) }));
    await log.close(20_000);
    expect(log.stats()).toMatchObject({ written: 999, dropped: 1, failedWrites: 0, pendingBytes: 0 });
    const numbers = numbersOf(await recordsOf(tenant));
    expect(numbers.filter((number) => typeof number === 'number')).toEqual(upTo(1_000).filter((i) => i !== 500));
    expect(numbers.filter((number) => typeof number === 'string')).toEqual(['start', 'gap 500-500', 'stop']);
  });

  test('it can be closed twice, and says where records go', async () => {
    await fixture.sink.close();
    await fixture.sink.close();
    expect(fixture.sink.description).not.toBe('');
  });
});
