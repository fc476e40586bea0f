// Decisions for tests of the log: one constructor, and what a sink in memory received.
import { BufferedDecisionLog, type BufferedLogOptions } from '../../src/decision-log/buffered-log.ts';
import { createMarks, type GapCause } from '../../src/decision-log/chain/marks.ts';
import type { Content } from '../../src/decision-log/content/content.ts';
import { DirectOutlet } from '../../src/decision-log/direct-outlet.ts';
import { createEncoder } from '../../src/decision-log/encode.ts';
import type { DecisionEntry } from '../../src/decision-log/log.ts';
import { type LogRecord, parseRecord } from '../../src/decision-log/record.ts';
import type { Batch, Refused, Sink } from '../../src/decision-log/sink.ts';

export const someTime = Date.parse('2026-03-04T05:06:07.089Z');

export function decisionEntry(overrides: Partial<DecisionEntry> = {}): DecisionEntry {
  return {
    id: '01JABCDEFGHJKMNPQRSTVWXYZ0',
    time: someTime,
    tenant: 'default',
    subject: 'user:alice',
    action: 'read',
    object: 'doc:42',
    allowed: true,
    enforcedAllowed: true,
    reason: 'ALLOWED',
    binding: '["group:ops","viewer","*","allow"]',
    revision: 'e1.7',
    dataAgeMs: 0,
    mode: 'enforce',
    source: 'check',
    reach: 'inherited',
    caller: 'unix',
    traceId: '',
    assertedGroups: undefined,
    activeRoles: undefined,
    attributes: undefined,
    results: -1,
    path: undefined,
    ...overrides,
  };
}

/** Whole lines of an instance and tenant that no chain links. */
export function createLines(instance: string, tenant: string, content?: Content) {
  const encoder = createEncoder(instance, tenant, content);
  const marks = createMarks(instance, tenant);
  return {
    decision: (entry: DecisionEntry, seq: number) => `${encoder.decision(entry, seq)}}\n`,
    gap: (first: number, last: number, cause: GapCause, nowMs: number) =>
      `${marks.gap({ first, last }, cause, nowMs)}}\n`,
  };
}

/** The decisions and gaps in whole lines: not what is said about the chain. */
export function recordsOf(parts: readonly string[]): LogRecord[] {
  return linesOf(parts)
    .filter((line) => !/^\{"type":"(start|stop|seal)"/.test(line))
    .map(parseRecord);
}

export function linesOf(parts: readonly string[]): string[] {
  return parts.flatMap((part) => part.match(/[^\n]*\n/g) ?? []);
}

/** A log without a spool, whose first attempts follow each other at once. */
export function createDirectLog(sink: Sink, options: Partial<BufferedLogOptions> & { retryMinMs?: number } = {}) {
  const { instance = 'i-1', now = () => someTime, onEvent = () => {}, retryMinMs = 1, ...rest } = options;
  const outlet = new DirectOutlet({
    instance,
    sink,
    retryMinMs,
    retryMaxMs: 2,
    onEvent,
    now,
    logFacts: () => '{}',
    lostMs: 0,
    sealIntervalMs: 3_600_000,
    sealLines: 1_000_000,
    sign: undefined,
  });
  return new BufferedDecisionLog({ instance, outlet, intervalMs: 1, now, onEvent, ...rest });
}

/** The numbers that records and gaps stand for, such as [1, 2, 'gap 3-5', 6]; of other lines, their type. */
export function numbersOf(records: readonly LogRecord[]): (number | string)[] {
  return records.map((record) => {
    if (record.type === 'gap') return `gap ${record.first}-${record.last}`;
    return 'seq' in record ? record.seq : record.type;
  });
}

export async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export interface MemorySink extends Sink {
  readonly records: LogRecord[];
  /** All that it took, as it was written. */
  readonly lines: string[];
  readonly batches: Batch[];
  closed: number;
}

/** Keeps what it gets. `before` runs first: it may reject, hang, or say what is refused. */
export function createMemorySink(
  before: (batch: Batch) => Promise<Refused | undefined> = async () => undefined,
): MemorySink {
  const sink: MemorySink = {
    description: 'memory',
    records: [],
    lines: [],
    batches: [],
    closed: 0,
    async write(batch) {
      const refused = (await before(batch)) ?? [];
      sink.batches.push(batch);
      const kept = linesOf(batch.parts).filter((_, position) => !refused.includes(position));
      sink.lines.push(...kept);
      sink.records.push(...recordsOf(kept));
      return refused;
    },
    async close() {
      sink.closed++;
    },
  };
  return sink;
}
