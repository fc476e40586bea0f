/** BatchCheck of 1,000 different questions, with the decision log off and on. */
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { BatchCheckRequestSchema } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { createRandom } from '../graphs.ts';
import { h2load, writeBody } from '../h2load.ts';
import { inTurn, median, type Row, thousands } from '../measure.ts';
import { startSidecar } from '../sidecar.ts';
import { teamPolicy } from '../team-policy.ts';

const rounds = 5;
const size = 1_000;

export async function batchRows(directory: string): Promise<Row[]> {
  const policy = await teamPolicy(directory);
  const random = createRandom(3);
  const actions = ['read', 'write', 'delete', 'share'];
  const checks = Array.from({ length: size }, () => ({
    subject: `user:u${random(200)}`,
    action: actions[random(4)] as string,
    object: `doc:d${random(1_000)}`,
  }));
  const request = toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, { checks }));
  const body = await writeBody(join(directory, 'batch.bin'), [request]);
  const off = await startSidecar('--policy', policy, '--decision-log=off');
  const on = await startSidecar(
    '--policy',
    policy,
    '--decision-log=file',
    '--decision-log-dir',
    join(directory, 'batch-log'),
  );
  const load = (port: number) => async () => {
    const result = await h2load({
      port,
      path: '/postern.v1.DecisionService/BatchCheck',
      body,
      requests: 2_000,
      clients: 2,
      streams: 2,
    });
    return result.requestsPerSecond * size;
  };
  await inTurn(1, load(off.port), load(on.port));
  const [without, logged] = (await inTurn(rounds, load(off.port), load(on.port))) as [number[], number[]];
  const dropped = (await on.metrics()).get('postern_decision_log_dropped_total');
  await Promise.all([off.stop(), on.stop()]);
  const how = `h2load -c 2 -m 2, 2,000 batches of ${size} different checks, median of ${rounds} rounds in turn`;
  return [
    {
      what: 'BatchCheck of 1,000, log off',
      measured: `${thousands(median(without))} checks/s`,
      atLeast: '600,000',
      kept: median(without) >= 600_000,
      how,
    },
    {
      what: 'BatchCheck of 1,000, log on (file)',
      measured: `${thousands(median(logged))} checks/s, ${dropped} dropped`,
      atLeast: '300,000, none dropped',
      kept: median(logged) >= 300_000 && dropped === 0,
      how,
    },
  ];
}
