// Every sink must pass this one suite: files, a stream like stdout, and a real Redis.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LogRecord, parseRecord } from '../../src/decision-log/record.ts';
import { type Batch, maxPartRecords, type Sink } from '../../src/decision-log/sink.ts';
import { createFileSink } from '../../src/decision-log/sinks/file.ts';
import { createRedisSink } from '../../src/decision-log/sinks/redis.ts';
import { createStreamSink } from '../../src/decision-log/sinks/stdout.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender } from '../../src/store/redis/decision-client.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { createDirectLog, createLines, decisionEntry, numbersOf } from '../decision-log/entries.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';

interface Fixture {
  readonly sink: Sink;
  /** What a reader sees now. */
  lines(tenant: string): Promise<string[]>;
  end(): Promise<void>;
}

const makers: Record<string, () => Promise<Fixture>> = {
  async file() {
    const directory = await mkdtemp(join(tmpdir(), 'postern-sink-'));
    const sink = createFileSink({ directory, instance: 'i-1' });
    return {
      sink,
      async lines(tenant) {
        const text = await readFile(join(directory, tenant, 'decisions-i-1.ndjson'), 'utf8').catch(() => '');
        return text.split('\n').slice(0, -1);
      },
      end: () => rm(directory, { recursive: true, force: true }),
    };
  },
  async stream() {
    const stream = new PassThrough();
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return {
      sink: createStreamSink(stream, 'standard output'),
      async lines(tenant) {
        return text.split('\n').filter((line) => line !== '' && parseRecord(line).tenant === tenant);
      },
      end: async () => void stream.destroy(),
    };
  },
  async redis() {
    const connection = connect(parseRedisUrl(sharedRedisUrl()));
    const redis = connection.client as Redis;
    return {
      sink: createRedisSink(createDecisionAppender(connection), 0),
      async lines(tenant) {
        return (await redis.xrange(tenantKeys(tenant).decisions, '-', '+')).map(([, fields]) => {
          expect(fields[0]).toBe('record');
          expect(fields).toHaveLength(2);
          return fields[1] as string;
        });
      },
      end: async () => connection.close(),
    };
  },
};

let tenants = 0;
/** Redis is shared by all tests of a run. */
const newTenant = () => `sink-${process.pid}-${++tenants}`;

function toBatch(tenant: string, first: number, last: number): Batch {
  const encoder = createLines('i-1', tenant);
  const lines = Array.from({ length: last - first + 1 }, (_, i) =>
    encoder.decision(decisionEntry({ tenant, object: 'doc:"é"\u2028\\ 😀' }), first + i),
  );
  const parts: string[] = [];
  for (let i = 0; i < lines.length; i += maxPartRecords) parts.push(lines.slice(i, i + maxPartRecords).join(''));
  return { tenant, parts, records: lines.length };
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe.each(Object.entries(makers))('%s', (_, make) => {
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

  test('a log on top of it writes every decision once', async () => {
    const tenant = newTenant();
    const keepsOpen: Sink = { ...fixture.sink, close: async () => {} };
    const log = createDirectLog(keepsOpen, { batchRecords: 100 });
    for (let i = 0; i < 5_000; i++) log.append(decisionEntry({ tenant }));
    await log.close(20_000);
    expect(log.stats()).toMatchObject({ written: 5_000, dropped: 0, failedWrites: 0, pendingBytes: 0 });
    expect(numbersOf(await recordsOf(tenant))).toEqual(upTo(5_000));
  });

  test('it can be closed twice, and says where records go', async () => {
    await fixture.sink.close();
    await fixture.sink.close();
    expect(fixture.sink.description).not.toBe('');
  });
});
