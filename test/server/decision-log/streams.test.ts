// Tails that go on: a reader who stands still, and credentials that end, on both transports.
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Code, type ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { afterEach, expect, it, vi } from 'vitest';
import type { DecisionReads } from '../../../src/admin/decisions.ts';
import { type Identity, unauthenticated } from '../../../src/authn/identity.ts';
import type { LogSource } from '../../../src/decision-log/query/source.ts';
import { parseRecord } from '../../../src/decision-log/record.ts';
import { DecisionLogService, TailRequestSchema } from '../../../src/gen/postern/v1/decision_log_service_pb.ts';
import { formatAddress } from '../../../src/server/address.ts';
import { decisionLogServiceOf } from '../../../src/server/decision-log/service.ts';
import { startGrpcServer } from '../../../src/server/grpc/server.ts';
import { startHttpServer } from '../../../src/server/http/server.ts';
import { recheckMs } from '../../../src/server/policy/recheck.ts';
import { decisionLine } from '../../decision-log/query/logs.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { encoded, pathOf } from '../grpc-client.ts';
import { FakeClock } from '../policy/watch-fakes.ts';
import { openGates } from '../servers.ts';
import { as, startLogServers } from './logs.ts';

const { tail } = DecisionLogService.method;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A log without an end, of lines that are large. */
function createEndless() {
  const counts = { read: 0 };
  const attributes = { text: 'x'.repeat(10_000) };
  const source: LogSource = {
    async *scan() {},
    before: async () => [],
    async *follow() {
      for (;;) {
        counts.read++;
        const line = decisionLine('a', counts.read, { attributes });
        yield { line, record: parseRecord(line) };
      }
    },
  };
  return { source, counts };
}

it.each(['gRPC', 'gRPC over HTTP'] as const)(
  'a reader who stands still holds up its own tail, over %s',
  async (over) => {
    const { source, counts } = createEndless();
    const servers = await startLogServers(source);
    closers.push(() => servers.close());
    const url = over === 'gRPC' ? `http://${servers.running.tcp}` : servers.running.url;
    const session: ClientHttp2Session = connect(url, { settings: { initialWindowSize: 1_000 } });
    closers.push(async () => session.destroy());
    const head = { ':method': 'POST', ':path': pathOf(tail), 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ...head, ...as('ada') });
    stream.on('error', () => {});
    const message = encoded(TailRequestSchema, { tenants: ['default'] });
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([frame, message]));
    await once(stream, 'response');
    // It has stopped when nothing more was read for many turns.
    let before = -1;
    await vi.waitFor(
      async () => {
        for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
        const still = counts.read === before;
        before = counts.read;
        expect(still).toBe(true);
      },
      { timeout: 10_000 },
    );
    // A few messages of 256 KiB are on their way.
    expect(counts.read).toBeLessThan(500);
    stream.close();
    await vi.waitFor(() => expect(servers.running.gates.admission.inFlight).toBe(0));
  },
);

it.each(['gRPC', 'Connect'] as const)('a tail does not outlive its credentials, over %s', async (over) => {
  const clock = new FakeClock();
  const ada: Identity = { subject: 'user:ada', operator: false, tenants: undefined, how: 'token' };
  let authenticate = async () => ada;
  const heartbeat = Promise.withResolvers<void>();
  const decisions: DecisionReads = {
    query: async () => ({ found: [], nextPageToken: '' }),
    async *tail(_caller, _asked, signal) {
      yield { entries: [], losses: [], problem: '' };
      await Promise.race([heartbeat.promise, once(signal, 'abort')]);
      if (!signal.aborted) yield { entries: [], losses: [], problem: 'never sent' };
    },
  };
  const services = [decisionLogServiceOf({ decisions, authenticate: () => authenticate(), clock })];
  const loopback = { host: '127.0.0.1', port: 0 };
  const log = { info: () => {}, error: () => {} };
  const options = { address: loopback, socket: undefined, tls: undefined, reflection: false };
  const grpc = await startGrpcServer(createFakePdp(), services, options, openGates(), log);
  const http = await startHttpServer(createFakePdp(), services, loopback, () => '', openGates(), log);
  closers.push(() => Promise.all([grpc.close(0), http.close(0)]));
  const transport =
    over === 'gRPC'
      ? createGrpcTransport({ baseUrl: `http://${formatAddress(grpc.address ?? expect.fail('no gRPC'))}` })
      : createConnectTransport({ baseUrl: `http://${formatAddress(http.address)}`, httpVersion: '1.1' });
  const events = createClient(DecisionLogService, transport).tail({})[Symbol.asyncIterator]();
  expect((await events.next()).done).toBe(false);
  authenticate = async () => {
    throw unauthenticated('the token is not one that is known here');
  };
  const ended = events.next().then(
    () => expect.fail('was sent'),
    ({ code }: ConnectError) => code,
  );
  clock.tick(recheckMs);
  expect(await ended).toBe(Code.Unauthenticated);
});

it('no more tails are open than a process that has questions to answer can bear, and each that ends makes room', async () => {
  const { source } = createEndless();
  const servers = await startLogServers(source);
  closers.push(() => servers.close());
  const open = async () => {
    const abort = new AbortController();
    const asked = { headers: as('ada'), signal: abort.signal };
    const events = servers.transports.gRPC.tail({ tenants: ['default'] }, asked)[Symbol.asyncIterator]();
    await events.next();
    return abort;
  };
  const tails = await Promise.all(Array.from({ length: 16 }, open));
  await expect(open()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  tails[3]?.abort();
  await vi.waitFor(open);
  await expect(open()).rejects.toMatchObject({ code: Code.ResourceExhausted });
  for (const each of tails) each.abort();
});
