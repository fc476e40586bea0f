/**
 * The same questions give the same answers on every transport: gRPC over TCP and
 * over the Unix socket, Connect with JSON over HTTP/1.1 and with protobuf over
 * HTTP/2, and JSON as curl sends it.
 */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorInfo, ErrorInfoSchema } from '../../src/gen/google/rpc/status_pb.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { maxBatchChecks, maxPageSize } from '../../src/model/limits.ts';
import { createFakePdp, type FakePdp } from '../server/fake-pdp.ts';
import { createGrpcClient, encoded, errorInfoOf, pathOf, serverStream, unary } from '../server/grpc-client.ts';
import { type RunningServers, runServers } from '../server/servers.ts';

const { method } = DecisionService;

/** What every transport must agree on: the answer as JSON, or the error's code, message and ErrorInfo. */
type Outcome = JsonValue;

interface Question {
  readonly name: string;
  overGrpc(client: Client): Promise<Outcome>;
  overConnect(transport: Transport): Promise<Outcome>;
  overFetch(url: string): Promise<Outcome>;
}

function question<I extends DescMessage, O extends DescMessage>(
  name: string,
  rpc: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
): Question {
  const answered = (answer: MessageShape<O>) => toJson(rpc.output, answer);
  return {
    name,
    overGrpc: (client) => unary(client, rpc, request).then(answered, ofServiceError),
    overConnect: (transport) =>
      transport
        .unary(rpc, undefined, undefined, undefined, request)
        .then(({ message }) => answered(message), ofConnectError),
    async overFetch(url) {
      const response = await fetch(`${url}/${rpc.parent.typeName}/${rpc.name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(toJson(rpc.input, create(rpc.input, request))),
      });
      const body = (await response.json()) as JsonValue;
      return response.ok ? answered(fromJson(rpc.output, body)) : ofErrorBody(body);
    },
  };
}

function ofServiceError(error: ServiceError): Outcome {
  return ofError(error.code, error.details, errorInfoOf(error));
}

function ofConnectError(cause: unknown): Outcome {
  const error = ConnectError.from(cause);
  return ofError(error.code, error.rawMessage, error.findDetails(ErrorInfoSchema)[0]);
}

function ofErrorBody(body: JsonValue): Outcome {
  const { code, message, details } = body as { code: string; message: string; details: { value: string }[] };
  const number = Object.entries(Code).find(([name]) => name.toLowerCase() === code.replaceAll('_', ''))?.[1];
  const info = fromBinary(ErrorInfoSchema, Buffer.from(details[0]?.value ?? '', 'base64'));
  return ofError(Number(number), message, info);
}

function ofError(code: number, message: string, info: ErrorInfo | undefined): Outcome {
  return { code, message, reason: info?.reason ?? 'none', metadata: info?.metadata ?? {} };
}

const allowed = { subject: 'user:read', action: 'read', object: 'doc:1' };
const denied = { ...allowed, subject: 'user:write' };
const everyField: MessageInitShape<typeof method.check.input> = {
  ...denied,
  tenant: 'default',
  reach: 2,
  context: { assertedGroups: ['group:read'], activeRoles: ['reader', 'ünï'] },
  atLeast: 'e1.1',
};
const tooMany = Array.from({ length: maxBatchChecks + 1 }, () => allowed);

const questions: readonly Question[] = [
  question('an allowed check', method.check, allowed),
  question('a denied check', method.check, denied),
  question('a check of the tenant as a whole', method.check, { subject: 'user:app:create', action: 'app:create' }),
  question('a check with every field', method.check, everyField),
  question('names beyond ASCII', method.check, {
    subject: 'user:ünï\u{1f600}',
    action: 'ünï\u{1f600}',
    object: 'doc: #@:/ünï',
  }),
  question('a type that is not legal', method.check, { ...allowed, subject: 'ärzte/x:read' }),
  question('an empty subject', method.check, { ...allowed, subject: '' }),
  question('an empty question', method.check, {}),
  question('a wildcard for a subject', method.check, { ...allowed, subject: 'user:*' }),
  question('a control character', method.check, { ...allowed, object: 'doc:\u0007' }),
  question('an action that is too long', method.check, { ...allowed, action: 'a'.repeat(257) }),
  question('an unknown tenant', method.check, { ...allowed, tenant: 'other' }),
  question('an unknown reach', method.check, { ...allowed, reach: 77 as 0 }),
  question('a token of another epoch', method.check, { ...allowed, atLeast: 'e2.9' }),
  question('a defect', method.check, { ...allowed, subject: 'crash:x' }),
  question('a refused assertion', method.check, { ...allowed, subject: 'error:ASSERTION_NOT_ALLOWED' }),
  question('a batch', method.batchCheck, {
    checks: [allowed, denied, { ...denied, context: { assertedGroups: ['group:read'] } }],
  }),
  question('a batch that asks for all', method.batchCheck, { checks: [allowed, denied], mode: 2 }),
  question('a batch that asks for any', method.batchCheck, { checks: [allowed, denied], mode: 3 }),
  question('a batch with an unknown mode', method.batchCheck, { checks: [allowed], mode: 9 as 0 }),
  question('a batch with a malformed check', method.batchCheck, { checks: [allowed, { ...allowed, object: 'doc' }] }),
  question('an empty batch', method.batchCheck, {}),
  question('a batch over the limit', method.batchCheck, { checks: tooMany }),
  question('a list of subjects', method.listSubjects, {
    action: 'read',
    object: 'doc:1',
    type: 'user',
    pageToken: 'next',
  }),
  question('a list of subjects with active roles', method.listSubjects, {
    action: 'read',
    context: { activeRoles: ['reader'] },
  }),
  question('a list of subjects over the limit', method.listSubjects, { action: 'read', pageSize: maxPageSize + 1 }),
  question('a list of actions', method.listActions, { subject: 'user:read', object: 'doc:1' }),
  question('an explanation', method.explain, { check: allowed }),
  question('an explanation of a denial', method.explain, { check: denied }),
  question('an explanation of nothing', method.explain, {}),
];

const lists = [
  ['a list of objects', { subject: 'user:read', action: 'read', type: 'doc' }],
  ['a page of objects', { subject: 'user:read', action: 'read', type: 'doc', pageSize: 1500 }],
  ['a list of objects for a malformed subject', { subject: 'user:*', action: 'read', type: 'doc' }],
  ['a list of objects with an unknown reach', { subject: 'user:read', action: 'read', type: 'doc', reach: -5 as 0 }],
] as const;

let pdp: FakePdp;
let running: RunningServers;
let tcp: Client;
let socket: Client;
let http1: Transport;
let http2: Transport;

beforeAll(async () => {
  pdp = createFakePdp();
  running = await runServers(pdp);
  tcp = createGrpcClient(running.tcp);
  socket = createGrpcClient(running.unix);
  http1 = createConnectTransport({ baseUrl: running.url, httpVersion: '1.1', useBinaryFormat: false });
  http2 = createConnectTransport({ baseUrl: running.url, httpVersion: '2', useBinaryFormat: true });
});
afterAll(async () => {
  tcp.close();
  socket.close();
  await running.close();
});

describe('has the same outcome on every transport:', () => {
  it.each(questions)('$name', async ({ overGrpc, overConnect, overFetch }) => {
    const expected = await overGrpc(tcp);
    expect(expected).not.toMatchObject({ reason: 'none' });
    expect({
      socket: await overGrpc(socket),
      http1: await overConnect(http1),
      http2: await overConnect(http2),
      fetch: await overFetch(running.url),
    }).toEqual({ socket: expected, http1: expected, http2: expected, fetch: expected });
  });

  it.each(lists)('%s', async (_name, request) => {
    const rpc = method.listObjects;
    const toOutcome = (parts: MessageShape<typeof rpc.output>[]) => parts.map((part) => toJson(rpc.output, part));
    const overGrpc = (client: Client) => serverStream(client, rpc, request).then(toOutcome, ofServiceError);
    const overConnect = async (transport: Transport) => {
      const parts: MessageShape<typeof rpc.output>[] = [];
      const stream = createClient(DecisionService, transport).listObjects(request);
      for await (const part of stream) parts.push(part);
      return toOutcome(parts);
    };
    const expected = await overGrpc(tcp);
    expect({
      socket: await overGrpc(socket),
      http1: await overConnect(http1).catch(ofConnectError),
      http2: await overConnect(http2).catch(ofConnectError),
    }).toEqual({ socket: expected, http1: expected, http2: expected });
  });

  it('active roles come to the PDP as they were sent', async () => {
    const context = { activeRoles: ['b', 'a', 'ünï'] };
    const asked = [
      question('', method.check, { ...allowed, context }),
      question('', method.batchCheck, { checks: [{ ...allowed, context }] }),
      question('', method.explain, { check: { ...allowed, context } }),
      question('', method.listActions, { subject: 'user:read', context }),
    ];
    const before = pdp.calls.length;
    for (const { overGrpc, overConnect, overFetch } of asked) {
      await Promise.all([overGrpc(tcp), overGrpc(socket), overConnect(http1), overConnect(http2)]);
      await overFetch(running.url);
    }
    const list = { subject: 'user:read', action: 'read', type: 'doc', context };
    await serverStream(tcp, method.listObjects, list);
    for await (const _part of createClient(DecisionService, http1).listObjects(list));
    const stream = tcp.makeBidiStreamRequest(pathOf(method.streamCheck), Buffer.from, Buffer.from);
    stream.end(encoded(method.streamCheck.input, { id: 1n, check: { ...allowed, context } }));
    for await (const _answer of stream);
    const received = pdp.calls.slice(before).map(({ query }) => query.activeRoles);
    expect(received).toEqual(Array(asked.length * 5 + 3).fill(context.activeRoles));
  });

  it('the table holds answers and errors of both kinds', async () => {
    const outcomes = await Promise.all(questions.map(({ overGrpc }) => overGrpc(tcp)));
    const errors = outcomes.filter((outcome) => Object.hasOwn(outcome as object, 'reason'));
    expect(errors.length).toBeGreaterThan(10);
    expect(outcomes.length - errors.length).toBeGreaterThan(10);
  });
});
