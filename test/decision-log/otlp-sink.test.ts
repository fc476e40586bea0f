// The OTLP sink against a collector behind a real socket: what it sends, and what each answer means for a batch.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sink } from '../../src/decision-log/sink.ts';
import { createOtlpSink, type OtlpSinkOptions } from '../../src/decision-log/sinks/otlp.ts';
import { parseRetryAfter } from '../../src/decision-log/sinks/otlp-client.ts';
import { type Collector, partialSuccess, startCollector } from '../setup/otlp-collector.ts';
import { createLines, decisionEntry } from './entries.ts';

let collector: Collector;
const sinks: Sink[] = [];

beforeEach(async () => {
  collector = await startCollector();
});
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close();
  await collector.stop();
});

function open(options: Partial<OtlpSinkOptions> = {}): Sink {
  const sink = createOtlpSink({ url: collector.url, instance: 'i-1', ...options });
  sinks.push(sink);
  return sink;
}

const batchOf = (lines: readonly string[]) => ({
  tenant: 'default',
  parts: [lines.map((line) => `${line}\n`).join('')],
  records: lines.length,
});
const plain = (count: number) => Array.from({ length: count }, (_, i) => `{"seq":${i + 1}}`);
const bodies = () => collector.records.map(({ body }) => body);
const isBad = ({ body }: { body: unknown }) => body === '{"seq":3}' || body === '{"seq":7}';

test('a decision is a log record with the line as its body, and what people search for as attributes', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const encoder = createLines('i-1', 'acme');
  const line = encoder.decision(decisionEntry({ tenant: 'acme', traceId, object: 'doc:"é"😀', allowed: false }), 7);
  const before = Date.now();
  expect(await open().write({ tenant: 'acme', parts: [line], records: 1 })).toEqual([]);
  const record = collector.records[0];
  expect(record).toMatchObject({
    body: line.slice(0, -1),
    severityNumber: 9,
    severityText: 'INFO',
    eventName: 'postern.decision',
    timeUnixNano: BigInt(Date.parse('2026-03-04T05:06:07.089Z')) * 1_000_000n,
    traceId,
    spanId: '',
    scope: 'postern.decision-log',
    resource: { 'service.name': 'postern', 'service.instance.id': 'i-1' },
  });
  expect(record?.attributes).toEqual({
    'postern.id': '01JABCDEFGHJKMNPQRSTVWXYZ0',
    'postern.instance': 'i-1',
    'postern.seq': 7,
    'postern.tenant': 'acme',
    'postern.subject': 'user:alice',
    'postern.action': 'read',
    'postern.object': 'doc:"é"😀',
    'postern.allowed': false,
    'postern.reason': 'ALLOWED',
  });
  expect(Number(record?.observedTimeUnixNano ?? 0n) / 1e6).toBeGreaterThanOrEqual(before - 1);
  expect(Number(record?.observedTimeUnixNano ?? 0n) / 1e6).toBeLessThanOrEqual(Date.now() + 1);
});

test('a gap is a warning, and a line of a kind that is not known goes out as it is', async () => {
  const gap = '{"type":"gap","instance":"i-1","time":"2026-03-04T05:06:07.000Z","tenant":"t","first":3,"last":9}';
  await open().write(batchOf([gap, '{"type":"seal","time":"never"}', 'no JSON', '[1]', '{"trace_id":"xyz"}']));
  expect(bodies()).toEqual([gap, '{"type":"seal","time":"never"}', 'no JSON', '[1]', '{"trace_id":"xyz"}']);
  expect(collector.records.map(({ eventName, severityText }) => `${eventName} ${severityText}`)).toEqual([
    'postern.gap WARN',
    'postern.seal INFO',
    'postern.decision INFO',
    'postern.decision INFO',
    'postern.decision INFO',
  ]);
  expect(collector.records[0]?.attributes).toMatchObject({ 'postern.first': 3, 'postern.last': 9 });
  expect(collector.records[2]?.attributes).toEqual({});
  expect(collector.records[4]?.traceId).toBe('');
});

test('parts go out one request each, over one connection', async () => {
  const parts = [plain(3), plain(2)].map((lines) => lines.map((line) => `${line}\n`).join(''));
  await open().write({ tenant: 'default', parts, records: 5 });
  expect(collector.requests).toEqual([3, 2]);
  expect(collector.connections()).toBe(1);
});

describe('a collector that rejects some', () => {
  test('by a count: those that it rejects alone are refused, and all others are there', async () => {
    collector.answer((records) => {
      const rejected = records.filter(isBad).length;
      return { keep: (record) => !isBad(record), ...(rejected > 0 ? { body: partialSuccess(rejected) } : {}) };
    });
    expect(await open().write(batchOf(plain(10)))).toEqual([2, 6]);
    expect([...new Set(bodies())]).toEqual(plain(10).filter((body) => !isBad({ body })));
  });

  test('by a count in JSON, as some answer', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    collector.answer((records) => {
      const rejectedLogRecords = String(records.filter(isBad).length);
      return {
        headers,
        keep: (record) => !isBad(record),
        body: JSON.stringify({ partialSuccess: { rejectedLogRecords } }),
      };
    });
    expect(await open().write(batchOf(plain(10)))).toEqual([2, 6]);
  });

  test('by a count of all: none is sent again', async () => {
    collector.answer((records) => ({ keep: () => false, body: partialSuccess(records.length) }));
    expect(await open().write(batchOf(plain(3)))).toEqual([0, 1, 2]);
    expect(collector.requests).toEqual([3]);
  });

  test('by a warning that rejects none: all is taken', async () => {
    collector.answer(() => ({ body: partialSuccess(0) }));
    expect(await open().write(batchOf(plain(3)))).toEqual([]);
    expect(collector.requests).toEqual([3]);
  });

  test.for([400, 413])('by a status of %i for the request: each of the others comes once', async (status) => {
    collector.answer((records) => ({ status: records.some(isBad) ? status : 200 }));
    expect(await open().write(batchOf(plain(10)))).toEqual([2, 6]);
    expect(bodies()).toEqual(plain(10).filter((body) => !isBad({ body })));
  });

  test('by a status for a single record: it is refused, for a request without any is taken', async () => {
    collector.answer((records) => ({ status: records.length > 0 ? 400 : 200 }));
    expect(await open().write(batchOf(plain(1)))).toEqual([0]);
    expect(collector.requests).toEqual([1, 0]);
  });
});

describe('nothing is refused, and the batch comes again, where', () => {
  test('nothing at all is taken, so that it cannot be the records', async () => {
    collector.answer(() => ({ status: 400, body: 'what is this?' }));
    await expect(open().write(batchOf(plain(1)))).rejects.toThrow('takes nothing');
    await expect(open().write(batchOf(plain(1_000)))).rejects.toThrow('answered 400: what is this?');
    expect(collector.requests.length).toBeLessThan(40);
  });

  test.for([301, 401, 403, 404, 408, 429, 500, 502, 503, 504])('the status is %i', async (status) => {
    collector.answer(() => ({ status, body: 'too\nbusy' }));
    await expect(open().write(batchOf(plain(2)))).rejects.toThrow(
      `OTLP logs at ${collector.url.href} answered ${status}: too busy`,
    );
    expect(collector.requests).toEqual([2]);
  });

  test('the answer is that of a server which knows nothing of OTLP', async () => {
    collector.answer(() => ({ headers: { 'content-type': 'text/html' }, body: '<h1>Hello</h1>' }));
    await expect(open().write(batchOf(plain(2)))).rejects.toThrow('answered 200: <h1>Hello</h1>');
  });

  test('nobody listens', async () => {
    await collector.stop();
    await expect(open().write(batchOf(plain(2)))).rejects.toThrow(/OTLP logs at .*ECONNREFUSED/);
  });

  test('the collector hangs up', async () => {
    collector.answer(() => ({ hangUp: true, status: 500 }));
    await expect(open().write(batchOf(plain(2)))).rejects.toThrow(/socket hang up|ECONNRESET/);
  });

  test('no answer comes in time', async () => {
    const gate = Promise.withResolvers<void>();
    collector.answer(() => gate.promise.then(() => ({})));
    await expect(open({ timeoutMs: 50 }).write(batchOf(plain(2)))).rejects.toThrow('no answer in 50 ms');
    gate.resolve();
  });

  test('the answer has no end', async () => {
    collector.answer(() => ({ body: 'x'.repeat(100_000) }));
    await expect(open().write(batchOf(plain(2)))).rejects.toThrow('longer than 65536 bytes');
  });
});

test('a collector that asked to be left alone hears nothing before it is time', async () => {
  collector.answer(() => ({ status: 429, headers: { 'retry-after': '30' } }));
  const sink = open();
  await expect(sink.write(batchOf(plain(2)))).rejects.toThrow('answered 429');
  collector.answer();
  await expect(sink.write(batchOf(plain(2)))).rejects.toThrow('left alone for 30 s, as it asked');
  expect(collector.requests).toEqual([2]);
});

test.for([
  { value: undefined, ms: 0 },
  { value: '3', ms: 3_000 },
  { value: 'Wed, 04 Mar 2026 05:06:37 GMT', ms: 30_000 },
  { value: 'Wed, 04 Mar 2026 05:06:00 GMT', ms: 0 },
  { value: 'soon', ms: 0 },
  { value: '-1', ms: 0 },
])('Retry-After $value is $ms ms', ({ value, ms }) => {
  expect(parseRetryAfter(value, Date.parse('2026-03-04T05:06:07Z'))).toBe(ms);
});

test('headers are sent, and read again after they were not accepted', async () => {
  let token = 'old';
  const sink = open({ headers: async () => ({ authorization: `Bearer ${token}` }) });
  collector.answer((_, headers) => ({ status: headers.authorization === 'Bearer new' ? 200 : 401 }));
  await expect(sink.write(batchOf(plain(1)))).rejects.toThrow('answered 401');
  token = 'new';
  expect(await sink.write(batchOf(plain(1)))).toEqual([]);
  expect(collector.headers['content-type']).toBe('application/x-protobuf');
});

test('a record that is longer than the collector takes costs the others nothing, although it hangs up meanwhile', async () => {
  const lines = plain(3);
  const long = JSON.stringify({ text: 'x'.repeat(8_000_000) });
  collector.limit(1_000_000);
  expect(await open().write(batchOf([...lines, long, ...lines]))).toEqual([3]);
  expect(bodies()).toEqual([...lines, ...lines]);
});

test('what is in flight ends when the sink is closed', async () => {
  const asked = Promise.withResolvers<void>();
  collector.answer(async () => {
    asked.resolve();
    await new Promise(() => {});
    return {};
  });
  const sink = open();
  const writing = sink.write(batchOf(plain(1)));
  await asked.promise;
  await nextTurn();
  await sink.close();
  await expect(writing).rejects.toThrow();
});
