// Completion as a shell sees it.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, postern, posternPath } from './postern.ts';

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-completion-'));
  await writeFile(join(directory, 'policy.yaml'), '');
  await writeFile(join(directory, 'notes.txt'), '');
  await symlink(posternPath, join(directory, 'postern'));
});

afterAll(() => rm(directory, { recursive: true }));

async function suggestions(...words: string[]): Promise<string[]> {
  const { code, stdout } = await postern(['complete', '--', ...words], { cwd: directory });
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.at(-1)).toMatch(/^:\d+$/);
  return lines.slice(0, -1).map((line) => line.split('\t')[0] ?? '');
}

describe('suggestions', () => {
  test('are the commands, the options of one, the choices of an option, and policy files', async () => {
    const [commands, options, choices, files, shells] = await Promise.all([
      suggestions('wh'),
      suggestions('check', '--re'),
      suggestions('check', '--reach', ''),
      suggestions('validate', ''),
      suggestions('completion', ''),
    ]);
    expect(commands).toEqual(['who-can', 'what-can', 'whoami']);
    expect(options).toEqual(['--reach']);
    expect(choices).toEqual(['inherited', 'exact']);
    expect(files).toEqual(['policy.yaml']);
    const [subcommands, their, templates] = await Promise.all([
      suggestions('roles', 'c'),
      suggestions('groups', 'add', '--un'),
      suggestions('tenants', 'create', '--template', ''),
    ]);
    expect([subcommands, their, templates]).toEqual([['create'], ['--until'], ['policy.yaml']]);
    expect(shells.sort()).toEqual(['bash', 'fish', 'powershell', 'zsh']);
  });
});

describe('the script for bash', () => {
  test('completes in a real bash', () => {
    const script = `
      source <(postern completion bash)
      COMP_LINE='postern check user:alice read --rea' COMP_POINT=35
      _postern_complete
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...cleanEnvironment(), PATH: `${directory}:${dirname(process.execPath)}:${process.env.PATH}` },
    });
    expect({ stdout, status, stderr }).toEqual({ stdout: '--reach\n', status: 0, stderr: '' });
  });
});

describe('completion', () => {
  test('for a shell that is not known names those that are', async () => {
    const { code, stderr } = await postern(['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(stderr).toContain('shell "tcsh" is not one of bash, zsh, fish, powershell;');
  });
});
