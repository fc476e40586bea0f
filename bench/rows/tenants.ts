/**
 * One tenant's checks while another one is noisy. The same noise in a tenant that the sidecar does not serve is the
 * control: client, writer and Redis share the processors with it, and what they take is not the sidecar's doing.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { connect } from '../../src/store/redis/connection.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { startRedis } from '../../test/setup/redis-server.ts';
import type { CheckTimes } from '../check-client.ts';
import { randomGraph, sized } from '../graphs.ts';
import { type Helper, startHelper } from '../helper.ts';
import { median, percentile, type Row, ratios } from '../measure.ts';
import { type Observed, startObserved } from '../million/observed.ts';

const bindings = 10_000;
const checksPerSecond = 500;
const rounds = 5;
const roundMs = 2_000;
const warmUpMs = 3_000;
const largeChangeSet = 50_000;

/** Makes a tenant noisy for one round. */
type Noise = (tenant: string) => Promise<void>;

export async function tenantRows(directory: string): Promise<Row[]> {
  const redis = await startRedis();
  const target = parseRedisUrl(redis.url);
  const store = createRedisStore(target);
  const connection = connect(target);
  const graph = [...randomGraph(sized(bindings))].map((record): Change => ({ op: 'put', record }));
  for (const tenant of ['quiet', 'noisy', 'control']) await store.commit(tenant, graph);
  const socket = join(directory, 'tenants.sock');
  const sidecar = await startObserved(
    '--redis',
    redis.url,
    '--tenant=quiet,noisy',
    '--socket',
    socket,
    '--decision-log=off',
    // Latencies are what is measured here, not what is refused for them.
    '--max-queue-delay=10s',
  );
  const client = startHelper('bench/check-client.ts', socket, String(checksPerSecond), String(bindings), 'quiet');
  await during(client, () => delay(warmUpMs));

  const written =
    (perSecond: number): Noise =>
    async (tenant) => {
      const writer = startHelper('bench/writer.ts', redis.url, String(perSecond), String(bindings), tenant);
      await writer.ask('start');
      await delay(roundMs);
      await writer.ask('stop');
      await writer.stop();
    };
  const broken: Noise = async (tenant) => {
    const { records, head } = tenantKeys(tenant);
    await connection.client.hset(records.binding, 'garbage', '{');
    // Of another epoch, as a restored backup: whoever follows must load everything, and cannot.
    await connection.client.hset(head, 'epoch', randomBytes(8).toString('hex'));
    await written(100)(tenant);
    await connection.client.hdel(records.binding, 'garbage');
  };
  const large: Noise = async (tenant) => {
    const records = Array.from({ length: largeChangeSet }, (_, i): EntityRecord => {
      return { kind: 'binding', subject: `user:large${i}`, role: 'role1', scope: `doc:large${i}` };
    });
    await store.commit(
      tenant,
      records.map((record): Change => ({ op: 'put', record })),
    );
    await delay(roundMs / 2);
    await store.commit(
      tenant,
      records.map((record): Change => ({ op: 'delete', kind: 'binding', key: entityKey(record) })),
    );
    await delay(roundMs / 2);
  };

  const rows = [
    await row('changes 1,000 times a second', sidecar, client, written(1_000)),
    await row('has garbage among its records, and changes 100 times a second', sidecar, client, broken),
    await row(`takes change sets of ${largeChangeSet} changes`, sidecar, client, large),
  ];
  await client.stop();
  await sidecar.stop();
  connection.close();
  await store.close();
  await redis.stop();
  return rows;
}

async function row(what: string, sidecar: Observed, client: Helper, noise: Noise): Promise<Row> {
  const p99s = { idle: [] as number[], control: [] as number[], noisy: [] as number[] };
  const pausesMs = { idle: [] as number[], noisy: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    p99s.control.push(await p99During(client, () => noise('control')));
    await sidecar.pauses();
    p99s.idle.push(await p99During(client, () => delay(roundMs)));
    pausesMs.idle.push(await longestOwnMs(sidecar));
    p99s.noisy.push(await p99During(client, () => noise('noisy')));
    pausesMs.noisy.push(await longestOwnMs(sidecar));
  }
  const [idle, control, noisy] = [p99s.idle, p99s.control, p99s.noisy].map((list) => median(list).toFixed(2));
  const times = (list: readonly number[]) => median(ratios(p99s.noisy, list)).toFixed(1);
  return {
    what: `Check p99 of one tenant, idle / while another tenant ${what}`,
    measured: `${idle} ms / ${noisy} ms: ${times(p99s.idle)} times idle, ${times(p99s.control)} times the same noise in a tenant not served (${control} ms); longest pause of the sidecar's own making ${Math.max(...pausesMs.idle).toFixed(1)} ms / ${Math.max(...pausesMs.noisy).toFixed(1)} ms`,
    atLeast: '',
    kept: undefined,
    how: `${checksPerSecond} checks/s over a Unix socket, ${bindings} bindings each; client, writer and Redis on the same two cores; medians of ${rounds} rounds of ${roundMs / 1_000} s`,
  };
}

/** The longest that its main thread was busy with one thing since the last call, what it waited for a processor left out. */
async function longestOwnMs(sidecar: Observed): Promise<number> {
  const { pauses } = await sidecar.pauses();
  return Math.max(0, ...pauses.map(({ ms, waitedMs }) => ms - waitedMs));
}

async function p99During(client: Helper, work: () => Promise<void>): Promise<number> {
  return percentile((await during(client, work)).latenciesMs, 0.99);
}

async function during(client: Helper, work: () => Promise<void>): Promise<CheckTimes> {
  await client.ask('start');
  await work();
  const times = (await client.ask('stop')) as CheckTimes;
  if (times.failed > 0) throw new Error(`${times.failed} checks failed`);
  return times;
}
