/** Unary Check with the decision log on, against a bare grpc-js echo of the same messages under the same load. */
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { CheckRequestSchema } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { h2load, writeBody } from '../h2load.ts';
import { inTurn, median, type Row, ratios, thousands } from '../measure.ts';
import { startScript, startSidecar } from '../sidecar.ts';
import { teamPolicy } from '../team-policy.ts';

const rounds = 5;

export async function checkRows(directory: string): Promise<Row[]> {
  const policy = await teamPolicy(directory);
  const question = { subject: 'user:u17', action: 'write', object: 'doc:d117' };
  const body = await writeBody(join(directory, 'check.bin'), [
    toBinary(CheckRequestSchema, create(CheckRequestSchema, question)),
  ]);
  const echo = await startScript('bench/echo-server.ts');
  const on = await startSidecar(
    '--policy',
    policy,
    '--decision-log=file',
    '--decision-log-dir',
    join(directory, 'check-log'),
  );
  const off = await startSidecar('--policy', policy, '--decision-log=off');
  const load = (port: number) => async () =>
    (
      await h2load({
        port,
        path: '/postern.v1.DecisionService/Check',
        body,
        requests: 120_000,
        clients: 8,
        streams: 16,
      })
    ).requestsPerSecond;
  await inTurn(1, load(echo.port), load(on.port), load(off.port));
  const [echoed, logged, unlogged] = (await inTurn(rounds, load(echo.port), load(on.port), load(off.port))) as [
    number[],
    number[],
    number[],
  ];
  const metrics = await on.metrics();
  const dropped = metrics.get('postern_decision_log_dropped_total');
  const depthOne = async (port: number) =>
    1e6 /
    (await h2load({ port, path: '/postern.v1.DecisionService/Check', body, requests: 10_000, clients: 1, streams: 1 }))
      .requestsPerSecond;
  const latencies = await inTurn(
    rounds,
    () => depthOne(echo.port),
    () => depthOne(on.port),
  );
  await Promise.all([echo.stop(), on.stop(), off.stop()]);
  const share = median(ratios(logged, echoed));
  const how = `h2load -c 8 -m 16 -t 1, 120,000 requests, median of ${rounds} rounds in turn`;
  return [
    {
      what: 'the machine: bare grpc-js echo, which has nothing of Postern in it',
      measured: `${thousands(median(echoed))} requests/s`,
      atLeast: '',
      kept: undefined,
      how,
    },
    {
      what: 'unary Check, decision log on (file), against grpc-js echo',
      measured: `${share.toFixed(2)} (${thousands(median(logged))} of ${thousands(median(echoed))} requests/s; ${dropped} dropped)`,
      atLeast: '0.85',
      kept: share >= 0.85 && dropped === 0,
      how,
    },
    {
      what: 'unary Check, decision log off, against grpc-js echo',
      measured: `${median(ratios(unlogged, echoed)).toFixed(2)} (${thousands(median(unlogged))} requests/s)`,
      atLeast: '',
      kept: undefined,
      how,
    },
    {
      what: 'unary Check, one caller at depth 1 over loopback TCP, mean latency: Postern / echo',
      measured: `${median(latencies[1] as number[]).toFixed(0)} us / ${median(latencies[0] as number[]).toFixed(0)} us`,
      atLeast: '',
      kept: undefined,
      how: 'h2load -c 1 -m 1, 10,000 requests',
    },
  ];
}
