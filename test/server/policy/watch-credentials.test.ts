// A watch does not outlive its credentials: over real sockets, with an authenticator and a clock that the test moves.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Credentials, type Identity, unauthenticated } from '../../../src/authn/identity.ts';
import {
  PolicyService,
  WatchChangesRequestSchema,
  WatchChangesResponseSchema,
} from '../../../src/gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { formatAddress, type HostPort } from '../../../src/server/address.ts';
import { startGrpcServer } from '../../../src/server/grpc/server.ts';
import { startHttpServer } from '../../../src/server/http/server.ts';
import { recheckMs, unavailableGraceMs } from '../../../src/server/policy/recheck.ts';
import { policyServiceOf } from '../../../src/server/policy/service.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient, encoded, pathOf } from '../grpc-client.ts';
import { openGates } from '../servers.ts';
import { aborted, alice, bearer, createFakeAdministration, type FakeAdministration } from './fake-administration.ts';
import { FakeClock, Feed } from './watch-fakes.ts';

/** A watch that is open, as its reader sees it. */
interface Reader {
  /** Revisions that came. */
  readonly heard: string[];
  /** The code and the text of the status it ended with. */
  readonly end: Promise<{ readonly code: number; readonly message: string }>;
  leave(): void;
}

const log = { info: () => undefined, error: (fields: object) => void defects.push(fields) };
const loopback: HostPort = { host: '127.0.0.1', port: 0 };
const { watchChanges } = PolicyService.method;
const asIs = (bytes: Buffer) => bytes;

let defects: object[];
let clock: FakeClock;
let administration: FakeAdministration;
let feed: Feed;
/** What the credentials are now; and how often somebody looked. */
let judge: (credentials: Credentials) => Promise<Identity>;
let looks: Credentials[];
let target: string;
let url: string;
let client: Client;
let closeServers: (deadlineMs?: number) => Promise<void>;

beforeEach(async () => {
  defects = [];
  looks = [];
  clock = new FakeClock();
  administration = createFakeAdministration();
  feed = new Feed(signalOf);
  administration.events = feed;
  judge = async () => alice;
  const authenticate = (credentials: Credentials) => {
    looks.push(credentials);
    return judge(credentials);
  };
  const services = [policyServiceOf({ administration, authenticate, clock })];
  const options = { address: loopback, socket: undefined, tls: undefined, reflection: false };
  const grpc = await startGrpcServer(createFakePdp(), services, options, openGates(), log);
  const http = await startHttpServer(createFakePdp(), services, loopback, () => '', openGates(), log);
  target = formatAddress(grpc.address ?? expect.fail('gRPC does not listen'));
  url = `http://${formatAddress(http.address)}`;
  client = createGrpcClient(target);
  closeServers = async (deadlineMs = 0) => {
    await Promise.all([grpc.close(deadlineMs), http.close(deadlineMs)]);
  };
});
afterEach(async () => {
  client.close();
  await closeServers();
  expect(clock.timers.size).toBe(0);
});

function signalOf(): AbortSignal {
  return administration.asked[0]?.signal ?? expect.fail('nothing was asked');
}

function overGrpc(): Reader {
  const metadata = new Metadata();
  metadata.set('authorization', bearer.authorization);
  const request = encoded(WatchChangesRequestSchema, { tenant: 't' });
  const call = client.makeServerStreamRequest(pathOf(watchChanges), asIs, asIs, request, metadata);
  const heard: string[] = [];
  call.on('data', (bytes: Buffer) => heard.push(revisionOf(fromBinary(WatchChangesResponseSchema, bytes).event)));
  const end = new Promise<{ code: number; message: string }>((resolve) => {
    call.once('end', () => resolve({ code: status.OK, message: '' }));
    call.once('error', ({ code, details }: ServiceError) => resolve({ code, message: details }));
  });
  return { heard, end, leave: () => call.cancel() };
}

function overConnect(): Reader {
  const controller = new AbortController();
  const transport = createConnectTransport({ baseUrl: url, httpVersion: '1.1' });
  const { signal } = controller;
  const events = createClient(PolicyService, transport).watchChanges({ tenant: 't' }, { headers: bearer, signal });
  const heard: string[] = [];
  const read = async () => {
    try {
      for await (const { event } of events) heard.push(revisionOf(event));
      return { code: status.OK, message: '' };
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      return { code: code as number, message: rawMessage };
    }
  };
  return { heard, end: read(), leave: () => controller.abort() };
}

function revisionOf(event: { case: string | undefined; value?: unknown }): string {
  return event.case === 'changeSet' ? (event.value as { revision: string }).revision : expect.fail('no change set');
}

const revoked = async () => {
  throw unauthenticated('the token is not one that is known here');
};
const unavailable = async () => {
  throw new PosternError('AUTH_UNAVAILABLE', 'the keys cannot be had');
};

describe.each([
  ['gRPC', overGrpc],
  ['Connect', overConnect],
])('a watch over %s', (_, open) => {
  /** Open, and the first event has come. */
  async function opened(): Promise<Reader> {
    const reader = open();
    await vi.waitFor(() => expect(clock.timers.size).toBe(1));
    feed.push();
    await vi.waitFor(() => expect(reader.heard).toEqual(['e1.1']));
    return reader;
  }

  /** The timer ran, and what it found has been taken in. */
  async function looked(ms?: number): Promise<void> {
    const before = looks.length;
    clock.tick(ms);
    await vi.waitFor(() => expect(looks).toHaveLength(before + 1));
    await nextTurn();
  }

  it('goes on while its credentials count, and shows the same ones each time', async () => {
    const reader = await opened();
    expect(clock.periods).toEqual([recheckMs]);
    await looked();
    await looked();
    feed.push();
    await vi.waitFor(() => expect(reader.heard).toEqual(['e1.1', 'e1.2']));
    expect(looks).toEqual(looks.map(() => ({ authorization: bearer.authorization, certificate: undefined })));
    reader.leave();
    await vi.waitFor(() => expect(clock.timers.size).toBe(0));
    expect(defects).toEqual([]);
  });

  it('ends when they are refused, even where nothing happens', async () => {
    const reader = await opened();
    judge = revoked;
    await looked();
    expect(await reader.end).toEqual({
      code: status.UNAUTHENTICATED,
      message: 'the token is not one that is known here',
    });
    expect(signalOf().aborted).toBe(true);
    expect(clock.timers.size).toBe(0);
  });

  it('sends no event by a look that is more than 10 seconds old', async () => {
    const reader = await opened();
    clock.pass(recheckMs);
    feed.push();
    await vi.waitFor(() => expect(reader.heard).toEqual(['e1.1', 'e1.2']));
    expect(looks).toHaveLength(1);
    judge = revoked;
    clock.pass(1);
    feed.push();
    expect((await reader.end).code).toBe(status.UNAUTHENTICATED);
    expect(reader.heard).toEqual(['e1.1', 'e1.2']);
    expect(looks).toHaveLength(2);
  });

  it('holds an event back until a look that is under way is over', async () => {
    const reader = await opened();
    const verdict = Promise.withResolvers<Identity>();
    judge = () => verdict.promise;
    await looked();
    feed.push();
    await vi.waitFor(() => expect(feed.taken).toBe(2));
    await nextTurn();
    verdict.reject(unauthenticated('the token has expired'));
    expect(await reader.end).toEqual({ code: status.UNAUTHENTICATED, message: 'the token has expired' });
    expect(reader.heard).toEqual(['e1.1']);
  });

  it.each<[string, Partial<Identity>]>([
    ['another subject', { subject: 'user:bob' }],
    ['an operator', { operator: true }],
    ['one of other tenants', { tenants: ['default', 'acme'] }],
    ['one of no tenant', { tenants: [] }],
    ['one of all tenants', { tenants: undefined }],
  ])('ends when they make %s', async (_name, changed) => {
    const reader = await opened();
    judge = async () => ({ ...alice, ...changed });
    await looked();
    const { code, message } = await reader.end;
    expect({ code, message }).toEqual({
      code: status.UNAUTHENTICATED,
      message: expect.stringContaining('the credential changed'),
    });
  });

  it('goes on where the same tenants are written in another order', async () => {
    judge = async () => ({ ...alice, tenants: ['a', 'b'] });
    const reader = await opened();
    judge = async () => ({ ...alice, tenants: ['b', 'a', 'a'] });
    await looked();
    feed.push();
    await vi.waitFor(() => expect(reader.heard).toEqual(['e1.1', 'e1.2']));
    reader.leave();
    await aborted(signalOf());
  });

  it('goes on while they cannot be judged, and ends with UNAVAILABLE after five minutes of that', async () => {
    const reader = await opened();
    judge = unavailable;
    await looked();
    feed.push();
    await vi.waitFor(() => expect(reader.heard).toHaveLength(2));
    await looked(unavailableGraceMs - 1);
    feed.push();
    await vi.waitFor(() => expect(reader.heard).toHaveLength(3));
    clock.tick(1);
    expect(await reader.end).toEqual({ code: status.UNAVAILABLE, message: 'the keys cannot be had' });
  });

  it('has five minutes anew once they could be judged again', async () => {
    const reader = await opened();
    judge = unavailable;
    await looked();
    await looked(unavailableGraceMs - 1);
    judge = async () => alice;
    await looked();
    judge = unavailable;
    await looked();
    await looked(unavailableGraceMs - 1);
    feed.push();
    await vi.waitFor(() => expect(reader.heard).toHaveLength(2));
    judge = revoked;
    clock.tick();
    expect((await reader.end).code).toBe(status.UNAUTHENTICATED);
  });

  it('ends as a defect does where the authenticator breaks', async () => {
    const reader = await opened();
    judge = async () => {
      throw new TypeError('broken');
    };
    await looked();
    expect((await reader.end).code).toBe(status.INTERNAL);
    expect(defects).toHaveLength(1);
  });

  it('looks once at a time, and ends with its server while it looks', async () => {
    const reader = await opened();
    judge = () => new Promise(() => undefined);
    await looked();
    clock.tick();
    feed.push();
    await vi.waitFor(() => expect(feed.taken).toBe(2));
    await closeServers(60_000);
    expect((await reader.end).code).toBe(status.UNAVAILABLE);
    expect(looks).toHaveLength(2);
    expect(reader.heard).toEqual(['e1.1']);
  });
});
