/** What the rows about the decision log share: a Redis behind a proxy, a graph in it, and sidecars that record there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { BatchCheckRequestSchema, CheckRequestSchema } from '../src/gen/postern/v1/decision_service_pb.ts';
import type { Change } from '../src/model/change.ts';
import { createRedisStore } from '../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../src/store/redis/target.ts';
import { type FaultProxy, startFaultProxy } from '../test/setup/fault-proxy.ts';
import { startRedis } from '../test/setup/redis-server.ts';
import type { CheckTimes } from './check-client.ts';
import { randomGraph, randomQuestions, sized } from './graphs.ts';
import { h2load, writeBody } from './h2load.ts';
import { startHelper } from './helper.ts';
import { type Child, startSidecar } from './sidecar.ts';

export const bindings = 10_000;
export const checksPerSecond = 500;
const batchSize = 1_000;

export interface LogSetting {
  readonly proxy: FaultProxy;
  /** A sidecar of the graph whose decisions go where the flags say. */
  start(name: string, ...flags: string[]): Promise<LoggedSidecar>;
  close(): Promise<void>;
}

export interface LoggedSidecar {
  readonly child: Child;
  /** Unary Checks a second from h2load. */
  rate(requests: number): Promise<number>;
  /** Latencies of so many milliseconds of 500 checks/s over the Unix socket. */
  latenciesMs(durationMs: number): Promise<readonly number[]>;
  /** So many decisions, by batches. */
  decide(thousands: number): Promise<void>;
  metric(name: string): Promise<number>;
  /** Resident memory now, in bytes. */
  residentBytes(): number;
}

export async function createLogSetting(directory: string): Promise<LogSetting> {
  const redis = await startRedis();
  const store = createRedisStore(parseRedisUrl(redis.url));
  await store.commit(
    'default',
    [...randomGraph(sized(bindings))].map((record): Change => ({ op: 'put', record })),
  );
  await store.close();
  const proxy = await startFaultProxy(Number(new URL(redis.url).port));
  const questions = randomQuestions(sized(bindings), batchSize);
  const checks = questions.map(({ subject, action, object }) => ({ subject, action, object }));
  const check = await writeBody(join(directory, 'log-check.bin'), [
    toBinary(CheckRequestSchema, create(CheckRequestSchema, checks[0])),
  ]);
  const batch = await writeBody(join(directory, 'log-batch.bin'), [
    toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, { checks })),
  ]);
  return {
    proxy,
    async start(name, ...flags) {
      const socket = join(directory, `${name}.sock`);
      const files = ['--decision-log-dir', join(directory, `log-${name}`)];
      const child = await startSidecar(
        '--redis',
        `redis://127.0.0.1:${proxy.port}`,
        '--socket',
        socket,
        ...files,
        ...flags,
      );
      const load = (path: string, body: string, requests: number, clients: number, streams: number) =>
        h2load({ port: child.port, path: `/postern.v1.DecisionService/${path}`, body, requests, clients, streams });
      return {
        child,
        rate: async (requests) => (await load('Check', check, requests, 8, 16)).requestsPerSecond,
        async latenciesMs(durationMs) {
          const client = startHelper('bench/check-client.ts', socket, String(checksPerSecond), String(bindings));
          await client.ask('start');
          await new Promise((resolve) => setTimeout(resolve, durationMs));
          const { latenciesMs, failed } = (await client.ask('stop')) as CheckTimes;
          await client.stop();
          if (failed > 0) throw new Error(`${failed} checks failed`);
          return latenciesMs;
        },
        decide: async (count) => void (await load('BatchCheck', batch, count, 1, 1)),
        metric: async (metric) => (await child.metrics()).get(`postern_decision_log_${metric}`) ?? 0,
        residentBytes() {
          const status = readFileSync(`/proc/${child.process.pid}/status`, 'utf8');
          return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
        },
      };
    },
    async close() {
      await proxy.close();
      await redis.stop();
    },
  };
}
