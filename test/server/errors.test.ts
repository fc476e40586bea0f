import { fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/status_pb.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { type ErrorCode, PosternError } from '../../src/model/errors.ts';
import { statuses, toFailure } from '../../src/server/errors.ts';
import { createFakePdp } from './fake-pdp.ts';
import { createGrpcClient, errorInfoOf, unary, unaryBytes } from './grpc-client.ts';
import { type RunningServers, runServers } from './servers.ts';

const { method } = DecisionService;
/** Every code that a caller can be told; INTERNAL hides what it is about and has its own tests. */
const codes = (Object.keys(statuses) as ErrorCode[]).filter((code) => code !== 'INTERNAL');

let running: RunningServers;
let client: Client;

beforeAll(async () => {
  running = await runServers(createFakePdp());
  client = createGrpcClient(running.tcp);
});
afterAll(async () => {
  client.close();
  await running.close();
});

async function failed(promise: Promise<unknown>): Promise<ServiceError> {
  return promise.then(
    (answer) => expect.fail(`was answered: ${JSON.stringify(answer)}`),
    (error: ServiceError) => error,
  );
}

describe('every code reaches the caller as the table says', () => {
  it.each(codes)('%s over gRPC', async (code) => {
    const question = { subject: `error:${code}`, action: 'read', object: 'doc:1' };
    const error = await failed(unary(client, method.check, question));
    expect(error).toMatchObject({ code: statuses[code].grpc, details: `as asked: ${code}` });
    expect(errorInfoOf(error)).toMatchObject({ reason: code, domain: 'postern' });
  });

  it.each(codes)('%s over HTTP', async (code) => {
    const response = await fetch(`${running.url}/postern.v1.DecisionService/Check`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ subject: `error:${code}`, action: 'read', object: 'doc:1' }),
    });
    expect(response.status).toBe(statuses[code].http);
    const [detail] = ((await response.json()) as { details: { type: string; value: string }[] }).details;
    expect(detail?.type).toBe('google.rpc.ErrorInfo');
    const info = fromBinary(ErrorInfoSchema, Buffer.from(detail?.value ?? '', 'base64'));
    expect(info).toMatchObject({ reason: code, domain: 'postern' });
  });

  it('the field of a malformed question is named in the metadata, on both', async () => {
    const checks = [
      { subject: 'user:read', action: 'read' },
      { subject: 'user:*', action: 'read' },
    ];
    const error = await failed(unary(client, method.batchCheck, { checks }));
    expect(errorInfoOf(error).metadata).toEqual({ field: 'checks[1].subject' });
    const http = createClient(DecisionService, createConnectTransport({ baseUrl: running.url, httpVersion: '1.1' }));
    const connectError = ConnectError.from(await failed(http.batchCheck({ checks })));
    expect(connectError.code).toBe(Code.InvalidArgument);
    expect(connectError.findDetails(ErrorInfoSchema)[0]?.metadata).toEqual({ field: 'checks[1].subject' });
  });
});

describe('a defect', () => {
  const question = { subject: 'crash:boom', action: 'read', object: 'doc:1' };

  it.each([
    ['gRPC', () => unary(client, method.check, question)],
    [
      'HTTP',
      () =>
        createClient(DecisionService, createConnectTransport({ baseUrl: running.url, httpVersion: '2' })).check(
          question,
        ),
    ],
  ] as const)('over %s is INTERNAL, tells the caller nothing and the log everything', async (_name, ask) => {
    running.errors.length = 0;
    const error = await failed(ask());
    expect(error.code).toBe(statuses.INTERNAL.grpc);
    expect(error.message).not.toMatch(/secret|boom|TypeError/);
    expect(running.errors).toEqual([
      { fields: { err: expect.objectContaining({ message: 'secret of boom' }) }, message: expect.any(String) },
    ]);
  });

  it('in the middle of a batch fails the batch', async () => {
    const error = await failed(
      unary(client, method.batchCheck, { checks: [{ ...question, subject: 'user:read' }, question] }),
    );
    expect(errorInfoOf(error).reason).toBe('INTERNAL');
  });

  it('said to be INTERNAL by the code itself is hidden just so', () => {
    const logged: object[] = [];
    const log = { info: () => undefined, error: (fields: object) => void logged.push(fields) };
    const error = new PosternError('INTERNAL', 'secret', { field: 'secret' });
    expect(JSON.stringify(toFailure(error, log))).not.toContain('secret');
    expect(logged).toEqual([{ err: error }]);
  });
});

describe('bytes that are no request', () => {
  it.each(Object.values(method).filter((each) => each.methodKind === 'unary'))(
    '$name is INVALID_ARGUMENT with an ErrorInfo, and the connection goes on',
    async (each) => {
      const path = `/${DecisionService.typeName}/${each.name}`;
      const error = await failed(unaryBytes(client, path, Buffer.from('0aff', 'hex')));
      expect(error.code).toBe(statuses.INVALID_REQUEST.grpc);
      expect(errorInfoOf(error).reason).toBe('INVALID_REQUEST');
      const answer = await unary(client, method.check, { subject: 'user:read', action: 'read' });
      expect(answer.decision?.allowed).toBe(true);
    },
  );

  it.each([
    ['a misspelt field', '{"subject":"user:read","action":"read","objct":"doc:1"}', /objct/],
    ['an unknown enum', '{"subject":"user:read","action":"read","reach":"REACH_FAR"}', /reach|REACH_FAR/],
    ['no JSON', '{"subject"', /JSON/],
  ])('%s over HTTP is 400 with an ErrorInfo', async (_what, body, message) => {
    const response = await fetch(`${running.url}/postern.v1.DecisionService/Check`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(message),
      details: [{ type: 'google.rpc.ErrorInfo', debug: { reason: 'INVALID_REQUEST', domain: 'postern' } }],
    });
  });
});
