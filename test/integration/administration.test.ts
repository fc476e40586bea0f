// PolicyService of whole sidecars over a real Redis: what one commits, the other answers by; tenants come and go.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Client, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import type { ChangeSchema } from '../../src/gen/postern/v1/policy_pb.ts';
import { PolicyService } from '../../src/gen/postern/v1/policy_service_pb.ts';
import { formatAddress } from '../../src/server/address.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar/sidecar.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { checkChain } from '../decision-log/chain-check.ts';
import { createGrpcClient, errorInfoOf, unary } from '../server/grpc-client.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';

type NewChange = MessageInitShape<typeof ChangeSchema>;
interface Running {
  readonly sidecar: Sidecar;
  readonly client: Client;
}

const { commit, createTenant, deleteTenant, listBindings, listTenants } = PolicyService.method;
const { check } = DecisionService.method;
const logger = createLogger({ level: 'silent', format: 'json' });
const as = (name: string) => ({ authorization: `Bearer pst_${name}` });
const operator = as('operator');

const binding = (subject: string, role: string, scope: string): NewChange => ({
  change: { case: 'put', value: { record: { case: 'binding', value: { subject, role, scope } } } },
});
const role = (name: string, ...permissions: string[]): NewChange => ({
  change: {
    case: 'put',
    value: { record: { case: 'role', value: { name, permissions: permissions.map((short) => ({ short })) } } },
  },
});
const policy = [role('admin', '*'), role('reader', 'doc:read'), binding('user:ada', 'admin', '*')];

let directory = '';
const running: Running[] = [];
let tenantCount = 0;
const newTenant = () => `admin-${process.pid}-${++tenantCount}`;

async function start(flags: Readonly<Record<string, string | boolean>>): Promise<Running> {
  const all = {
    grpcAddress: '127.0.0.1:0',
    http: false,
    decisionLog: 'off',
    adminAuth: join(directory, 'auth.yaml'),
    ...flags,
  };
  const instance = `s${running.length}`;
  const sidecar = await startSidecar(parseOptions({ flags: all, env: {}, suggest: () => undefined, instance }), logger);
  const { grpcAddress } = sidecar.servers;
  const started = { sidecar, client: createGrpcClient(grpcAddress ? formatAddress(grpcAddress) : '') };
  running.push(started);
  return started;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-admin-'));
  const hash = (name: string) => createHash('sha256').update(`pst_${name}`).digest('hex');
  const tokens = [
    `  - { sha256: '${hash('operator')}', subject: 'service:operator', operator: true }`,
    ...['ada', 'bob'].map((name) => `  - { sha256: '${hash(name)}', subject: 'user:${name}' }`),
  ];
  await writeFile(join(directory, 'auth.yaml'), `version: 1\ntokens:\n${tokens.join('\n')}\n`, { mode: 0o600 });
});

afterAll(async () => {
  for (const { sidecar, client } of running) {
    client.close();
    await sidecar.close(0);
  }
  await rm(directory, { recursive: true, force: true });
});

const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: ServiceError) => errorInfoOf(error).reason,
  );

test('what one sidecar commits, another one answers by, at the revision that the commit returned', async () => {
  const tenant = newTenant();
  const [first, second] = await Promise.all([
    start({ redis: sharedRedisUrl(), tenant }),
    start({ redis: sharedRedisUrl(), tenant }),
  ]);
  await unary(first.client, createTenant, { tenant, changes: policy }, operator);
  await Promise.all([first.sidecar.ready, second.sidecar.ready]);
  const changes = [binding('user:bob', 'reader', 'doc:1')];
  const { revision } = await unary(first.client, commit, { tenant, changes }, as('ada'));
  const question = { tenant, subject: 'user:bob', action: 'read', object: 'doc:1', atLeast: revision };
  expect((await unary(second.client, check, question)).decision?.allowed).toBe(true);
  const { bindings } = await unary(second.client, listBindings, { subject: 'user:bob' }, as('bob'));
  expect(bindings.map(({ scope }) => scope)).toEqual(['doc:1']);
});

test('two sidecars that commit at once both get through, and neither loses the other', async () => {
  const tenant = newTenant();
  const pair = await Promise.all([1, 2].map(() => start({ redis: sharedRedisUrl(), tenant })));
  const [first] = pair as [Running, Running];
  await unary(first.client, createTenant, { tenant, changes: policy }, operator);
  await Promise.all(pair.map(({ sidecar }) => sidecar.ready));
  const grants = Array.from({ length: 20 }, (_, i) => binding(`user:u${i}`, 'reader', 'doc:1'));
  const revisions = await Promise.all(
    grants.map((change, i) => unary((pair[i % 2] as Running).client, commit, { changes: [change] }, as('ada'))),
  );
  expect(new Set(revisions.map(({ revision }) => revision)).size).toBe(20);
  const atLeast =
    revisions
      .map(({ revision }) => revision)
      .sort((a, b) => numberOf(a) - numberOf(b))
      .at(-1) ?? '';
  const { bindings } = await unary(first.client, listBindings, { role: 'reader', options: { atLeast } }, as('ada'));
  expect(bindings).toHaveLength(20);
});

test('a sidecar for all tenants serves one that is created, and no more when it is deleted', async () => {
  const { client } = await start({ redis: sharedRedisUrl(), tenant: '*' });
  const tenant = newTenant();
  await unary(client, createTenant, { tenant, changes: policy }, operator);
  const question = { tenant, subject: 'user:ada', action: 'read', object: 'doc:1' };
  expect((await unary(client, check, question)).decision?.allowed).toBe(true);
  expect((await unary(client, listTenants, {}, operator)).tenants).toContain(tenant);
  expect(await failed(unary(client, deleteTenant, { tenant }, as('ada')))).toBe('NOT_PERMITTED');
  await unary(client, deleteTenant, { tenant, why: 'over' }, operator);
  expect(await failed(unary(client, check, question))).toBe('UNKNOWN_TENANT');
});

test('a tenant that another sidecar created is found by asking for it', async () => {
  const tenant = newTenant();
  const all = await start({ redis: sharedRedisUrl(), tenant: '*' });
  const one = await start({ redis: sharedRedisUrl(), tenant });
  await unary(one.client, createTenant, { tenant, changes: policy }, operator);
  const question = { tenant, subject: 'user:ada', action: 'read', object: 'doc:1' };
  expect((await unary(all.client, check, question)).decision?.allowed).toBe(true);
});

test('a sidecar of a policy file answers reads, and refuses to write', async () => {
  const file = join(directory, 'policy.yaml');
  await writeFile(
    file,
    `version: 1\nroles: { admin: { permissions: ['*'] } }\nbindings: [{ subject: 'user:ada', role: admin, scope: '*' }]\n`,
  );
  const { client, sidecar } = await start({ policy: file });
  await sidecar.ready;
  expect((await unary(client, listBindings, {}, as('ada'))).bindings).toHaveLength(1);
  const change = binding('user:bob', 'admin', '*');
  expect(await failed(unary(client, commit, { changes: [change] }, operator))).toBe('READ_ONLY');
});

test('nobody administers without a credential, and nobody at all without a file of credentials', async () => {
  const tenant = newTenant();
  const { client } = await start({ redis: sharedRedisUrl(), tenant });
  expect(await failed(unary(client, commit, { tenant, changes: policy }))).toBe('UNAUTHENTICATED');
  expect(await failed(unary(client, commit, { tenant, changes: policy }, as('nobody')))).toBe('UNAUTHENTICATED');
  const { adminAuth: _, ...rest } = { adminAuth: '', redis: sharedRedisUrl(), tenant };
  const closed = await startSidecar(
    parseOptions({
      flags: { grpcAddress: '127.0.0.1:0', http: false, decisionLog: 'off', ...rest },
      env: {},
      suggest: () => undefined,
      instance: 'closed',
    }),
    logger,
  );
  const other = createGrpcClient(closed.servers.grpcAddress ? formatAddress(closed.servers.grpcAddress) : '');
  const refusal = await unary(other, commit, { tenant, changes: policy }, operator).catch(
    (error: ServiceError) => error,
  );
  expect(refusal).toMatchObject({ code: 12, details: expect.stringContaining('--admin-auth') });
  other.close();
  await closed.close(0);
});

function numberOf(token: string): number {
  return Number(token.split('.')[1]);
}

test('what is committed, and what is refused, is on the record: who, why, before and after, in the chain of decisions', async () => {
  const tenant = newTenant();
  const log = await mkdtemp(join(directory, 'log-'));
  const { client, sidecar } = await start({
    redis: sharedRedisUrl(),
    tenant: '*',
    decisionLog: 'file',
    decisionLogDir: log,
  });
  await unary(client, createTenant, { tenant, changes: policy, why: 'a new team' }, operator);
  await unary(client, commit, { tenant, changes: [role('reader', 'doc:read', 'doc:list')], why: 'lists' }, as('ada'));
  await unary(client, commit, { tenant, changes: [role('reader', 'doc:*')], dryRun: true }, as('ada'));
  const refusal = unary(client, commit, { tenant, changes: [binding('user:bob', 'admin', '*')], why: 'me' }, as('bob'));
  await expect(refusal).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  await unary(client, check, { tenant, subject: 'user:ada', action: 'read', object: 'doc:1' });
  await unary(client, deleteTenant, { tenant, why: 'gone' }, operator);
  await sidecar.close(5_000);
  const [file] = await readdir(join(log, tenant));
  const lines = (await readFile(join(log, tenant, file as string), 'utf8')).match(/[^\n]*\n/g) ?? [];
  const { records, kinds } = checkChain(lines);
  expect(kinds).toEqual(['start', 'change', 'change', 'change', 'decision', 'change', 'stop']);
  const [, created, changed, refused, , deleted] = records;
  expect(created).toMatchObject({ seq: 1, by: 'service:operator', why: 'a new team', allowed: true });
  expect(created?.changes).toHaveLength(3);
  expect(changed).toMatchObject({
    by: 'user:ada',
    why: 'lists',
    allowed: true,
    revision: expect.stringMatching(/\.2\./),
    changes: [
      {
        op: 'put',
        before: expect.objectContaining({ permissions: ['doc:read'] }),
        after: expect.objectContaining({ permissions: ['doc:read', 'doc:list'] }),
      },
    ],
  });
  expect(refused).toMatchObject({ seq: 3, by: 'user:bob', why: 'me', allowed: false, error: 'NOT_PERMITTED' });
  expect(refused?.changes).toMatchObject([{ op: 'put', after: { subject: 'user:bob', role: 'admin' } }]);
  expect(deleted).toMatchObject({ seq: 5, by: 'service:operator', changes: [{ op: 'remove' }] });
});
