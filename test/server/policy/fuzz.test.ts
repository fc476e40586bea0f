/**
 * Random bytes, and messages that are almost right, to every method over real sockets: each call is answered, the
 * server goes on, and what reaches administration is whole and canonical.
 */
import { create, type DescMethod, toBinary } from '@bufbuild/protobuf';
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { CommitRequest, RequestedChange } from '../../../src/admin/api.ts';
import { CommitRequestSchema, PolicyService } from '../../../src/gen/postern/v1/policy_service_pb.ts';
import { problemOfName } from '../../../src/model/names.ts';
import { parseChange } from '../../../src/model/parse-record.ts';
import { fromRecord } from '../../../src/server/policy/records.ts';
import { damagedFrom } from '../damaged.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient, pathOf, unary } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';
import { anyRecords } from './arbitraries.ts';
import { authenticate, bearer, createFakeAdministration, type FakeAdministration } from './fake-administration.ts';

const asIs = (bytes: Buffer) => bytes;
/** What a caller may be told of bytes that he made up. */
const expected: readonly number[] = [status.OK, status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED];

let administration: FakeAdministration;
let running: RunningServers;
let client: Client;

beforeAll(async () => {
  administration = createFakeAdministration();
  running = await runServers(createFakePdp(), () => '', { administration, authenticate });
  client = createGrpcClient(running.tcp);
});
beforeEach(() => {
  administration.asked.length = 0;
});
afterAll(async () => {
  client.close();
  await running.close();
});

/** Requests that hold records of every kind. */
const commit = anyRecords.map((records) =>
  toBinary(
    CommitRequestSchema,
    create(CommitRequestSchema, {
      tenant: 'default',
      changes: records
        .slice(0, 20)
        .flatMap((record, i) => [
          { change: { case: i % 3 === 0 ? ('delete' as const) : ('put' as const), value: fromRecord(record) } },
          { change: { case: 'create' as const, value: { object: 'doc:1', parents: [{ object: 'folder:1' }] } } },
        ]),
    }),
  ),
);
const damaged = damagedFrom(commit);
const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged);

/** The code that a call ends with; never resolves where it is not answered. */
function ask(method: DescMethod, request: Uint8Array): Promise<number> {
  const metadata = new Metadata();
  metadata.set('authorization', bearer.authorization);
  const body = Buffer.from(request);
  if (method.methodKind === 'unary') {
    return new Promise((resolve) => {
      client.makeUnaryRequest(pathOf(method), asIs, asIs, body, metadata, (error) => resolve(error?.code ?? 0));
    });
  }
  return new Promise((resolve) => {
    const call = client.makeServerStreamRequest(pathOf(method), asIs, asIs, body, metadata);
    call.on('error', (error: ServiceError) => resolve(error.code));
    call.on('end', () => resolve(0));
    call.resume();
  });
}

function expectWhole(change: RequestedChange): void {
  if (change.op === 'create' || change.op === 'remove') expect(problemOfName(change.object)).toBeUndefined();
  else if (change.op === 'put') expect(JSON.stringify(parseChange(change, 'fuzz'))).toBe(JSON.stringify(change));
  else expect(change.key.length).toBeGreaterThan(0);
}

async function expectAlive(): Promise<void> {
  expect(await unary(client, PolicyService.method.whoAmI, {}, bearer)).toMatchObject({ subject: 'user:alice' });
  expect(running.errors).toEqual([]);
}

it.each(PolicyService.methods)('$name answers whatever it is sent', async (method) => {
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 8 }), async (requests) => {
      const codes = await Promise.all(requests.map((request) => ask(method, request)));
      expect(codes.filter((code) => !expected.includes(code))).toEqual([]);
    }),
    { numRuns: 40 },
  );
  for (const { method: asked, request } of administration.asked) {
    if (asked === 'commit' || asked === 'createTenant') {
      for (const change of (request[0] as CommitRequest).changes) expectWhole(change);
    }
  }
  await expectAlive();
});

it('some of it reaches administration, and some does not', async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(damaged, async (request) => {
      if ((await ask(PolicyService.method.commit, request)) === status.OK) answered++;
    }),
    { numRuns: 100 },
  );
  expect(administration.asked).toHaveLength(answered);
  expect(answered).toBeGreaterThan(5);
  expect(answered).toBeLessThan(95);
});

it('JSON of any shape is answered over HTTP', async () => {
  const shapes = fc.oneof(
    fc.json(),
    fc.string(),
    fc.json().map((value) => `{"changes":[{"put":{"binding":${value}}}]}`),
    fc.json().map((value) => `{"options":${value}}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PolicyService.methods), shapes, async ({ name, methodKind }, body) => {
      const response = await fetch(`${running.url}/${PolicyService.typeName}/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer },
        body,
      });
      await response.arrayBuffer();
      expect(methodKind === 'unary' ? [200, 400, 429] : [415]).toContain(response.status);
    }),
    { numRuns: 300 },
  );
  await expectAlive();
});
