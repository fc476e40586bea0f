// Decisions for tests of the log: one constructor, and what a sink in memory received.
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
    ...overrides,
  };
}

export function recordsOf(parts: readonly string[]): LogRecord[] {
  return parts.flatMap((part) => part.split('\n').slice(0, -1).map(parseRecord));
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
    batches: [],
    closed: 0,
    async write(batch) {
      const refused = (await before(batch)) ?? [];
      sink.batches.push(batch);
      sink.records.push(...recordsOf(batch.parts).filter((_, position) => !refused.includes(position)));
      return refused;
    },
    async close() {
      sink.closed++;
    },
  };
  return sink;
}
