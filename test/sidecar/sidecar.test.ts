// A whole sidecar in this process: how it ends, and what its end must not cost.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { readFiles } from '../../src/decision-log/read-files.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { formatAddress } from '../../src/server/address.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar/sidecar.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { toArray } from '../decision-log/entries.ts';
import { createGrpcClient, encoded, pathOf, unary } from '../server/grpc-client.ts';

const objects = Array.from({ length: 20_000 }, (_, i) => `  'doc:${i}': {}`).join('\n');
const policy = `version: 1
roles: { viewer: { permissions: ['doc:read'] } }
objects:
${objects}
bindings: [{ subject: 'user:alice', role: viewer, scope: '*' }]
`;
const question = { subject: 'user:alice', action: 'read', object: 'doc:1' };
const logger = createLogger({ level: 'silent', format: 'json' });

let directory: string;
let sidecar: Sidecar;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-sidecar-'));
  await writeFile(join(directory, 'policy.yaml'), policy);
  const flags = {
    policy: join(directory, 'policy.yaml'),
    grpcAddress: '127.0.0.1:0',
    http: false,
    decisionLogDir: join(directory, 'log'),
    decisionLogInterval: '10s',
  };
  sidecar = await startSidecar(parseOptions({ flags, env: {}, suggest: () => undefined, instance: 'a' }), logger);
  await sidecar.ready;
});
afterEach(async () => {
  await sidecar.close(0);
  await rm(directory, { recursive: true, force: true });
});

const connect = () => createGrpcClient(sidecar.servers.grpcAddress ? formatAddress(sidecar.servers.grpcAddress) : '');

test('a caller that never reads does not cost the records of the others, nor its own', async () => {
  const client = connect();
  const { listObjects, check } = DecisionService.method;
  const asIs = (bytes: Buffer) => bytes;
  const request = encoded(listObjects.input, { subject: 'user:alice', action: 'read', type: 'doc' });
  const list = client.makeServerStreamRequest(pathOf(listObjects), asIs, asIs, request);
  list.on('error', () => {});
  await new Promise((resolve) => list.once('metadata', resolve));
  for (let i = 0; i < 100; i++) await unary(client, check, question);
  await sidecar.close(400);
  client.close();
  const read = await toArray(readFiles(join(directory, 'log'), { from: 'start', follow: false }));
  const sources = read.map(({ record }) => record.type ?? record.source).filter((kind) => !/^(start|stop)$/.test(kind));
  expect(sources.filter((source) => source === 'check')).toHaveLength(100);
  expect(sources.filter((source) => source !== 'check')).toEqual(['list_objects']);
});

test('a caller that waits for a revision is told at once to ask elsewhere', async () => {
  const client = connect();
  const { check } = DecisionService.method;
  const { revision } = await unary(client, check, question);
  const atLeast = `${revision.split('.')[0]}.999`;
  const waiting = unary(client, check, { ...question, atLeast });
  const refused = expect(waiting).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringContaining('shutting down'),
  });
  // The server has it when it answers a later question of the same connection.
  await unary(client, check, question);
  const closing = sidecar.close(60_000);
  await refused;
  client.close();
  await vi.waitFor(() => closing, { timeout: 10_000 });
});
