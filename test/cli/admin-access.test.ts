// Who calls, on whose behalf, and what operators do with whole tenants, against a sidecar of real parts.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entityKey } from '../../src/model/entity.ts';
import { loadPolicyFile } from '../../src/policy-file/load.ts';
import { adminPolicy } from './admin-policy.ts';
import { useAdminSidecar } from './admin-sidecar.ts';
import { postern } from './postern.ts';

const sidecar = useAdminSidecar();
const { as, alice } = sidecar;

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-admin-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('who calls', () => {
  test('is known by a token of the environment or of a file, and told what it is', async () => {
    const file = join(directory, 'token');
    await writeFile(file, `${sidecar.current.tokens['service:operator']}\n`);
    const [mine, operator] = await Promise.all([alice('whoami'), alice('whoami', '--token-file', file, '--json')]);
    expect(mine.stdout).toBe('user:alice (by token)\n');
    expect(JSON.parse(operator.stdout)).toEqual({
      subject: 'service:operator',
      operator: true,
      tenants: [],
      method: 'token',
    });
  });

  test('without a token is told how to send one, and no token is ever printed', async () => {
    const none = await postern(['whoami', '--address', sidecar.current.address]);
    expect(none).toMatchObject({ code: 3, stdout: '' });
    expect(none.stderr).toContain('add --token-file, or set POSTERN_TOKEN (UNAUTHENTICATED)');
    const wrong = await postern(['whoami', '--debug'], {
      env: { POSTERN_ADDRESS: sidecar.current.address, POSTERN_TOKEN: 'pst_secretsecret' },
    });
    expect(wrong).toMatchObject({ code: 3 });
    expect(wrong.stderr).not.toContain('secretsecret');
  });

  test('may not put the token on the command line, nor two words in the file', async () => {
    const file = join(directory, 'words');
    await writeFile(file, 'secret words');
    const [flag, words] = await Promise.all([alice('whoami', '--token', 'x'), alice('whoami', '--token-file', file)]);
    expect(flag).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option '--token'") });
    expect(words).toMatchObject({ code: 2, stderr: expect.stringContaining('holds more than one word') });
    expect(words.stderr).not.toContain('secret');
  });

  test('is held to what the graph permits, and everything that is refused is listed', async () => {
    const one = await as('user:bob', 'grant', 'user:eve', 'editor', '--on', '*', '--yes');
    expect(one).toMatchObject({ code: 3, stdout: '' });
    expect(one.stderr).toContain('(NOT_PERMITTED)');
    const two = await as('user:bob', 'groups', 'add', 'group:ops', 'user:x', 'user:y', '--yes');
    expect(two.stderr.split('\n').slice(0, -1)).toEqual([
      'postern: not permitted; nothing was written (NOT_PERMITTED)',
      expect.stringMatching(/^ {2}user:bob may not /),
      expect.stringMatching(/^ {2}user:bob may not /),
    ]);
    const json = await as('user:bob', 'groups', 'add', 'group:ops', 'user:x', 'user:y', '--yes', '--json');
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: 'NOT_PERMITTED', problems: [{ field: '' }, { field: '' }] },
    });
  });

  test('acts for somebody else with --on-behalf-of, and history says so', async () => {
    const shared = await as(
      'user:alice',
      'share',
      'doc:1',
      'user:eve',
      'viewer',
      '--yes',
      '--on-behalf-of',
      'user:bob',
    );
    expect(shared).toMatchObject({ code: 0 });
    const { stdout } = await alice('history', '-n', '1');
    expect(stdout).toContain(' user:bob via user:alice\n');
  });
});

describe('tenants', () => {
  const operator = (...args: readonly string[]) => as('service:operator', ...args);

  test('are made of templates, exported as policies, and deleted', async () => {
    const template = join(directory, 'tenant.yaml');
    await writeFile(
      template,
      `version: 1
parameters: { owner: {} }
roles: { admin: { permissions: ['*'] } }
bindings: [{ subject: '\${owner}', role: admin, scope: '*', note: 'of \${tenant}' }]
`,
    );
    const create = ['tenants', 'create', 'acme', '--template', template];
    const wrong = await operator(...create, '--set', 'owner=alice');
    expect(wrong).toMatchObject({ code: 3, stdout: '' });
    expect(wrong.stderr).toContain(`${template}:4:23: subject "alice" has no colon`);
    const asked = await operator(...create, '--set', 'owner=user:zoe');
    expect(asked).toMatchObject({ code: 2, stdout: expect.stringContaining('+ binding user:zoe admin on * (widens') });
    const made = await operator(...create, '--set', 'owner=user:zoe', '--yes', '--json');
    expect(JSON.parse(made.stdout)).toMatchObject({ committed: true, changes: [{}, {}] });
    expect((await operator('tenants')).stdout).toBe('acme\ndefault\n');

    const exported = join(directory, 'acme.yaml');
    expect(await operator('tenants', 'export', 'acme', '-o', exported)).toMatchObject({ code: 0, stdout: '' });
    expect(await readFile(exported, 'utf8')).toContain(
      "{ subject: 'user:zoe', role: admin, scope: '*', note: 'of acme' }",
    );

    const unasked = await operator('tenants', 'delete', 'acme');
    expect(unasked).toMatchObject({ code: 2, stdout: expect.stringContaining('1 role, 0 memberships') });
    const gone = await operator('tenants', 'delete', 'acme', '--yes');
    expect(gone).toMatchObject({ code: 0, stdout: expect.stringContaining('deleted tenant acme: 2 records\n') });
    expect((await operator('tenants')).stdout).toBe('default\n');
  });

  test('are exported whole', async () => {
    const policy = join(directory, 'policy.yaml');
    const exported = join(directory, 'exported.yaml');
    await writeFile(policy, adminPolicy);
    await alice('tenants', 'export', 'default', '-o', exported);
    const [before, after] = await Promise.all([loadPolicyFile(policy), loadPolicyFile(exported)]);
    if (!before.ok || !after.ok) throw new Error('not a policy');
    const sorted = (records: typeof before.records) =>
      records.toSorted((a, b) => (`${a.kind} ${entityKey(a)}` < `${b.kind} ${entityKey(b)}` ? -1 : 1));
    expect(sorted(after.records)).toEqual(sorted(before.records));
  });

  test('are not made by ordinary writers', async () => {
    const template = join(directory, 'plain.yaml');
    await writeFile(template, 'version: 1\nroles: { r: {} }\n');
    const refused = await alice('tenants', 'create', 'mine', '--template', template, '--yes');
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('(NOT_PERMITTED)') });
  });
});
