/**
 * Random bytes, messages that are almost right, and tokens that somebody turned, to every method over real sockets: each
 * call is answered, the server goes on, and nobody reads what he may not.
 */
import { create, type DescMethod, toBinary } from '@bufbuild/protobuf';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createFileSource } from '../../../src/decision-log/query/file-source.ts';
import { DecisionLogService, QueryRequestSchema } from '../../../src/gen/postern/v1/decision_log_service_pb.ts';
import { decisionLine, useLogDirectory } from '../../decision-log/query/logs.ts';
import { damagedFrom } from '../damaged.ts';
import { pathOf, unary } from '../grpc-client.ts';
import { as, type LogServers, startLogServers } from './logs.ts';

const asIs = (bytes: Buffer) => bytes;
/** What a caller may be told of bytes that he made up. */
const expected: readonly number[] = [
  status.OK,
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.ABORTED,
];
const { query } = DecisionLogService.method;
const tenant = 'default';

const log = useLogDirectory();
const sourceNow = () => createFileSource(log.path);
let servers: LogServers;
beforeAll(async () => {
  // Every test has a directory of its own, which is not there yet.
  servers = await startLogServers(
    {
      scan: (...asked) => sourceNow().scan(...asked),
      before: (...asked) => sourceNow().before(...asked),
      follow: (...asked) => sourceNow().follow(...asked),
    },
    1,
  );
});
afterAll(() => servers.close());
beforeEach(() =>
  log.append(
    'a',
    [1, 2, 3, 4, 5].map((seq) => decisionLine('a', seq)),
  ),
);

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('user:alice', 'read', 'doc:42', 'doc', 'check', '*'),
);
const instant = fc.record({ seconds: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), nanos: fc.integer() });
const request = fc
  .record(
    {
      tenant: fc.constantFrom('', 'default', 'other', 'none', '../x'),
      filter: fc.record(
        {
          allowed: fc.boolean(),
          subject: text,
          action: text,
          object: text,
          objectType: text,
          instance: text,
          id: text,
        },
        { requiredKeys: [] },
      ),
      since: instant,
      until: instant,
      pageSize: fc.nat(1_200),
      pageToken: fc.oneof(text, fc.base64String({ maxLength: 60 })),
      onBehalfOf: fc.constantFrom('', 'user:ada', 'group:x', 'x'),
    },
    { requiredKeys: [] },
  )
  .map((fields) => toBinary(QueryRequestSchema, create(QueryRequestSchema, fields)));
const damaged = damagedFrom(request);

/** The code that a call ends with, or that its first message was sent; never resolves where it is not answered. */
function ask(method: DescMethod, bytes: Uint8Array): Promise<number> {
  const metadata = new Metadata();
  metadata.set('authorization', as('ada').authorization);
  const body = Buffer.from(bytes);
  return new Promise((resolve) => {
    if (method.methodKind === 'unary') {
      servers.client.makeUnaryRequest(pathOf(method), asIs, asIs, body, metadata, (error) => resolve(error?.code ?? 0));
      return;
    }
    const call = servers.client.makeServerStreamRequest(pathOf(method), asIs, asIs, body, metadata);
    call.on('error', ({ code }: ServiceError) => resolve(code === status.CANCELLED ? 0 : code));
    // It would go on for ever.
    call.on('data', () => call.cancel());
    call.on('end', () => resolve(0));
  });
}

async function expectAlive(): Promise<void> {
  const { entries } = await unary(servers.client, query, { tenant }, as('ada'));
  expect(entries.length).toBe(5);
  expect(servers.running.errors).toEqual([]);
}

it.each(DecisionLogService.methods)('$name answers whatever it is sent', async (method) => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged);
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 8 }), async (all) => {
      const codes = await Promise.all(all.map((one) => ask(method, one)));
      expect(codes.filter((code) => !expected.includes(code))).toEqual([]);
    }),
    { numRuns: 60 },
  );
  await expectAlive();
});

it('a token in which anything was turned is refused, or goes on within the same log', async () => {
  const { nextPageToken } = await unary(servers.client, query, { tenant, pageSize: 2 }, as('ada'));
  const turned = fc
    .tuple(fc.nat(nextPageToken.length - 1), fc.constantFrom(...'Aa0-_z='))
    .map(([at, letter]) => nextPageToken.slice(0, at) + letter + nextPageToken.slice(at + 1));
  await fc.assert(
    fc.asyncProperty(turned, async (pageToken) => {
      const answer = await unary(servers.client, query, { tenant, pageToken }, as('ada')).catch(
        ({ code }: ServiceError) => code,
      );
      if (typeof answer === 'number') expect([status.INVALID_ARGUMENT, status.ABORTED]).toContain(answer);
      else for (const { line } of answer.entries) expect(line).toContain('"instance":"a"');
    }),
    { numRuns: 200 },
  );
  await expectAlive();
});

it('JSON of any shape is answered over HTTP', async () => {
  const shapes = fc.oneof(
    fc.json(),
    fc.string(),
    fc.json().map((value) => `{"tenant":"default","filter":${value}}`),
    fc.json().map((value) => `{"since":${value}}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...DecisionLogService.methods), shapes, async ({ name, methodKind }, body) => {
      const response = await fetch(`${servers.running.url}/${DecisionLogService.typeName}/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...as('ada') },
        body,
      });
      await response.arrayBuffer();
      expect(methodKind === 'unary' ? [200, 400, 404, 429] : [415]).toContain(response.status);
    }),
    { numRuns: 200 },
  );
  await expectAlive();
});
