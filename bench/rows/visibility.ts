/** From a commit to the first answer of a following sidecar that knows of it, through a real Redis. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { CheckRequestSchema, CheckResponseSchema } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { type Change, formatRevision } from '../../src/model/change.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { startRedis } from '../../test/setup/redis-server.ts';
import { randomGraph, sized } from '../graphs.ts';
import { percentile, type Row } from '../measure.ts';
import { startSidecar } from '../sidecar.ts';

const commits = 1_000;
const bindings = 10_000;

export async function visibilityRows(): Promise<Row[]> {
  const redis = await startRedis();
  const store = createRedisStore(parseRedisUrl(redis.url));
  const graph = [...randomGraph(sized(bindings))].map((record): Change => ({ op: 'put', record }));
  await store.commit('default', graph);
  const sidecar = await startSidecar('--redis', redis.url, '--decision-log=redis');
  const client = new Client(`127.0.0.1:${sidecar.port}`, credentials.createInsecure());
  const visibleMs: number[] = [];
  const commitMs: number[] = [];
  for (let i = 0; i < commits + 50; i++) {
    const subject = `user:new${i}`;
    const started = performance.now();
    const revision = await store.commit('default', [
      { op: 'put', record: { kind: 'binding', subject, role: 'role15', scope: 'folder:core0' } },
    ]);
    commitMs.push(performance.now() - started);
    if (!(await isAllowed(client, subject, formatRevision(revision))))
      throw new Error(`${subject} was denied at its own revision`);
    visibleMs.push(performance.now() - started);
  }
  client.close();
  await sidecar.stop();
  await store.close();
  await redis.stop();
  const warm = visibleMs.slice(50);
  const p99 = percentile(warm, 0.99);
  return [
    {
      what: 'commit to visible in a following sidecar, 10,000 bindings, p50 / p99',
      measured: `${percentile(warm, 0.5).toFixed(1)} ms / ${p99.toFixed(1)} ms (the commit itself ${percentile(commitMs.slice(50), 0.5).toFixed(1)} ms)`,
      atLeast: '10 ms (p99)',
      kept: p99 <= 10,
      how: `from before the commit until a Check with at_least, sent after it, is answered; writer, Redis and sidecar on the same two cores; ${commits} commits`,
    },
  ];
}

function isAllowed(client: Client, subject: string, atLeast: string): Promise<boolean> {
  const request = create(CheckRequestSchema, { subject, action: 'action15', object: 'doc:core', atLeast });
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/postern.v1.DecisionService/Check',
      (message: typeof request) => Buffer.from(toBinary(CheckRequestSchema, message)),
      (bytes: Buffer) => fromBinary(CheckResponseSchema, bytes),
      request,
      { deadline: Date.now() + 5_000 },
      (error, response) => {
        if (error === null) resolve(response?.decision?.allowed === true);
        else reject(error);
      },
    );
  });
}
