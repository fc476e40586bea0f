// roles, groups, objects and history, against a sidecar of real parts.
import { describe, expect, test } from 'vitest';
import { lines, useAdminSidecar } from './admin-sidecar.ts';

const sidecar = useAdminSidecar();
const { as, alice } = sidecar;

describe('roles', () => {
  test('are listed by what they grant, and shown', async () => {
    const [all, writing, shown, json] = await Promise.all([
      alice('roles'),
      alice('roles', '--contains', 'doc:write', '--name', 'e*'),
      alice('roles', 'show', 'editor'),
      alice('roles', '--json', '--page-size', '1'),
    ]);
    expect(lines(all)).toEqual(['admin: *', 'editor: doc:write, all of viewer', 'owner: doc:*', 'viewer: doc:read']);
    expect(writing.stdout).toBe('editor: doc:write, all of viewer\n');
    expect(shown.stdout).toBe('role         editor\nincludes     viewer\npermission   doc:write\ngranted by   grant\n');
    expect(JSON.parse(json.stdout)).toMatchObject({ roles: [{ name: 'admin' }], info: { nextPageToken: /./ } });
  });

  test('are made, changed by what options name, and deleted', async () => {
    await alice('roles', 'create', 'lister', '--permission', '{"objects":"doc:a*","actions":["read"]}', '--yes');
    await alice('roles', 'update', 'lister', '--add-permission', 'doc:write', '--description', 'Lists', '--yes');
    const edit = ['--remove-permission', '{"objects":"doc:a*","actions":["read"]}', '--grant-action', 'hire'];
    await alice('roles', 'update', 'lister', ...edit, '--add-include', 'viewer', '--yes');
    const { stdout } = await alice('roles', 'show', 'lister');
    expect(stdout.split('\n').map((line) => line.slice(13))).toEqual([
      'lister',
      'Lists',
      'viewer',
      'doc:write',
      'hire',
      '',
    ]);
    expect(await alice('roles', 'delete', 'lister')).toMatchObject({ code: 0 });
  });

  test('that are there are not made again, and those that are not are not changed', async () => {
    const [made, changed, none] = await Promise.all([
      alice('roles', 'create', 'viewer', '--permission', 'doc:write', '--yes'),
      alice('roles', 'update', 'viewr', '--add-permission', 'doc:write', '--yes'),
      alice('roles', 'update', 'viewer', '--remove-permission', 'doc:raed', '--yes'),
    ]);
    expect(made).toMatchObject({ code: 5, stderr: expect.stringContaining('(ALREADY_EXISTS)') });
    expect(changed.stderr).toBe('postern: there is no role viewr (did you mean "viewer"?) (NOT_FOUND)\n');
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('--remove-permission "doc:raed" is not in the role');
  });
});

test('groups are made, filled, shown and deleted', async () => {
  const created = await alice(
    'groups',
    'create',
    'group:team',
    '--description',
    'A team',
    '--member',
    'user:bob',
    '--yes',
  );
  expect(lines(created).slice(0, 2)).toEqual(['+ group:team', '+ member user:bob of group:team (widens access)']);
  await alice('groups', 'add', 'group:team', 'user:eve', 'group:ops', '--until', '1h', '--yes');
  expect(lines(await alice('groups', 'show', 'group:team')).toSorted()).toEqual([
    'group:ops (until T)',
    'user:bob',
    'user:eve (until T)',
  ]);
  expect(lines(await alice('groups', 'show', 'group:team', '--transitive'))).toContain('user:carol in group:ops');
  expect(await alice('groups', 'remove', 'group:team', 'user:eve', 'group:ops')).toMatchObject({ code: 0 });
  expect(lines(await alice('groups'))).toContain('group:team: A team');
  const deleted = await alice('groups', 'delete', 'group:team');
  expect(lines(deleted)).toEqual(expect.arrayContaining(['- member user:bob of group:team', '- group:team']));
});

test('objects are made with what their hooks grant, moved and deleted', async () => {
  const created = await alice('objects', 'create', 'doc:2', '--parent', 'folder:plans', '--yes');
  expect(lines(created).slice(0, 2)).toEqual([
    '+ object doc:2, parents folder:plans',
    '+ binding user:alice owner on doc:2 (widens access)',
  ]);
  await alice('objects', 'move', 'doc:2', '--parent', 'folder:archive', '--no-inherit', '--yes');
  expect(lines(await alice('objects', '--parent', 'folder:archive'))).toEqual(['doc:2 in folder:archive (no inherit)']);
  await alice('objects', 'move', 'doc:2', '--top', '--yes');
  expect(lines(await alice('objects', '--object', 'doc:2'))).toEqual(['doc:2']);
  expect((await alice('objects', 'move', 'doc:2')).stderr).toContain('say where to: --parent folder:plans, or --top');
  const deleted = await alice('objects', 'delete', 'doc:2');
  expect(lines(deleted)).toEqual(expect.arrayContaining(['- object doc:2', '- binding user:alice owner on doc:2']));
});

test('history is filtered, newest first, and says where it ends', async () => {
  await alice('share', 'doc:1', 'user:eve', 'viewer', '--yes');
  await as('user:bob', 'share', 'doc:1', 'user:eve', 'owner', '--yes');
  const { stdout, stderr } = await alice('history', '--subject', 'user:eve', '-n', '1');
  expect(stdout).toMatch(/^\w+\.3\.\w+ \S+ user:bob\n {2}\+ binding user:eve owner on doc:1\n$/);
  expect(stderr).toBe('there are older ones; see more with -n\n');
  const by = await alice('history', '--by', 'user:alice', '--json');
  expect(JSON.parse(by.stdout)).toMatchObject({ changeSets: [{ by: 'user:alice' }], trimmed: false });
});
