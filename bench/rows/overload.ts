/**
 * More than a sidecar can do: batches of 1,000 checks at a fixed rate, whatever becomes of those before, as many callers
 * together would send them. How much is answered, how late, and what it takes of memory, against what it does at most.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { BatchCheckRequestSchema } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { createRandom } from '../graphs.ts';
import { frame } from '../h2load.ts';
import { percentile, type Row, thousands } from '../measure.ts';
import { startObserved } from '../million/observed.ts';
import type { Child } from '../sidecar.ts';
import { teamPolicy } from '../team-policy.ts';

const size = 1_000;
const connections = 4;
const seconds = 10;
/** In flight, enough to keep the sidecar busy. */
const busy = 8;

const head = {
  ':method': 'POST',
  ':path': '/postern.v1.DecisionService/BatchCheck',
  'content-type': 'application/grpc',
  te: 'trailers',
};

export async function overloadRows(directory: string): Promise<Row[]> {
  const sidecar = await startObserved('--policy', await teamPolicy(directory), '--decision-log=off');
  const sessions = await Promise.all(Array.from({ length: connections }, () => open(sidecar)));
  const body = batchOf(size);
  await atMost(sessions, body);
  const capacity = await atMost(sessions, body);
  const rows: Row[] = [];
  for (const times of [0.5, 2, 4]) {
    sidecar.peakBytes();
    const before = sidecar.residentBytes();
    const outcome = await atRate(sessions, body, capacity * times);
    rows.push(toRow(times, capacity, outcome, before, sidecar.peakBytes()));
  }
  for (const session of sessions) session.destroy();
  await sidecar.stop();
  return rows;
}

function toRow(times: number, capacity: number, outcome: Outcome, before: number, peak: number): Row {
  const goodput = outcome.latenciesMs.length / seconds / Math.min(capacity, capacity * times);
  const p99 = percentile(outcome.latenciesMs, 0.99);
  const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  return {
    what: `BatchCheck of ${thousands(size)} at ${times} times what can be answered`,
    measured: `${(goodput * 100).toFixed(0)} % of that answered, p50 ${percentile(outcome.latenciesMs, 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; ${thousands(outcome.refused)} of ${thousands(outcome.sent)} refused; ${megabytes(before)} MiB, at most ${megabytes(peak)} MiB`,
    atLeast: '',
    kept: undefined,
    how: `${seconds} s at a fixed rate over ${connections} connections, none sent again; at most ${thousands(capacity)} batches/s with ${busy} in flight`,
  };
}

interface Outcome {
  readonly latenciesMs: number[];
  sent: number;
  refused: number;
}

async function open({ port }: Child): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: 2 ** 20 },
    maxSessionMemory: 1_000,
  });
  await once(session, 'connect');
  return session;
}

function batchOf(checks: number): Buffer {
  const random = createRandom(4);
  const actions = ['read', 'write', 'delete', 'share'];
  const questions = Array.from({ length: checks }, () => ({
    subject: `user:u${random(200)}`,
    action: actions[random(4)] as string,
    object: `doc:d${random(1_000)}`,
  }));
  return frame(toBinary(BatchCheckRequestSchema, create(BatchCheckRequestSchema, { checks: questions })));
}

/** Batches a second, each sent when one before is answered. */
async function atMost(sessions: readonly ClientHttp2Session[], body: Buffer): Promise<number> {
  const startedMs = performance.now();
  let answered = 0;
  const worker = async (session: ClientHttp2Session) => {
    while (performance.now() - startedMs < 5_000) if (await ask(session, body)) answered++;
  };
  await Promise.all(Array.from({ length: busy }, (_, i) => worker(sessions[i % connections] as ClientHttp2Session)));
  return answered / ((performance.now() - startedMs) / 1_000);
}

async function atRate(sessions: readonly ClientHttp2Session[], body: Buffer, perSecond: number): Promise<Outcome> {
  const outcome: Outcome = { latenciesMs: [], sent: 0, refused: 0 };
  const open = new Set<Promise<void>>();
  const startedMs = performance.now();
  while (performance.now() - startedMs < seconds * 1_000) {
    const due = ((performance.now() - startedMs) / 1_000) * perSecond;
    for (; outcome.sent < due; outcome.sent++) {
      const askedMs = performance.now();
      const one = ask(sessions[outcome.sent % connections] as ClientHttp2Session, body).then((answered) => {
        if (answered) outcome.latenciesMs.push(performance.now() - askedMs);
        else outcome.refused++;
        open.delete(one);
      });
      open.add(one);
    }
    await sleep(1);
  }
  await Promise.all(open);
  return outcome;
}

/** Whether it was answered; false where it was refused. */
function ask(session: ClientHttp2Session, body: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const stream = session.request(head);
    let status: unknown;
    stream.on('response', (headers) => {
      status = headers['grpc-status'];
    });
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    // A refusal may come before the message is sent, which then has nowhere to go.
    stream.on('error', (error) => {
      if (Number(status) !== 8) reject(error);
    });
    stream.on('close', () => {
      if (Number(status) === 0) resolve(true);
      else if (Number(status) === 8) resolve(false);
      else reject(new Error(`a batch ended with status ${String(status)}`));
    });
    stream.resume();
    stream.end(body);
  });
}
