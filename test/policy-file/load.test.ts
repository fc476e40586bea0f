import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatProblems } from '../../src/policy-file/format-problems.ts';
import { loadPolicyFile } from '../../src/policy-file/load.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { parsePolicyAside } from '../../src/policy-file/parse-aside.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-load-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** The problems of a file as a person sees them, without the directory. */
async function problemsOf(name: string): Promise<string> {
  const result = await loadPolicyFile(join(directory, name));
  return result.ok ? '' : formatProblems(result).replaceAll(`${directory}/`, '');
}

test('a policy is read, parsed and validated', async () => {
  await writeFile(join(directory, 'good.yaml'), 'version: 1\nroles: {r: {permissions: [a:b]}}\n');
  const result = await loadPolicyFile(join(directory, 'good.yaml'));
  expect(result).toMatchObject({ ok: true, records: [{ kind: 'role', name: 'r' }], warnings: [] });
});

test('a problem names the file and the line', async () => {
  await writeFile(join(directory, 'bad.yaml'), 'version: 1\nmode: of\n');
  expect(await problemsOf('bad.yaml')).toBe(
    'bad.yaml:2:7: "mode" must be "enforce", "shadow" or "off", not "of" (did you mean "off"?)\n  2 | mode: of\n    |       ^',
  );
});

test('a file that is not there, is a directory, is not text or is too large is a problem of the file', async () => {
  await writeFile(join(directory, 'latin1.yaml'), Buffer.from([0x76, 0xe9]));
  await writeFile(join(directory, 'large.yaml'), '');
  // Sparse: it takes no room on the disk.
  await truncate(join(directory, 'large.yaml'), 200_000_000);
  expect(await problemsOf('none.yaml')).toBe('none.yaml: cannot be read: there is no such file');
  expect(await problemsOf('.')).toMatch(/: cannot be read: it is a directory$/);
  expect(await problemsOf('latin1.yaml')).toBe('latin1.yaml: is not UTF-8 text; save it as UTF-8');
  expect(await problemsOf('large.yaml')).toBe('large.yaml: is larger than 67108864 bytes');
});

test('a large policy is parsed beside this thread, with the same result', async () => {
  const bindings = Array.from({ length: 2500 }, (_, i) => `- {subject: 'user:${i}', role: r, scope: 'doc:*'}`).join(
    '\n',
  );
  const good = `version: 1\nroles: {r: {permissions: [doc:read]}}\nbindings:\n${bindings}\n`;
  const bad = good.replace('role: r,', 'role: x,');
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  const results = [await parsePolicyAside(good, 'p.yaml'), await parsePolicyAside(bad, 'p.yaml')];
  clearInterval(ticking);
  expect(results).toEqual([parsePolicy(good, 'p.yaml'), parsePolicy(bad, 'p.yaml')]);
  expect(turns).toBeGreaterThan(5);
});

test('a small policy is parsed at once', async () => {
  expect(await parsePolicyAside('version: 1', 'p.yaml')).toEqual({ ok: true, records: [], warnings: [] });
});
