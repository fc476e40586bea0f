// What a whole sidecar writes of its decisions where its operator filters, samples and masks them.
import { createHmac } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { readFiles } from '../../src/decision-log/read-files.ts';
import type { DecisionRecord } from '../../src/decision-log/record.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { formatAddress } from '../../src/server/address.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar/sidecar.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { toArray } from '../decision-log/entries.ts';
import { createGrpcClient, unary } from '../server/grpc-client.ts';

const policy = `version: 1
roles: { viewer: { permissions: ['doc:read'] } }
groups: { ops: ['user:alice'] }
objects: { 'folder:secret': {}, 'doc:plan': 'folder:secret' }
bindings:
  - { subject: 'group:ops', role: viewer, scope: 'folder:secret' }
  - { subject: 'user:bob', role: viewer, scope: 'doc:*', condition: 'context.region == "north"' }
`;
const key = 'a key of thirty-two bytes or more';
const logger = createLogger({ level: 'silent', format: 'json' });
const { check, explain } = DecisionService.method;

let directory: string;
let sidecar: Sidecar | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-content-'));
  await writeFile(join(directory, 'policy.yaml'), policy);
  await writeFile(join(directory, 'key'), `${key}\n`);
  await chmod(join(directory, 'key'), 0o400);
});
afterEach(async () => {
  await sidecar?.close(0);
  sidecar = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function start(flags: Readonly<Record<string, unknown>>): Promise<Sidecar> {
  const all = {
    policy: join(directory, 'policy.yaml'),
    grpcAddress: '127.0.0.1:0',
    http: false,
    decisionLogDir: join(directory, 'log'),
    ...flags,
  };
  sidecar = await startSidecar(parseOptions({ flags: all, env: {}, suggest: () => undefined, instance: 'a' }), logger);
  await sidecar.ready;
  return sidecar;
}

/** Asks, ends the sidecar, and reads what it has written. */
async function ask({ servers, close }: Sidecar) {
  const client = createGrpcClient(servers.grpcAddress ? formatAddress(servers.grpcAddress) : '');
  const alice = { subject: 'user:alice', action: 'read', object: 'doc:plan' };
  const bob = { subject: 'user:bob', action: 'read', object: 'doc:plan', context: { attributes: { region: 'south' } } };
  await unary(client, check, alice);
  await unary(client, check, bob);
  await unary(client, check, { ...alice, action: 'ping' });
  const explained = await unary(client, explain, { check: alice });
  client.close();
  await close(5_000);
  const read = await toArray(readFiles(join(directory, 'log'), { from: 'start', follow: false }));
  const decisions = read.filter(({ record }) => record.type === undefined);
  return {
    explained,
    records: decisions.map(({ record }) => record as DecisionRecord),
    lines: decisions.map(({ line }) => line).join('\n'),
    started: read.flatMap(({ record }) => (record.type === 'start' ? [record.log] : [])),
  };
}

const hmac = (text: string) => `hmac-${createHmac('sha256', key).update(text).digest('base64url').slice(0, 22)}`;
const hashed = (name: string) => `${name.slice(0, name.indexOf(':'))}:${hmac(name)}`;

test('without a word about it, all is recorded as it is, and an Explain tells its path', async () => {
  const { records, explained } = await ask(await start({}));
  expect(records.map(({ seq, action }) => [seq, action])).toEqual([
    [1, 'read'],
    [2, 'read'],
    [3, 'ping'],
    [4, 'read'],
  ]);
  expect(records.slice(0, 3).filter((record) => record.path !== undefined)).toEqual([]);
  const { subjectSteps = [], objectSteps = [], roles, permission, scope } = explained.path ?? {};
  const steps = (all: readonly { from: string; to: string }[]) => all.map(({ from, to }) => ({ from, to }));
  expect(records[3]?.path).toEqual({
    subject_steps: steps(subjectSteps),
    effect: 'allow',
    roles,
    permission,
    scope,
    object_steps: steps(objectSteps),
  });
  expect(steps(subjectSteps)).toEqual([{ from: 'user:alice', to: 'group:ops' }]);
});

test('what is filtered out is not there and not missing; what is masked is nowhere in the file', async () => {
  const running = await start({
    decisionLogExclude: ['action=ping'],
    decisionLogPathRate: '1',
    decisionLogMask: 'subject=hash,object=hash,caller=drop,attributes=hash',
    decisionLogMaskKeyFile: join(directory, 'key'),
  });
  expect(running.logDescription).toContain('recorded is what the rules leave (exclude action=ping)');
  const { records, lines, started } = await ask(running);
  const [subject, group, object, folder] = ['user:alice', 'group:ops', 'doc:plan', 'folder:secret'].map(hashed);
  const path = {
    subject_steps: [{ from: subject, to: group }],
    effect: 'allow',
    roles: ['viewer'],
    permission: 'doc:read',
    scope: folder,
    object_steps: [{ from: object, to: folder }],
  };
  const binding = [group, 'viewer', folder, 'allow'];
  const masked = ['subject', 'object', 'binding', 'caller', 'path'];
  expect(records).toEqual([
    expect.objectContaining({ seq: 1, subject, object, binding, path, masked }),
    expect.objectContaining({ seq: 2, subject: hashed('user:bob'), attributes: { region: hmac('south') } }),
    expect.objectContaining({ seq: 3, source: 'explain', subject, object, binding, path, masked }),
  ]);
  expect(records[1]?.path).not.toHaveProperty('condition');
  const keyName = hmac('the name of this key').slice(5, 13);
  const mask = `subject=hash, object=hash, caller=drop, attributes=hash; key ${keyName}`;
  expect(started).toEqual([expect.objectContaining({ filter: 'exclude action=ping', sample: 'path=1', mask })]);
  expect(lines).not.toMatch(/alice|bob|ops|plan|secret|north|south|127\.0\.0\.1/);
});

test('only denials, with what is allowed sampled away, is what an operator may want', async () => {
  const { records } = await ask(await start({ decisionLogInclude: 'outcome=denied', decisionLogSample: 'denied=1' }));
  expect(records.map(({ seq, reason }) => [seq, reason])).toEqual([
    [1, 'CONDITION_NOT_MET'],
    [2, 'ROLE_LACKS_PERMISSION'],
  ]);
});

test('a key that everybody may read keeps the sidecar from starting', async () => {
  await chmod(join(directory, 'key'), 0o444);
  const flags = { decisionLogMask: 'subject=hash', decisionLogMaskKeyFile: join(directory, 'key') };
  await expect(start(flags)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('everybody may read it'),
  });
});
