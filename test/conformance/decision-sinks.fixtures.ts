// Every kind of sink, with what is at its other end: files, a process behind a pipe, a Redis, a collector of OTLP logs.
// Called by decision-sinks.test.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { parseRecord } from '../../src/decision-log/record.ts';
import type { Sink } from '../../src/decision-log/sink.ts';
import { createFileSink } from '../../src/decision-log/sinks/file.ts';
import { createOtlpSink } from '../../src/decision-log/sinks/otlp.ts';
import { createRedisSink } from '../../src/decision-log/sinks/redis.ts';
import { createStreamSink } from '../../src/decision-log/sinks/stdout.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { createDecisionAppender } from '../../src/store/redis/decision-client.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { startCollector } from '../setup/otlp-collector.ts';
import { canStartRedis, sharedRedisUrl, startRedis } from '../setup/redis-server.ts';

export interface Fixture {
  readonly sink: Sink;
  /** What a reader sees now. */
  lines(tenant: string): Promise<string[]>;
  /** How many characters are too many for one record; absent where none are. */
  readonly tooLong?: number;
  /** Lets nothing be answered until what it returns is called; absent where that cannot be brought about. */
  stall?(): Promise<() => Promise<void>>;
  /** Takes away what is at the other end, until what it returns is called; absent where nothing would bring it back. */
  vanish?(): Promise<() => Promise<void>>;
  end(): Promise<unknown>;
}

const linesOf = (text: string) => text.split('\n').slice(0, -1);
const isOf = (tenant: string) => (line: string) => parseRecord(line).tenant === tenant;

export const fixtures: Record<string, () => Promise<Fixture>> = {
  async file() {
    const directory = await mkdtemp(join(tmpdir(), 'postern-sink-'));
    return {
      sink: createFileSink({ directory, instance: 'i-1' }),
      lines: async (tenant) =>
        linesOf(await readFile(join(directory, tenant, 'decisions-i-1.ndjson'), 'utf8').catch(() => '')),
      async vanish() {
        await rename(directory, `${directory}-away`);
        await writeFile(directory, 'a file where the directory should be');
        return async () => {
          await rm(directory);
          await rename(`${directory}-away`, directory);
        };
      },
      end: () => rm(directory, { recursive: true, force: true }),
    };
  },

  async stdout() {
    const reader = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    reader.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    let marks = 0;
    return {
      sink: createStreamSink(reader.stdin, 'standard output'),
      async lines(tenant) {
        const mark = `mark ${++marks}\n`;
        reader.stdin.write(mark);
        while (!text.includes(mark)) await once(reader.stdout, 'data');
        return linesOf(text.replaceAll(/^mark .*\n/gm, '')).filter(isOf(tenant));
      },
      async stall() {
        reader.kill('SIGSTOP');
        return async () => void reader.kill('SIGCONT');
      },
      async end() {
        reader.stdin.end();
        await once(reader, 'close');
      },
    };
  },

  async redis() {
    const own = canStartRedis
      ? await startRedis({ persistent: true, config: { 'proto-max-bulk-len': '1mb' } })
      : undefined;
    const url = own?.url ?? sharedRedisUrl();
    const connection = connect(parseRedisUrl(url));
    const reader = connect(parseRedisUrl(url));
    const fixture: Fixture = {
      sink: createRedisSink(createDecisionAppender(connection)),
      async lines(tenant) {
        const entries = await (reader.client as Redis).xrange(tenantKeys(tenant).decisions, '-', '+');
        for (const [, fields] of entries) expect(fields).toEqual(['record', expect.any(String)]);
        return entries.map(([, fields]) => fields[1] as string);
      },
      async end() {
        connection.close();
        reader.close();
        await own?.stop();
      },
    };
    if (own === undefined) return fixture;
    return {
      ...fixture,
      tooLong: 1024 * 1024,
      async stall() {
        own.pause();
        return async () => own.resume();
      },
      async vanish() {
        await own.kill();
        return () => own.restart();
      },
    };
  },

  async otlp() {
    const collector = await startCollector();
    const tooLong = 100_000;
    const takeAll = () =>
      collector.answer((records) => ({
        status: records.some(({ body }) => String(body).length > tooLong) ? 400 : 200,
      }));
    takeAll();
    return {
      sink: createOtlpSink({ url: collector.url, instance: 'i-1' }),
      lines: async (tenant) => collector.records.map(({ body }) => String(body)).filter(isOf(tenant)),
      tooLong,
      async stall() {
        const gate = Promise.withResolvers<void>();
        collector.answer(() => gate.promise.then(() => ({})));
        return async () => {
          takeAll();
          gate.resolve();
        };
      },
      async vanish() {
        await collector.stop();
        return () => collector.start();
      },
      end: () => collector.stop(),
    };
  },
};
