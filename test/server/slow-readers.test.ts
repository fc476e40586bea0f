// Callers who ask and never read cost what their windows and a few messages hold, count as in progress, and go when they go.
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Client } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BatchCheckRequestSchema,
  CheckRequestSchema,
  DecisionService,
  ListObjectsRequestSchema,
  StreamCheckRequestSchema,
} from '../../src/gen/postern/v1/decision_service_pb.ts';
import { createFakePdp, type FakePdp } from './fake-pdp.ts';
import { createGrpcClient, encoded, pathOf, unary } from './grpc-client.ts';
import { openGates, type RunningServers, runServers } from './servers.ts';

const { method } = DecisionService;
const allowed = { subject: 'user:read', action: 'read', object: 'doc:1' };
const batch = encoded(BatchCheckRequestSchema, { checks: Array.from({ length: 1_000 }, () => allowed) });
const list = encoded(ListObjectsRequestSchema, { subject: 'user:read', action: 'read', type: 'doc' });
/** More parts than any window holds. */
const objects = 1_000_000;

let pdp: FakePdp;
let running: RunningServers;
let client: Client;
let session: ClientHttp2Session;

beforeEach(async () => {
  pdp = createFakePdp({ objects });
  running = await runServers(pdp, () => '', {}, openGates({ maxInFlight: 4 }));
  client = createGrpcClient(running.tcp);
});
afterEach(async () => {
  session.destroy();
  client.close();
  await running.close();
});

/** A connection on which the server may send so many bytes of a message. */
async function open(windowBytes: number, url = `http://${running.tcp}`): Promise<void> {
  session = connect(url, { settings: { initialWindowSize: windowBytes } });
  await once(session, 'connect');
}

function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function call(path: string, message: Buffer, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers };
  const stream = session.request(head);
  stream.on('error', () => undefined);
  stream.end(frame(message));
  return stream;
}

async function headersOf(stream: ClientHttp2Stream): Promise<Record<string, unknown>> {
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  return headers;
}

const inFlight = (count: number) => vi.waitFor(() => expect(running.gates.admission.inFlight).toBe(count));

/** Lets the server do whatever it still would: it answers others meanwhile. */
async function others(): Promise<void> {
  for (let i = 0; i < 100; i++) expect((await unary(client, method.check, allowed)).decision?.allowed).toBe(true);
}

describe('answers that nobody reads', () => {
  it('of batches are in progress until their reader goes; more are refused meanwhile', async () => {
    await open(0);
    const unread = [1, 2, 3, 4].map(() => call(pathOf(method.batchCheck), batch));
    await Promise.all(unread.map(headersOf));
    await inFlight(4);
    const refused = await headersOf(call(pathOf(method.batchCheck), batch));
    expect(refused['grpc-status']).toBe('8');
    await others();
    expect(running.gates.admission.inFlight).toBe(4);
    unread[0]?.close();
    await inFlight(3);
    session.destroy();
    await inFlight(0);
  });

  it('of batches over HTTP are, too', async () => {
    await open(0, running.url);
    const body = JSON.stringify({ checks: Array.from({ length: 1_000 }, () => allowed) });
    const path = '/postern.v1.DecisionService/BatchCheck';
    for (let i = 0; i < 5; i++) {
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' });
      stream.on('error', () => undefined);
      stream.end(body);
      expect((await headersOf(stream))[':status']).toBe(i < 4 ? 200 : 429);
    }
    session.destroy();
    await inFlight(0);
  });

  it.each(['gRPC', 'HTTP'])('of a list are made no further than a few parts, over %s', async (transport) => {
    await open(65_535, transport === 'HTTP' ? running.url : undefined);
    const looked = vi.spyOn(running.gates.longWork, 'advance');
    await headersOf(call(pathOf(method.listObjects), list));
    await others();
    const made = looked.mock.calls.length;
    expect(made).toBeLessThan(20);
    await others();
    expect(looked).toHaveBeenCalledTimes(made);
    session.destroy();
    await vi.waitFor(() => expect(pdp.lists).toEqual([{ ended: true }]));
    await inFlight(0);
  });

  it('of a stream of checks stop its questions from being read', async () => {
    await open(65_535);
    const stream = session.request({
      ':method': 'POST',
      ':path': pathOf(method.streamCheck),
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    const questions = Buffer.concat(
      Array.from({ length: 20_000 }, (_, id) =>
        frame(encoded(StreamCheckRequestSchema, { id: BigInt(id), check: allowed })),
      ),
    );
    stream.write(questions);
    await headersOf(stream);
    await others();
    const asked = () => pdp.calls.filter((one) => one.call.source === 'stream').length;
    const answered = asked();
    expect(answered).toBeLessThan(5_000);
    await others();
    expect(asked()).toBe(answered);
    stream.resume();
    await vi.waitFor(() => expect(asked()).toBe(20_000), { timeout: 10_000 });
  });
});

describe('a call whose deadline has passed when it comes', () => {
  it('is not answered, and leaves no record', async () => {
    await open(65_535);
    const headers = await headersOf(
      call(pathOf(method.check), encoded(CheckRequestSchema, allowed), { 'grpc-timeout': '0m' }),
    );
    expect(headers['grpc-status']).toBe('4');
    expect(pdp.calls).toEqual([]);
  });
});
