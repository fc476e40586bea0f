// postern commit: several changes from one file, against a sidecar of real parts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lines, useAdminSidecar } from './admin-sidecar.ts';
import { postern } from './postern.ts';

const sidecar = useAdminSidecar();
const { as, alice } = sidecar;

let directory = '';
let file = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-commit-'));
  file = join(directory, 'changes.yaml');
});
afterAll(() => rm(directory, { recursive: true }));

test('all changes of a file are one change set', async () => {
  await writeFile(
    file,
    `- create: { object: 'doc:2', parents: ['folder:plans', { object: 'folder:archive', inherit: false }] }
- create: { object: 'group:team', description: A team }
- add: { group: 'group:team', member: 'user:eve', until: 8h }
- grant:
    { subject: 'group:team', role: viewer, on: 'doc:2', until: 2099-01-01T00:00:00Z, if: context.x > 1, name: n, note: why, this_only: true }
- grant: { subject: 'user:eve', role: viewer, on: { type: doc, regex: 'a+' }, deny: true }
- revoke: { subject: 'user:dave', role: viewer, on: 'doc:1' }
- move: { object: 'doc:1', parents: ['folder:archive'] }
- remove: { group: 'group:ops', member: 'user:carol' }
- delete: { hook: doc }
- put:
    roles: { lister: { permissions: ['doc:read'] } }
    constraints: { apart: { roles: [lister, owner] } }
`,
  );
  const asked = await alice('commit', file);
  expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
  const done = await alice('commit', file, '--yes', '--why', 'ticket 7');
  expect(done).toMatchObject({ code: 0, stderr: '' });
  const plain = lines(done).map((line) => line.replace(' (widens access)', ''));
  expect(plain.slice(0, -2).toSorted()).toEqual(
    [
      '+ object doc:2, parents folder:plans folder:archive (no inherit)',
      '+ binding user:alice owner on doc:2',
      '+ group:team',
      '+ member user:eve of group:team, until T',
      '+ binding group:team viewer on doc:2 (n), until T, that object only, if context.x > 1',
      '+ deny binding user:eve viewer on {"type":"doc","regex":"a+"}',
      '- binding user:dave viewer on doc:1',
      '~ object doc:1: parents +folder:archive -folder:plans',
      '- member user:carol of group:ops',
      '- hook doc',
      '+ role lister, permissions doc:read',
      '+ constraint apart, 2 of lister owner',
    ].toSorted(),
  );
  expect(lines(done).at(-1)).toBe('committed 12 changes: revision R');
  const { stdout } = await alice('history', '-n', '1');
  expect(stdout.split('\n')[0]).toMatch(/\.2\.\w+ \S+ user:alice: ticket 7$/);
});

test('JSON of the standard input is taken, too', async () => {
  const { socket, tokens } = sidecar.current;
  const input = JSON.stringify([
    { revoke: { subject: 'user:dave', role: 'viewer', on: 'doc:1' } },
    { delete: 'folder:archive' },
  ]);
  const env = { POSTERN_ADDRESS: socket, POSTERN_TOKEN: tokens['user:alice'] ?? '' };
  const done = await postern(['commit', '-', '--dry-run', '--json'], { env, input });
  expect(JSON.parse(done.stdout)).toMatchObject({
    committed: false,
    changes: [{ summary: '- binding user:dave viewer on doc:1' }, { summary: '- object folder:archive' }],
  });
});

test('everything that is wrong with the form is told, with its place, and nothing is asked', async () => {
  await writeFile(
    file,
    `- grant: { subject: bob, rol: viewer, on: 'doc:1' }
- { add: { group: 'group:ops', member: 'user:x' }, remove: { group: 'group:ops', member: 'user:y' } }
- grnt: {}
`,
  );
  const shape = await postern(['commit', file, '--address', 'nowhere.invalid:1']);
  expect(shape).toMatchObject({ code: 3, stdout: '' });
  expect(shape.stderr).toContain('postern: 2 problems in the changes; nothing was written\n');
  expect(shape.stderr).toContain(`${file}:1:26: unknown key "rol" (did you mean "role"?)\n`);
  expect(shape.stderr).toContain(`${file}:3:3: unknown key "grnt" (did you mean "grant"?)\n`);

  await writeFile(
    file,
    `- { add: { group: 'group:ops', member: 'user:x' }, remove: { group: 'group:ops', member: 'user:y' } }
- {}
- grant: { subject: 'user:x', role: viewer, on: '*', until: soon }
- put: {}
- grant: { subject: 'user:x', role: viewer, on: { object: doc } }
`,
  );
  const meaning = await postern(['commit', file, '--address', 'nowhere.invalid:1']);
  expect(meaning.stderr.match(/changes\.yaml:\d+:\d+: .*/g)).toEqual([
    expect.stringContaining('yaml:1:3: a change is one of grant, revoke'),
    expect.stringContaining('yaml:2:3: a change is one of grant, revoke'),
    expect.stringContaining('yaml:3:61: "until" "soon" is neither how long'),
    expect.stringContaining('yaml:4:8: "put" holds no record'),
    expect.stringContaining('yaml:5:49: scope "doc" has no colon'),
  ]);

  await writeFile(file, '');
  expect((await postern(['commit', file])).stderr).toContain('is empty; begin with a list of changes');
});

test('what the sidecar refuses has its place in the file', async () => {
  await writeFile(
    file,
    `- grant: { subject: bob, role: viewer, on: doc }
- put: { roles: { lister: { permissions: ['doc'] } } }
`,
  );
  const malformed = await alice('commit', file, '--yes');
  expect(malformed.stderr.trimEnd().split('\n')).toEqual([
    'postern: the change is malformed; nothing was written (INVALID_REQUEST)',
    `  ${file}:1:21: subject: "bob" has no colon; write it as "type:id"`,
    `  ${file}:1:44: on: "doc" has no colon; write it as "type:id"`,
    expect.stringContaining(`${file}:2:43: permissions: permission "doc" is not "type:action"`),
  ]);

  await writeFile(
    file,
    `- grant: { subject: 'user:x', role: viewr, on: 'doc:1' }
- grant: { subject: 'user:x', role: viewer, on: 'doc:1', if: 'a ==' }
- put: { roles: { lister: { permissions: ['dco:read'] } } }
`,
  );
  const invalid = await alice('commit', file, '--yes', '--json');
  expect(JSON.parse(invalid.stderr)).toMatchObject({
    error: {
      code: 'INVALID_CHANGE',
      problems: expect.arrayContaining([expect.objectContaining({ field: `${file}:2:62: if` })]),
    },
  });

  await writeFile(
    file,
    "- delete: 'doc:1'\n- delete: 'doc:9'\n- move: { object: 'doc:8', parents: ['folder:plans'] }\n",
  );
  const missing = await alice('commit', file, '--yes');
  expect(missing.stderr).toContain(`${file}:2:11`);
  await writeFile(file, "- move: { object: 'doc:8', parents: ['folder:plans'] }\n");
  for (const who of ['user:alice', 'service:operator']) {
    const moved = await as(who, 'commit', file, '--yes');
    expect(moved).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/changes\.yaml:1:9: .*doc:8.*\(NOT_FOUND\)$/m),
    });
  }
  await writeFile(
    file,
    "- grant: { subject: 'user:x', role: viewer, on: 'folder:plans' }\n- delete: { role: viewer }\n",
  );
  const refused = await as('user:eve', 'commit', file, '--yes');
  expect(refused.stderr.match(/changes\.yaml:\d+:\d+: user:eve may not/g)).toHaveLength(2);
});
