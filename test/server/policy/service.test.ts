import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Administration } from '../../../src/admin/api.ts';
import { ListRolesResponseSchema, PolicyService } from '../../../src/gen/postern/v1/policy_service_pb.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient, errorInfoOf, pathOf, unary, unaryBytes } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';
import {
  aborted,
  alice,
  authenticate,
  bearer,
  createFakeAdministration,
  type FakeAdministration,
} from './fake-administration.ts';

const { method } = PolicyService;
const unaryMethods = PolicyService.methods.filter(({ methodKind }) => methodKind === 'unary');
const json = { 'content-type': 'application/json' };
const role = { kind: 'role', name: 'viewer', permissions: ['doc:read'] } as const;

let administration: FakeAdministration;
let running: RunningServers;
let client: Client;
let http1: Transport;
let grpcOverHttp: Transport;

beforeEach(async () => {
  administration = createFakeAdministration();
  running = await runServers(createFakePdp(), () => '', { administration, authenticate });
  client = createGrpcClient(running.tcp);
  http1 = createConnectTransport({ baseUrl: running.url, httpVersion: '1.1' });
  grpcOverHttp = createGrpcTransport({ baseUrl: running.url });
});
afterEach(async () => {
  client.close();
  await running.close();
});

async function failed<T = ServiceError>(promise: Promise<unknown>): Promise<T> {
  return promise.then(
    () => expect.fail('was answered'),
    (error: T) => error,
  );
}

function post(name: string, body: string, headers: Record<string, string> = bearer): Promise<Response> {
  const path = `${running.url}/${PolicyService.typeName}/${name}`;
  return fetch(path, { method: 'POST', headers: { ...json, ...headers }, body });
}

describe('a caller', () => {
  const wrong = { authorization: 'Bearer other' };

  it.each(PolicyService.methods)('without a credential is refused by $name before its bytes are read', async (each) => {
    const path = pathOf(each);
    for (const headers of [{}, wrong]) {
      const error = await failed(unaryBytes(client, path, Buffer.from('0aff', 'hex'), headers));
      expect(error.code).toBe(status.UNAUTHENTICATED);
      expect(errorInfoOf(error).reason).toBe('UNAUTHENTICATED');
    }
    expect(administration.asked).toEqual([]);
  });

  it.each(unaryMethods)('without a credential gets 401 from $name over HTTP, whatever it sends', async ({ name }) => {
    for (const headers of [{}, wrong]) {
      const response = await post(name, '{"unheard', headers as Record<string, string>);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({
        code: 'unauthenticated',
        details: [{ type: 'google.rpc.ErrorInfo', debug: { reason: 'UNAUTHENTICATED' } }],
      });
    }
    expect(administration.asked).toEqual([]);
  });

  it('with two credentials in one call has none', async () => {
    const headers = { authorization: `${bearer.authorization}, ${bearer.authorization}` };
    expect(await failed(unary(client, method.whoAmI, {}, headers))).toMatchObject({ code: status.UNAUTHENTICATED });
    expect((await post('WhoAmI', '{}', headers)).status).toBe(401);
  });

  it('with a credential is known by it, on every transport', async () => {
    const me = { subject: 'user:alice', operator: false, tenants: ['default'], method: 'token' };
    expect(await unary(client, method.whoAmI, {}, bearer)).toMatchObject(me);
    for (const transport of [http1, grpcOverHttp]) {
      expect(await createClient(PolicyService, transport).whoAmI({}, { headers: bearer })).toMatchObject(me);
    }
    expect(await (await post('WhoAmI', '{}')).json()).toEqual(me);
  });
});

describe('a list', () => {
  const options = { tenant: 't', pageSize: 7, pageToken: 'p', atLeast: 'e1.1', onBehalfOf: 'user:bob' };
  const read = { tenant: 't', page: { size: 7, token: 'p' }, atLeast: 'e1.1', onBehalfOf: 'user:bob' };
  const cases: readonly (readonly [name: string, request: object, asked: keyof Administration, filter: object])[] = [
    [
      'ListRoles',
      { name: 'a*', containsPermissions: ['doc:read'], objectType: 'doc' },
      'listRoles',
      { system: undefined },
    ],
    ['ListRoles', { system: false }, 'listRoles', { name: '', containsPermissions: [], objectType: '', system: false }],
    ['ListGroups', { name: 'group:*' }, 'listGroups', {}],
    ['ListMembers', { group: 'group:g', member: 'user:a', transitive: true }, 'listMembers', {}],
    [
      'ListBindings',
      { subject: 'user:a', throughGroups: true, role: 'r', object: 'doc:1', inherited: true, scope: '*' },
      'listBindings',
      {},
    ],
    ['ListRegisteredObjects', { type: 'doc', parent: 'folder:1', object: 'doc:1' }, 'listObjects', {}],
    ['ListChangeSets', { by: 'user:a', subject: 'user:b', role: 'r', object: 'doc:1' }, 'listChangeSets', {}],
  ];

  it.each(cases)('%s passes on its filters, its page and its revision: %j', async (name, request, asked, filter) => {
    administration.answers = { [asked]: { items: [], nextPageToken: 'n', revision: 'e1.1', trimmed: true } };
    const response = await post(name, JSON.stringify({ options, ...request }));
    expect(await response.json()).toMatchObject({ info: { nextPageToken: 'n', revision: 'e1.1' } });
    expect(administration.asked).toMatchObject([
      { method: asked, caller: alice, request: [read, { ...request, ...filter }] },
    ]);
  });

  it('by curl takes a header and an empty object', async () => {
    administration.answers = { listRoles: { items: [role], nextPageToken: '', revision: 'e1.1' } };
    const response = await post('ListRoles', '{}');
    expect(response.status).toBe(200);
    const answer = fromJson(ListRolesResponseSchema, (await response.json()) as JsonValue);
    expect(answer).toMatchObject({ roles: [{ name: 'viewer', permissions: [{ short: 'doc:read' }] }] });
  });
});

describe('the other calls', () => {
  it('tell of a tenant what administration tells', async () => {
    const answer = await unary(
      client,
      method.getTenant,
      { atLeast: 'e1.1', tenant: 't', onBehalfOf: 'user:b' },
      bearer,
    );
    expect(answer).toMatchObject({ tenant: 'default', mode: 1, roleCount: 1n, bindingCount: 4n, hooks: [] });
    expect(administration.asked[0]?.request).toEqual([{ atLeast: 'e1.1', tenant: 't', onBehalfOf: 'user:b' }]);
  });

  it('say what was committed, record by record', async () => {
    const changes = [{ before: undefined, after: role, widens: true }];
    administration.answers = { commit: { revision: 'e1.9', changes }, createTenant: { revision: 'e2.1', changes } };
    const request = { changes: [{ change: { case: 'remove' as const, value: { object: 'user:x' } } }] };
    const answers = [
      await unary(client, method.commit, request, bearer),
      await unary(client, method.createTenant, request, bearer),
    ];
    for (const answer of answers) {
      expect(answer.changes).toMatchObject([{ summary: '+ role viewer, permissions doc:read', widens: true }]);
      expect(answer.changes[0]?.before).toBeUndefined();
    }
    expect(administration.asked).toMatchObject([
      { method: 'commit', request: [{ changes: [{ op: 'remove', object: 'user:x' }] }] },
      { method: 'createTenant' },
    ]);
  });

  it('list and delete tenants', async () => {
    expect((await unary(client, method.listTenants, { onBehalfOf: 'user:b' }, bearer)).tenants).toEqual(['default']);
    const request = { tenant: 't', expected: 'e.1', why: 'w' };
    expect(await unary(client, method.deleteTenant, request, bearer)).toMatchObject({ recordCount: 7n });
    expect(administration.asked.map((each) => each.request)).toEqual([['user:b'], [request]]);
  });
});

describe('a call that takes long', () => {
  beforeEach(() => {
    administration.answers = { listRoles: new Promise(() => undefined) };
  });
  const signalOf = () => administration.asked[0]?.signal as AbortSignal;

  it.each([
    ['gRPC', () => unary(client, method.listRoles, {}, bearer, { deadline: Date.now() + 400 })],
    ['Connect', () => createClient(PolicyService, http1).listRoles({}, { headers: bearer, timeoutMs: 400 })],
  ])('is given up at its deadline over %s', async (_name, ask) => {
    const answer = failed(ask());
    await vi.waitFor(() => expect(administration.asked).toHaveLength(1));
    expect(signalOf().aborted).toBe(false);
    await aborted(signalOf());
    expect(await answer).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it('is given up when its caller goes, over gRPC', async () => {
    const metadata = new Metadata();
    metadata.set('authorization', bearer.authorization);
    const asIs = (bytes: Buffer) => bytes;
    const ended = new Promise((resolve) => {
      const call = client.makeUnaryRequest(pathOf(method.listRoles), asIs, asIs, Buffer.alloc(0), metadata, resolve);
      void vi.waitFor(() => expect(administration.asked).toHaveLength(1)).then(() => call.cancel());
    });
    expect(await ended).toMatchObject({ code: status.CANCELLED });
    await aborted(signalOf());
  });

  it('is given up when its caller goes, over HTTP', async () => {
    const controller = new AbortController();
    const answer = failed(
      createClient(PolicyService, http1).listRoles({}, { headers: bearer, signal: controller.signal }),
    );
    await vi.waitFor(() => expect(administration.asked).toHaveLength(1));
    controller.abort();
    await aborted(signalOf());
    await answer;
  });
});

describe('without administration', () => {
  it('every method says how to have it, on every transport', async () => {
    const off = await runServers(createFakePdp());
    const offClient = createGrpcClient(off.tcp);
    for (const each of PolicyService.methods) {
      const error = await failed(unaryBytes(offClient, pathOf(each), Buffer.alloc(0), bearer));
      expect(error).toMatchObject({ code: status.UNIMPLEMENTED, details: expect.stringContaining('--admin-auth') });
    }
    for (const { name } of unaryMethods) {
      const response = await fetch(`${off.url}/${PolicyService.typeName}/${name}`, {
        method: 'POST',
        headers: json,
        body: '{}',
      });
      expect(response.status).toBe(501);
      expect(await response.json()).toMatchObject({
        code: 'unimplemented',
        message: expect.stringContaining('--admin-auth'),
      });
    }
    const watch = createClient(
      PolicyService,
      createConnectTransport({ baseUrl: off.url, httpVersion: '2' }),
    ).watchChanges({});
    const error = await failed(watch[Symbol.asyncIterator]().next());
    expect(ConnectError.from(error)).toMatchObject({
      code: Code.Unimplemented,
      rawMessage: expect.stringContaining('--admin-auth'),
    });
    offClient.close();
    await off.close();
  });
});
