import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { type Client, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BadRequestSchema, ErrorInfoSchema, StatusSchema } from '../../../src/gen/google/rpc/status_pb.ts';
import { PolicyService } from '../../../src/gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../../../src/model/errors.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient, unary } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';
import { authenticate, bearer, createFakeAdministration, type FakeAdministration } from './fake-administration.ts';

const { method } = PolicyService;

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

async function failed<T = ServiceError>(promise: Promise<unknown>): Promise<T> {
  return promise.then(
    () => expect.fail('was answered'),
    (error: T) => error,
  );
}

describe('an error with 10,000 problems', () => {
  const problems = Array.from({ length: 10_000 }, (_, i) => ({
    field: `changes[${i}].put.binding.scope`,
    message: `"dök: %\u{1f600}${i}" has an id of ${'more '.repeat(i % 40)}bytes`,
  }));
  beforeEach(() => {
    const error = new PosternError(
      'INVALID_CHANGE',
      'the graph would not be valid: 10000 problems',
      {},
      undefined,
      problems,
    );
    administration.answers = { listTenants: Promise.resolve(error) };
  });

  function expectTold(message: string, info: { metadata: object } | undefined, told: { field: string }[]): void {
    const lines = message.split('\n');
    expect(lines[0]).toBe('the graph would not be valid: 10000 problems');
    expect(lines[1]).toBe('changes[0].put.binding.scope "dök: %\u{1f600}0" has an id of bytes');
    expect(lines.at(-1)).toBe(`... and ${10_000 - (lines.length - 2)} more`);
    expect(lines.length).toBeGreaterThan(8);
    expect(info).toMatchObject({ reason: 'INVALID_CHANGE', metadata: { problems: '10000' } });
    expect(told.length).toBeGreaterThan(8);
    expect(told.map(({ field }) => field)).toEqual(problems.slice(0, told.length).map(({ field }) => field));
  }

  it('fits into the trailer of gRPC', async () => {
    const error = await failed(unary(client, method.listTenants, {}, bearer));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    const [bytes] = error.metadata.get('grpc-status-details-bin');
    const [info, bad] = fromBinary(StatusSchema, bytes as Buffer).details;
    if (info === undefined || bad === undefined) throw new Error('not two details');
    expectTold(
      error.details,
      anyUnpack(info, ErrorInfoSchema),
      anyUnpack(bad, BadRequestSchema)?.fieldViolations ?? [],
    );
    const inTrailer = encodeURI(error.details).length + (bytes as Buffer).toString('base64').length;
    expect(inTrailer).toBeLessThan(6 * 1024 - 200);
  });

  it.each([
    ['Connect', () => createConnectTransport({ baseUrl: running.url, httpVersion: '1.1' })],
    ['gRPC over the HTTP port', () => createGrpcTransport({ baseUrl: running.url })],
  ])('says the same over %s', async (_name, transport) => {
    const call = createClient(PolicyService, transport()).listTenants({}, { headers: bearer });
    const error = ConnectError.from(await failed(call));
    expect(error.code).toBe(Code.InvalidArgument);
    const [bad] = error.findDetails(BadRequestSchema);
    expectTold(error.rawMessage, error.findDetails(ErrorInfoSchema)[0], bad?.fieldViolations ?? []);
  });
});
