// validate, test and diff, on files.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examplePolicy } from './example-policy.ts';
import { postern } from './postern.ts';

const files: Readonly<Record<string, string>> = {
  'policy.yaml': examplePolicy,
  'broken.yaml': `version: 1
types: { doc: { actions: [read] } }
roles:
  viewer: { permissions: ['doc:raed'] }
bindings:
  - { subject: 'user:alice', role: viwer, scope: 'doc:42' }
`,
  'changed.yaml': examplePolicy.replace('doc:write', 'doc:delete').replace(/^.*mallory.*\n/m, ''),
  'good/policy.test.yaml': `version: 1
policy: ../policy.yaml
tests:
  - name: ops may read and write
    allowed: [{ subject: ['user:alice', 'user:carol'], action: [read, write], object: doc:42 }]
    denied: [{ subject: user:eve, action: read, object: doc:42, reason: NO_ROLE }]
    objects: [{ subject: user:alice, action: read, type: doc, expect: ['doc:43', 'doc:42'], scopes: ['doc:public-*'] }]
    subjects: [{ action: write, object: doc:42, type: user, expect: ['user:carol', 'user:alice'], wildcards: [] }]
    actions: [{ subject: user:alice, object: doc:42, expect: [write, read] }]
  - name: groups can be asserted, and reach can be exact
    allowed: [{ subject: user:dave, action: read, object: doc:42, groups: ['group:sre'] }]
    denied: [{ subject: user:alice, action: read, object: doc:42, reach: exact }]
  - name: the tenant can be asked about
    allowed: [{ subject: user:bob, action: 'app:create' }]
`,
  'expiry/policy.yaml': `version: 1
roles: { r: { permissions: ['*'] } }
bindings: [{ subject: 'user:a', role: r, scope: '*', expires_at: 2030-01-01T00:00:00Z }]
`,
  'expiry/before.test.yaml': `version: 1
policy: policy.yaml
now: 2029-12-31T23:59:59Z
tests: [{ name: it still holds, allowed: [{ subject: user:a, action: x, object: doc:1 }] }]
`,
  'expiry/after.test.yaml': `version: 1
policy: policy.yaml
now: 2030-01-01T00:00:00Z
tests: [{ name: it is over, denied: [{ subject: user:a, action: x, object: doc:1, reason: NO_ROLE }] }]
`,
  'off/policy.yaml': examplePolicy.replace('version: 1', 'version: 1\nmode: off'),
  'off/policy.test.yaml': `version: 1
policy: policy.yaml
tests:
  - name: as if it were enforced
    denied: [{ subject: user:eve, action: read, object: doc:42, reason: NO_ROLE }]
    objects: [{ subject: user:eve, action: read, type: doc, expect: [], scopes: ['doc:public-*'] }]
`,
  'bad/wrong.test.yaml': `version: 1
policy: ../policy.yaml
tests:
  - name: wrong on <purpose> & "quoted"
    allowed: [{ subject: user:eve, action: delete, object: doc:42 }]
    denied: [{ subject: user:mallory, action: read, object: doc:42, reason: NO_ROLE }]
    objects: [{ subject: user:carol, action: read, type: doc, expect: ['doc:42', 'doc:99'], scopes: [] }]
  - name: right
    allowed: [{ subject: user:alice, action: read, object: doc:42 }]
`,
  'invalid/one.test.yaml':
    'version: 1\npolicy: ../broken.yaml\ntests: [{ name: x, allowed: [{ subject: user:a, action: b }] }]\n',
};

let directory = '';
const run = (...args: string[]) => postern(args, { cwd: directory });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-policies-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), text);
  }
});

afterAll(() => rm(directory, { recursive: true }));

describe('validate', () => {
  test('accepts valid policies and test files', async () => {
    expect(await run('validate', 'policy.yaml', 'good/policy.test.yaml')).toEqual({
      code: 0,
      stdout: 'valid: 2 files\n',
      stderr: '',
    });
  });

  test('shows every problem with its place, what was meant, and the line', async () => {
    const { code, stdout } = await run('validate', 'policy.yaml', 'broken.yaml');
    expect(code).toBe(3);
    expect(stdout).toBe(`broken.yaml:4:27: type "doc" has no action "raed" (did you mean "read"?)
  4 |   viewer: { permissions: ['doc:raed'] }
    |                           ^
broken.yaml:6:36: unknown role "viwer" (did you mean "viewer"?)
  6 |   - { subject: 'user:alice', role: viwer, scope: 'doc:42' }
    |                                    ^
invalid: 2 problems in 1 of 2 files
`);
  });

  test('reads the standard input, and speaks JSON', async () => {
    const { code, stdout } = await postern(['validate', '-', '--json'], { input: files['broken.yaml'] ?? '' });
    expect(code).toBe(3);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ valid: false, problems: 2, warnings: 0, files: [{ file: '-' }] });
    expect(report.files[0].problems[0]).toMatchObject({ line: 4, column: 27, suggestion: 'read' });
  });

  test('names a file that is not there', async () => {
    const { code, stdout } = await run('validate', 'nowhere.yaml');
    expect(code).toBe(3);
    expect(stdout).toContain('nowhere.yaml: cannot be read: there is no such file');
  });
});

describe('test', () => {
  test('runs what is in the directories that are named, each file at its own time', async () => {
    const { code, stdout } = await run('test', 'good', 'expiry', 'off');
    expect(stdout).toContain('✓ ops may read and write (8 assertions)');
    expect(stdout).toContain('✓ it is over (1 assertion)');
    expect(stdout).toContain('✓ as if it were enforced (2 assertions)');
    expect(stdout).toMatch(/\n6 passed \(15 assertions, 4 files, \d+ ms\)\n$/);
    expect(code).toBe(0);
  });

  test('explains what fails, and writes it down for CI', async () => {
    const { code, stdout } = await run('test', 'bad', '--junit', 'report.xml');
    expect(code).toBe(1);
    expect(stdout).toContain('✗ wrong on <purpose> & "quoted" (3 assertions)');
    expect(stdout).toContain('user:eve delete doc:42: expected allowed, is denied (NO_ROLE) bad/wrong.test.yaml:5:15');
    expect(stdout).toContain('user:mallory read doc:42: expected denied (NO_ROLE), is denied (EXPLICIT_DENY)');
    expect(stdout).toContain('misses doc:99; has also doc:43; has also scopes doc:public-*');
    expect(stdout).toContain('user:carol may not read doc:99: ');
    expect(stdout).toMatch(/\n1 failed, 1 passed \(4 assertions, 1 file, \d+ ms\)\n$/);
    const report = await readFile(join(directory, 'report.xml'), 'utf8');
    expect(report).toContain('<testsuites name="postern test" tests="2" failures="1" errors="0" skipped="0">');
    expect(report).toContain('name="wrong on &lt;purpose> &amp; &quot;quoted&quot;"');
    expect(report).toContain('user:carol may not read doc:99: ');
  });

  test('tells an invalid file from a failed test', async () => {
    const { code, stdout } = await run('test', 'invalid', 'good', '--json');
    expect(code).toBe(3);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ passed: 3, failed: 0, invalid: 1 });
    expect(report.files[0].problems).toHaveLength(2);
  });

  test('is not green where there is nothing to run', async () => {
    const { code, stderr } = await run('test', 'broken.yaml/..');
    expect(code).toBe(2);
    expect(stderr).toContain('cannot be read');
    const empty = await mkdtemp(join(directory, 'empty-'));
    const nothing = await run('test', empty);
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toContain('no *.test.yaml in');
    const policy = await run('test', 'policy.yaml');
    expect(policy.code).toBe(2);
    expect(policy.stderr).toContain('policy.yaml is not called *.test.yaml');
  });
});

describe('diff', () => {
  test('of two files shows the way from one to the other', async () => {
    expect(await run('diff', 'policy.yaml', 'changed.yaml')).toEqual({
      code: 0,
      stdout: `~ role editor: permissions +doc:delete -doc:write
- deny binding user:mallory editor on *
0 to add, 1 to change, 1 to remove
`,
      stderr: '',
    });
  });

  test('ends with 1 where they differ and the exit code is asked for', async () => {
    const [differ, same] = await Promise.all([
      run('diff', 'changed.yaml', 'policy.yaml', '--exit-code', '--json'),
      run('diff', 'policy.yaml', 'policy.yaml', '--exit-code'),
    ]);
    expect(differ.code).toBe(1);
    expect(JSON.parse(differ.stdout)).toMatchObject({
      added: 1,
      changed: 1,
      removed: 0,
      lines: [{ sign: '~' }, { sign: '+' }],
    });
    expect(same).toMatchObject({ code: 0, stdout: 'No changes.\n' });
  });

  test('with an invalid policy is refused, not answered', async () => {
    const { code, stdout, stderr } = await run('diff', 'policy.yaml', 'broken.yaml', '--exit-code');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('broken.yaml:4:27');
  });
});
