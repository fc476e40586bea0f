// Errors of changes, in the words of the command that makes them, against a sidecar of real parts.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adminPolicy } from './admin-policy.ts';
import { useAdminSidecar } from './admin-sidecar.ts';
import { postern } from './postern.ts';
import { startTestSidecar } from './sidecar.ts';

const sidecar = useAdminSidecar();
const { as, alice } = sidecar;

const cases: readonly (readonly [title: string, args: readonly string[], stderr: string])[] = [
  [
    'a malformed grant, by argument and option',
    ['grant', 'bob', 'viewer', '--on', 'doc'],
    'the change is malformed; nothing was written (INVALID_REQUEST)\n' +
      '  subject: "bob" has no colon; write it as "type:id"\n  --on: "doc" has no colon; write it as "type:id"',
  ],
  [
    'one problem in one line',
    ['grant', 'bob', 'viewer', '--on', 'doc:1'],
    'subject "bob" has no colon; write it as "type:id" (INVALID_REQUEST)',
  ],
  [
    'the place of a share is its argument',
    ['share', 'doc', 'user:bob', 'viewer'],
    'object "doc" has no colon; write it as "type:id" (INVALID_REQUEST)',
  ],
  [
    'a role that is not there',
    ['grant', 'user:bob', 'viewr', '--on', 'doc:1'],
    'the changes do not make a valid graph; nothing was written: role: unknown role "viewr" (did you mean "viewer"?) (INVALID_CHANGE)',
  ],
  [
    'a new holder',
    ['transfer', 'doc:1', '--to', 'bob'],
    '--to "bob" has no colon; write it as "type:id" (INVALID_REQUEST)',
  ],
  [
    'a parent',
    ['objects', 'move', 'doc:1', '--parent', 'folder'],
    '--parent "folder" has no colon; write it as "type:id" (INVALID_REQUEST)',
  ],
  [
    'a permission and an included role',
    ['roles', 'create', 'new', '--permission', 'dco:read', '--include', 'viewr'],
    'the changes do not make a valid graph; nothing was written (INVALID_CHANGE)\n' +
      '  --include: unknown role "viewr" (did you mean "viewer"?)\n  --permission: type "dco" is not declared (did you mean "doc"?)',
  ],
  [
    'members that are not there',
    ['groups', 'remove', 'group:ops', 'user:x', 'user:y'],
    'not found; nothing was written (NOT_FOUND)\n  user:x is not in group:ops\n  user:y is not in group:ops',
  ],
  [
    'a role that is in use',
    ['roles', 'delete', 'viewer'],
    'the changes do not make a valid graph; nothing was written: role "viewer" is still named by binding user:dave viewer on doc:1 and role editor; delete those first (INVALID_CHANGE)',
  ],
];

test.for(cases)('%s', async ([, args, stderr]) => {
  expect(await alice(...args, '--yes')).toEqual({
    code: expect.any(Number),
    stdout: '',
    stderr: `postern: ${stderr}\n`,
  });
});

describe('revoking what is not there', () => {
  test('says what was asked for, and what is there instead', async () => {
    await alice('grant', 'user:dave', 'viewer', '--on', 'doc:1', '--name', 'extra', '--yes');
    await alice('revoke', 'user:dave', 'viewer', '--on', 'doc:1');
    const [named, denial, elsewhere, none] = await Promise.all([
      alice('revoke', 'user:dave', 'viewer', '--on', 'doc:1'),
      alice('revoke', 'user:mallory', 'editor', '--on', '*'),
      alice('revoke', 'user:bob', 'viewer', '--on', 'doc:1'),
      alice('revoke', 'user:eve', 'viewer', '--on', 'doc:1'),
    ]);
    const start = 'postern: not found; nothing was written: there is no binding of role';
    expect(named.stderr).toBe(
      `${start} viewer to user:dave on doc:1; there is user:dave viewer on doc:1 (extra): add --name "extra" (NOT_FOUND)\n`,
    );
    expect(denial.stderr).toBe(
      `${start} editor to user:mallory on the tenant; there is user:mallory editor on * (deny): add --deny (NOT_FOUND)\n`,
    );
    expect(elsewhere.stderr).toBe(
      `${start} viewer to user:bob on doc:1; there is user:bob owner on doc:1 (NOT_FOUND)\n`,
    );
    expect(none.stderr).toBe(
      `${start} viewer to user:eve on doc:1; see "postern bindings --subject user:eve" (NOT_FOUND)\n`,
    );
    expect(none.code).toBe(3);
  });

  test('tells nothing to who may not read it', async () => {
    const { stderr } = await as('user:bob', 'revoke', 'user:dave', 'owner', '--on', 'doc:1');
    expect(stderr).toBe(
      'postern: not found; nothing was written: there is no binding of role owner to user:dave on doc:1 (NOT_FOUND)\n',
    );
  });
});

test('an operator who takes the last administrator away is told how to, and nobody else is', async () => {
  const revoke = ['revoke', 'user:alice', 'admin', '--on', '*'];
  const [operator, writer] = await Promise.all([as('service:operator', ...revoke), alice(...revoke)]);
  expect(operator.stderr).toContain('add --allow-no-administrator (LAST_ADMINISTRATOR)\n');
  expect(writer.stderr).toContain('(LAST_ADMINISTRATOR)');
  expect(writer.stderr).not.toContain('--allow-no-administrator');
});

test('a tenant is not shown for deletion to who may not delete it', async () => {
  for (const more of [[], ['--dry-run'], ['--yes']]) {
    expect(await alice('tenants', 'delete', 'default', ...more)).toEqual({
      code: 3,
      stdout: '',
      stderr: 'postern: user:alice may not delete a tenant: only an operator may (NOT_PERMITTED)\n',
    });
  }
});

test('a tenant that nobody may write is not shown for deletion', async () => {
  const readOnly = await startTestSidecar(adminPolicy, {
    signIn: ['service:operator'],
    readOnly: 'a file is the truth',
  });
  const env = { POSTERN_ADDRESS: readOnly.socket, POSTERN_TOKEN: readOnly.tokens['service:operator'] ?? '' };
  const runs = await Promise.all([
    postern(['tenants', 'delete', 'default'], { env }),
    postern(['tenants', 'delete', 'default', '--dry-run'], { env }),
    postern(['grant', 'user:x', 'viewer', '--on', '*', '--dry-run'], { env }),
  ]);
  await readOnly.close();
  for (const run of runs) {
    expect(run).toEqual({ code: 3, stdout: '', stderr: 'postern: a file is the truth (READ_ONLY)\n' });
  }
});

test('a token file that everybody can read is told about', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-token-'));
  const file = join(directory, 'token');
  await writeFile(file, `${sidecar.current.tokens['user:alice']}\n`);
  await chmod(file, 0o600);
  const closed = await as('nobody', 'whoami', '--token-file', file);
  await chmod(file, 0o644);
  const open = await as('nobody', 'whoami', '--token-file', file);
  await rm(directory, { recursive: true });
  expect(closed).toEqual({ code: 0, stdout: 'user:alice (by token)\n', stderr: '' });
  expect(open).toEqual({
    code: 0,
    stdout: 'user:alice (by token)\n',
    stderr: `everybody on this machine can read ${file}, and be you; close it with "chmod 600 ${file}"\n`,
  });
});

test('the tenant of the environment is the one that is meant, but for lists and for files', async () => {
  const { socket, tokens } = sidecar.current;
  const run = (tenant: string, ...args: readonly string[]) =>
    postern(args, {
      env: { POSTERN_ADDRESS: socket, POSTERN_TOKEN: tokens['user:alice'] ?? '', POSTERN_TENANT: tenant },
    });
  const directory = await mkdtemp(join(tmpdir(), 'postern-tenant-'));
  const policy = join(directory, 'policy.yaml');
  await writeFile(policy, adminPolicy);
  const question = ['what-can', 'user:dave', 'doc:1', '--policy', policy];
  const [file, both, wrong, named, several] = await Promise.all([
    run('nosuch', ...question, '--why'),
    run('nosuch', ...question, '--tenant', 'default'),
    run('nosuch', 'roles'),
    run('nosuch', 'roles', '--tenant', 'default'),
    run('default,other', 'roles'),
  ]);
  await rm(directory, { recursive: true });
  expect(file).toMatchObject({ code: 0, stdout: expect.stringMatching(/^read .*viewer on doc:1/) });
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--tenant <name>') });
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('nosuch') });
  expect(named).toMatchObject({ code: 0, stderr: '' });
  expect(several).toMatchObject({ code: 0, stderr: '' });
});

describe('groups', () => {
  test('that somebody is in are listed', async () => {
    await alice('groups', 'create', 'group:all', '--member', 'group:ops', '--yes');
    const [direct, transitive, none] = await Promise.all([
      alice('groups', '--member', 'user:carol'),
      alice('groups', '--member', 'user:carol', '--transitive'),
      alice('groups', '--member', 'user:eve'),
    ]);
    expect(direct).toEqual({ code: 0, stdout: 'group:ops\n', stderr: '' });
    expect(transitive.stdout.split('\n').toSorted()).toEqual(['', 'group:all through group:ops', 'group:ops']);
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'in no group\n' });
  });

  test('that are not there are not shown as empty', async () => {
    expect(await alice('groups', 'show', 'group:osp')).toEqual({
      code: 3,
      stdout: '',
      stderr: 'postern: there is no group:osp (did you mean "group:ops"?) (NOT_FOUND)\n',
    });
    await alice('groups', 'create', 'group:empty');
    expect(await alice('groups', 'show', 'group:empty')).toEqual({ code: 0, stdout: '', stderr: 'no member\n' });
  });
});

test('the settings of a tenant are shown, and its mode is changed', async () => {
  const [shown, json, mode] = await Promise.all([
    alice('tenants', 'show'),
    alice('tenants', 'show', 'default', '--json'),
    alice('mode'),
  ]);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout.split('\n')).toEqual([
    expect.stringMatching(/^tenant default at revision \S+: 4 roles, 1 membership, 3 objects, 4 bindings$/),
    'mode enforce',
    'type doc, actions read write delete grant create move read_policy, parents folder',
    'type folder',
    'hook doc, grants owner for creator',
    '',
  ]);
  expect(JSON.parse(json.stdout)).toMatchObject({ tenant: 'default', types: [{ name: 'doc' }, { name: 'folder' }] });
  expect(mode).toEqual({ code: 0, stdout: 'enforce\n', stderr: '' });
  const changed = await alice('mode', 'shadow', '--yes');
  expect(changed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\+ mode shadow \(widens access\)\n/) });
  expect((await alice('mode')).stdout).toBe('shadow\n');
});
