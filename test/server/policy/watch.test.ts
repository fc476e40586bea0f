import { once } from 'node:events';
import { fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { type Client, type ClientReadableStream, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WatchEvent } from '../../../src/admin/api.ts';
import {
  PolicyService,
  WatchChangesRequestSchema,
  WatchChangesResponseSchema,
} from '../../../src/gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient, encoded, errorInfoOf, pathOf } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';
import {
  aborted,
  authenticate,
  bearer,
  createFakeAdministration,
  type FakeAdministration,
} from './fake-administration.ts';

const asIs = (bytes: Buffer) => bytes;
const { watchChanges } = PolicyService.method;
const role = { kind: 'role', name: 'viewer', permissions: ['doc:read'] } as const;
const graph: WatchEvent = { kind: 'graph', revision: 'e1.1', first: true, last: true, records: [role] };
const changes: WatchEvent = {
  kind: 'changes',
  changeSet: { revision: { epoch: 'e1', number: 2 }, changes: [{ op: 'delete', kind: 'role', key: 'viewer' }], at: 0 },
};

let administration: FakeAdministration;
let running: RunningServers;
let client: Client;

beforeEach(async () => {
  administration = createFakeAdministration();
  running = await runServers(createFakePdp(), () => '', { administration, authenticate });
  client = createGrpcClient(running.tcp);
});
afterEach(async () => {
  client.close();
  await running.close();
});

function watch(options = {}): ClientReadableStream<Buffer> {
  const metadata = new Metadata();
  metadata.set('authorization', bearer.authorization);
  const request = encoded(WatchChangesRequestSchema, { tenant: 't', since: 'e1.0', onBehalfOf: 'user:b' });
  return client.makeServerStreamRequest(pathOf(watchChanges), asIs, asIs, request, metadata, options);
}

function overHttp(httpVersion: '1.1' | '2', signal = new AbortController().signal) {
  const transport = createConnectTransport({ baseUrl: running.url, httpVersion });
  return createClient(PolicyService, transport).watchChanges({ tenant: 't' }, { headers: bearer, signal });
}

/** Yields these, and then waits for the end of the watch, as one does that goes on. */
async function* thenWait(...events: WatchEvent[]): AsyncGenerator<WatchEvent> {
  yield* events;
  await aborted(signalOf());
}

const signalOf = () => administration.asked[0]?.signal ?? expect.fail('nothing was asked');

describe('WatchChanges over gRPC', () => {
  it('sends the graph, and then the change sets', async () => {
    administration.events = [graph, changes];
    const events = [];
    for await (const bytes of watch()) events.push(fromBinary(WatchChangesResponseSchema, bytes as Buffer).event);
    expect(events).toMatchObject([
      { case: 'graph', value: { revision: 'e1.1', first: true, last: true, records: [{ record: { case: 'role' } }] } },
      { case: 'changeSet', value: { revision: 'e1.2', changes: [{ summary: '- role viewer' }] } },
    ]);
    expect(administration.asked[0]?.request).toEqual([{ tenant: 't', since: 'e1.0', onBehalfOf: 'user:b' }]);
  });

  it('makes no more than its reader takes', async () => {
    let made = 0;
    const large = Array.from({ length: 1_000 }, (_, i) => ({ ...role, name: `${i}`.padEnd(200, 'x') }));
    administration.events = (function* () {
      for (; made < 500; made++) yield { ...graph, records: large } as WatchEvent;
    })();
    const call = watch();
    call.on('error', () => undefined);
    await once(call, 'data');
    call.pause();
    // Made until the buffers on the way are full: it stands still, long before the end.
    let before = -1;
    await vi.waitFor(
      () => {
        const now = made;
        const still = now > 0 && now === before;
        before = now;
        expect(still).toBe(true);
      },
      { timeout: 10_000, interval: 300 },
    );
    expect(made).toBeLessThan(100);
    call.cancel();
    await aborted(signalOf());
  });

  it('ends when its caller goes, or its deadline comes', async () => {
    administration.events = thenWait(graph);
    const call = watch();
    call.on('error', () => undefined);
    await once(call, 'data');
    call.cancel();
    await aborted(signalOf());
    administration.asked.length = 0;
    administration.events = thenWait(graph);
    const late = watch({ deadline: Date.now() + 300 });
    const error = new Promise<ServiceError>((resolve) => late.once('error', resolve));
    late.resume();
    expect(await error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await aborted(signalOf());
    expect(running.errors).toEqual([]);
  });

  it('ends with UNAVAILABLE when the server shuts down, which does not wait for it', async () => {
    administration.events = thenWait(graph);
    const call = watch();
    const error = new Promise<ServiceError>((resolve) => call.once('error', resolve));
    await once(call, 'data');
    await running.servers.close(60_000);
    expect(errorInfoOf(await error).reason).toBe('NOT_READY');
    expect(signalOf().aborted).toBe(true);
  });

  it('ends with the error that administration throws, even in the middle', async () => {
    administration.events = (async function* () {
      yield graph;
      throw new PosternError('LIMIT_EXCEEDED', 'this watch is read too slowly');
    })();
    const call = watch();
    const error = new Promise<ServiceError>((resolve) => call.once('error', resolve));
    const [first] = await once(call, 'data');
    expect(fromBinary(WatchChangesResponseSchema, first as Buffer).event.case).toBe('graph');
    call.resume();
    expect(errorInfoOf(await error).reason).toBe('LIMIT_EXCEEDED');
  });
});

describe.each(['1.1', '2'] as const)('WatchChanges over HTTP/%s', (version) => {
  it('sends the graph, and then the change sets', async () => {
    administration.events = [graph, changes];
    const cases = [];
    for await (const { event } of overHttp(version)) cases.push(event.case);
    expect(cases).toEqual(['graph', 'changeSet']);
  });

  it('ends when its caller goes', async () => {
    administration.events = thenWait(graph);
    const controller = new AbortController();
    const iterator = overHttp(version, controller.signal)[Symbol.asyncIterator]();
    expect((await iterator.next()).value?.event.case).toBe('graph');
    controller.abort();
    await aborted(signalOf());
    expect(running.errors).toEqual([]);
  });

  it('ends with UNAVAILABLE when the server shuts down, which does not wait for it', async () => {
    administration.events = thenWait(graph);
    const iterator = overHttp(version)[Symbol.asyncIterator]();
    await iterator.next();
    const end = iterator.next().then(
      () => expect.fail('went on'),
      (error: unknown) => ConnectError.from(error).code,
    );
    await running.servers.close(60_000);
    expect(await end).toBe(Code.Unavailable);
  });
});
