// A sidecar that answers nothing it cannot record: its log has no room, and then it has.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { readFiles } from '../../src/decision-log/read-files.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { formatAddress } from '../../src/server/address.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar/sidecar.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { toArray } from '../decision-log/entries.ts';
import { createGrpcClient, errorInfoOf, unary } from '../server/grpc-client.ts';

const policy = `version: 1
roles: { viewer: { permissions: ['doc:read'] } }
bindings: [{ subject: 'user:alice', role: viewer, scope: '*' }]
`;
const question = { subject: 'user:alice', action: 'read', object: 'doc:1' };
const { check, batchCheck } = DecisionService.method;
const logger = createLogger({ level: 'silent', format: 'json' });

let directory: string;
let sidecar: Sidecar;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-block-'));
  await writeFile(join(directory, 'policy.yaml'), policy);
  // Where the directory of the log should be made, there is a file.
  await writeFile(join(directory, 'log'), '');
  const flags = {
    policy: join(directory, 'policy.yaml'),
    grpcAddress: '127.0.0.1:0',
    httpAddress: '127.0.0.1:0',
    decisionLog: 'file',
    decisionLogMode: 'block',
    decisionLogDir: join(directory, 'log'),
    decisionLogBufferBytes: '1MiB',
  };
  sidecar = await startSidecar(parseOptions({ flags, env: {}, suggest: () => undefined, instance: 'a' }), logger);
  await sidecar.ready;
});
afterEach(async () => {
  await sidecar.close(0);
  await rm(directory, { recursive: true, force: true });
});

test('questions wait while the log is full, end with LOG_FULL at their deadline, and are answered when it takes records again', async () => {
  const client = createGrpcClient(formatAddress(sidecar.servers.grpcAddress as never));
  const http = `http://${formatAddress(sidecar.servers.httpAddress as never)}`;
  const checks = Array.from({ length: 5_000 }, () => question);
  await unary(client, batchCheck, { checks });
  const late = unary(client, check, question, {}, { deadline: Date.now() + 300 });
  const error = (await late.catch((thrown: unknown) => thrown)) as ServiceError;
  // Whose clock ends first decides who says so.
  expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(error.code);
  if (error.code === status.UNAVAILABLE) expect(errorInfoOf(error).reason).toBe('LOG_FULL');
  const body = JSON.stringify(question);
  const headers = { 'content-type': 'application/json', 'connect-timeout-ms': '200' };
  const response = await fetch(`${http}/postern.v1.DecisionService/Check`, { method: 'POST', headers, body });
  expect([503, 504]).toContain(response.status);
  const ready = await (await fetch(`${http}/readyz`)).json();
  expect(ready).toMatchObject({ status: 'ready', decisionLog: { mode: 'block', full: true, dropped: 0 } });
  const waiting = Promise.all(Array.from({ length: 50 }, () => unary(client, check, question)));
  await rm(join(directory, 'log'));
  await waiting;
  expect(await (await fetch(`${http}/readyz`)).json()).toMatchObject({ decisionLog: { full: false } });
  client.close();
  await sidecar.close(5_000);
  const read = await toArray(readFiles(join(directory, 'log'), { from: 'start', follow: false }));
  const decisions = read.filter(({ record }) => record.type === undefined);
  // None that was answered is missing, and none that was not is there.
  expect(decisions).toHaveLength(5_050);
  expect(read.some(({ record }) => record.type === 'gap')).toBe(false);
});
