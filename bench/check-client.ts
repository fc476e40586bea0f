/**
 * A client that asks at a fixed rate over a Unix socket, whether answers come or not, and times each: node
 * bench/check-client.ts SOCKET RATE BINDINGS [TENANT]. Told "start" and "stop" by its parent; at "stop" it sends what it measured.
 */
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { CheckRequestSchema } from '../src/gen/postern/v1/decision_service_pb.ts';
import { randomQuestions, sized } from './graphs.ts';
import { frame } from './h2load.ts';
import { pace } from './pace.ts';

/** What the client sends at "stop". */
export interface CheckTimes {
  /** Of each answered check, from when it was due. */
  readonly latenciesMs: readonly number[];
  /** Checks that failed. */
  readonly failed: number;
}

/** A timer may be this late and no more before its lateness counts: then this process is what held the check up. */
const timerSlackMs = 2;
const headers = {
  ':method': 'POST',
  ':path': '/postern.v1.DecisionService/Check',
  'content-type': 'application/grpc',
  te: 'trailers',
};

const [socket, rate, bindings, tenant] = process.argv.slice(2) as [string, string, string, string?];
const bodies = randomQuestions(sized(Number(bindings)), 5_000).map(({ subject, action, object }) =>
  frame(toBinary(CheckRequestSchema, create(CheckRequestSchema, { tenant: tenant ?? '', subject, action, object }))),
);
const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) });

let latenciesMs: number[] = [];
let failed = 0;
let sent = 0;
let open = 0;
let onIdle = () => {};
let stop = () => {};

function check(dueMs: number): void {
  const fromMs = Math.min(performance.now(), dueMs + timerSlackMs);
  const stream = session.request(headers);
  let answered = false;
  open++;
  stream.on('trailers', (trailers) => {
    if (trailers['grpc-status'] !== '0') return;
    answered = true;
    latenciesMs.push(performance.now() - fromMs);
  });
  stream.on('error', () => {});
  stream.on('close', () => {
    if (!answered) failed++;
    open--;
    if (open === 0) onIdle();
  });
  stream.resume();
  stream.end(bodies[sent++ % bodies.length]);
}

process.on('message', async (message) => {
  if (message === 'start') {
    latenciesMs = [];
    failed = 0;
    stop = pace(Number(rate), check);
    process.send?.('started');
    return;
  }
  stop();
  if (open > 0) await new Promise<void>((resolve) => (onIdle = resolve));
  process.send?.({ latenciesMs, failed } satisfies CheckTimes);
});
process.on('disconnect', () => process.exit());
