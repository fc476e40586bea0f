// `postern import` as a child process: where the policy and the report go, and the exit codes.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postern } from './postern.ts';

const fixtures = join(import.meta.dirname, '../import/fixtures');
const casbin = ['import', 'casbin', join(fixtures, 'casbin/model.conf'), join(fixtures, 'casbin/policy.csv')];
const guardian = ['import', 'guardian', join(fixtures, 'guardian/dump.json')];
const roles = ['--roles', join(fixtures, 'guardian/roles.json')];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-import-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('postern import', () => {
  test('prints the policy, says on stderr that nothing changes, and ends with 0', async () => {
    const [first, second] = await Promise.all([postern(casbin), postern(casbin)]);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^version: 1\n/);
    expect(first.stderr).toBe('5 subjects, 15 questions each: every answer is the same, nothing is left over\n');
    expect(second).toEqual(first);
  });

  test('writes a file that validates, prints the report, and ends with 1 where something changes', async () => {
    const file = join(directory, 'policy.yaml');
    const run = await postern([...guardian, ...roles, '-o', file]);
    expect(run).toMatchObject({ code: 1, stderr: '' });
    expect(run.stdout).toContain('user:sync\n  narrowed   sync on ');
    expect(run.stdout).toContain('8 subjects, 36 questions each: 5 widened, 1 narrowed, 2 left over\n');
    expect(await readFile(file, 'utf8')).toContain("subject: 'user:olga'");
    expect(await postern(['validate', file])).toMatchObject({ code: 0 });
  });

  test('prints the report alone in a dry run, as JSON where asked', async () => {
    const run = await postern([...guardian, ...roles, '--dry-run', '--json', '--levels', 'combined']);
    expect(run).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(run.stdout)).toMatchObject({ same: false, subjects: 8, widened: 3, narrowed: 1, leftovers: 2 });
  });

  test.for([
    { args: guardian, message: 'there are no roles to match permissions to' },
    { args: [...guardian, '--domain', 'x', ...roles], message: '--domain is an option of casbin, not of guardian' },
    { args: ['import', 'ldap', 'x.ldif'], message: 'there is no source "ldap"; there are guardian,' },
    { args: [...casbin.slice(0, 2), 'nowhere.conf'], message: 'nowhere.conf cannot be read: there is no such file' },
  ])('refuses with 2 and says: $message', async ({ args, message }) => {
    const run = await postern(args);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(message);
  });
});
