// `postern reconcile` against a real Redis: an upgrade, twice.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postern } from '../cli/postern.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';

let directory = '';
const tenant = `reconcile-${process.pid}`;
const run = (...args: string[]) => postern(args, { cwd: directory, env: { POSTERN_REDIS: sharedRedisUrl() } });
const reconcile = (...args: string[]) => run('reconcile', ...args, '--tenant', tenant, '--yes');

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-reconcile-'));
  const files = {
    'policy.yaml': `version: 1
roles:
  file.viewer: { permissions: ['file:view'] }
  file.old: { permissions: ['file:view'], system: true }
  mine: { includes: [file.old], permissions: ['file:copy'] }
bindings:
  - { subject: 'user:ann', role: file.old, scope: '*' }
  - { subject: 'user:ann', role: mine, scope: '*' }
`,
    'release.yaml':
      "version: 1\nroles:\n  file.viewer: { permissions: ['file:view', 'file:list'] }\n  file.owner: { permissions: ['file:*'] }\n",
    'admin.yaml':
      "version: 1\nroles: { chief: { permissions: ['*'], system: true } }\nbindings: [{ subject: 'user:ann', role: chief, scope: '*' }]\n",
    'both.yaml':
      "version: 1\nroles: { a: { permissions: ['b:c'] } }\nbindings: [{ subject: 'user:ann', role: a, scope: '*' }]\n",
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)));
  await run('apply', 'policy.yaml', '--tenant', tenant, '--yes');
});
afterAll(() => rm(directory, { recursive: true }));

test('an upgrade creates, changes, locks and removes shipped roles, and keeps those of users', async () => {
  const first = await reconcile('release.yaml', '--prefix', 'file.');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  const lines = first.stdout.split('\n');
  expect(lines.slice(0, 5).sort()).toEqual([
    '+ role file.owner, system, permissions file:*',
    '- binding user:ann file.old on *',
    '- role file.old',
    '~ role file.viewer: permissions +file:list; system none -> true',
    '~ role mine: includes -file.old',
  ]);
  expect(lines[5]).toBe('1 to add, 2 to change, 2 to remove');
  expect(await reconcile('release.yaml', '--prefix', 'file.')).toMatchObject({ code: 0, stdout: 'No changes.\n' });
});

test('without a word on whose the system roles are, nothing is done', async () => {
  expect(await reconcile('release.yaml')).toMatchObject({ code: 2, stdout: '' });
});

test("a role outside the software's own names is refused: it may be a user's", async () => {
  const refused = await reconcile('release.yaml', '--prefix', 'rpm.');
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toContain('begins with none of rpm.');
});

test('the last administrator does not go with a role that is not shipped any more', async () => {
  await run('apply', 'admin.yaml', '--tenant', `${tenant}-admin`, '--yes');
  const args = ['reconcile', 'release.yaml', '--tenant', `${tenant}-admin`, '--all-system', '--yes'];
  const refused = await run(...args);
  expect(refused).toMatchObject({ code: 3 });
  expect(refused.stderr).toContain('(LAST_ADMINISTRATOR)');
  expect(await run(...args, '--allow-no-administrator')).toMatchObject({ code: 0 });
});

test('a file with more than roles is refused, and nothing is done', async () => {
  const refused = await reconcile('both.yaml', '--all-system');
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toContain('holds a binding, too');
});
