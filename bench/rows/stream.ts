/** StreamCheck: one stream, one check a message. */
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { StreamCheckRequestSchema } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { h2load, writeBody } from '../h2load.ts';
import { median, type Row, thousands } from '../measure.ts';
import { startSidecar } from '../sidecar.ts';
import { teamPolicy } from '../team-policy.ts';

const rounds = 5;
const perStream = 50_000;

export async function streamRows(directory: string): Promise<Row[]> {
  const policy = await teamPolicy(directory);
  const messages = Array.from({ length: perStream }, (_, i) => {
    const check = { subject: `user:u${i % 200}`, action: i % 2 === 0 ? 'read' : 'write', object: `doc:d${i % 1_000}` };
    return toBinary(StreamCheckRequestSchema, create(StreamCheckRequestSchema, { id: BigInt(i + 1), check }));
  });
  const body = await writeBody(join(directory, 'stream.bin'), messages);
  const sidecar = await startSidecar(
    '--policy',
    policy,
    '--decision-log=file',
    '--decision-log-dir',
    join(directory, 'stream-log'),
  );
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = (await sidecar.metrics()).get('postern_decisions_total') ?? 0;
    const result = await h2load({
      port: sidecar.port,
      path: '/postern.v1.DecisionService/StreamCheck',
      body,
      requests: 4,
      clients: 1,
      streams: 1,
    });
    const answered = ((await sidecar.metrics()).get('postern_decisions_total') ?? 0) - before;
    if (answered !== 4 * perStream) throw new Error(`of ${4 * perStream} checks ${answered} were answered`);
    // The first round warms up.
    if (round > 0) rates.push(answered / result.seconds);
  }
  const dropped = (await sidecar.metrics()).get('postern_decision_log_dropped_total');
  await sidecar.stop();
  return [
    {
      what: 'StreamCheck, one stream, log on (file)',
      measured: `${thousands(median(rates))} checks/s, ${dropped} dropped`,
      atLeast: '80,000',
      kept: median(rates) >= 80_000,
      how: `h2load -c 1 -m 1, streams of ${thousands(perStream)} messages one after another, median of ${rounds} rounds`,
    },
  ];
}
