/**
 * The examples, executed as `postern test` would: every folder has its files,
 * every policy is valid and none of its roles idle, every claim holds, and
 * every README speaks of roles that are there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createPolicyAsker } from '../src/cli/policy-asker.ts';
import { runTestFile } from '../src/cli/policy-tests.ts';
import { findTestFiles, isTestFile } from '../src/cli/test-files.ts';
import type { EntityRecord, Mode } from '../src/model/entity.ts';
import { loadPolicyFile } from '../src/policy-file/load.ts';
import { loadTestFile } from '../src/policy-file/test-file.ts';

const root = join(import.meta.dirname, '..', 'examples');
/** Long enough that a reader gives up. */
const maxLines = 150;

const examples = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

interface Page {
  readonly roles: readonly string[];
  readonly links: readonly string[];
}

const roleRow = /^ roles?\b/;

/** A page's links, and the names in the last cell of each row of a table whose middle cell begins with "role". */
function readPage(example: string): Page {
  const text = readFileSync(join(root, example, 'README.md'), 'utf8');
  const rows = text.split('\n').map((line) => line.split('|'));
  const roles = rows.flatMap(([, , word = '', here = '']) =>
    roleRow.test(word) ? [...here.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string) : [],
  );
  return { roles, links: [...text.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] as string) };
}

function policiesOf(example: string): readonly string[] {
  return readdirSync(join(root, example))
    .filter((name) => name.endsWith('.yaml') && !isTestFile(name))
    .map((name) => join(root, example, name));
}

async function recordsOf(path: string): Promise<readonly EntityRecord[]> {
  const policy = await loadPolicyFile(path);
  if (!policy.ok) throw new Error(policy.problems.map((p) => `${p.file}:${p.line}: ${p.message}`).join('\n'));
  expect(policy.warnings).toEqual([]);
  return policy.records;
}

function rolesOf(records: readonly EntityRecord[]): readonly string[] {
  return records.flatMap((record) => (record.kind === 'role' ? [record.name] : []));
}

function rolesUsedIn(records: readonly EntityRecord[]): readonly string[] {
  return records.flatMap((record) => {
    if (record.kind === 'binding') return [record.role];
    return record.kind === 'role' ? (record.includes ?? []) : [];
  });
}

test('there is a first example, and one for each of four systems', () => {
  expect(examples.toSorted()).toEqual(['airavata', 'deis', 'nmdc', 'pulp', 'quickstart']);
});

describe.each(examples)('the example %s', (example) => {
  test('has a policy, its tests and a page', () => {
    const files = readdirSync(join(root, example));
    expect(files).toEqual(expect.arrayContaining(['policy.yaml', 'policy.test.yaml', 'README.md']));
    expect(files.filter((name) => isTestFile(name))).toHaveLength(policiesOf(example).length);
  });

  test.each(policiesOf(example))('%s is valid and short, and uses all of its roles', async (path) => {
    const records = await recordsOf(path);
    expect(rolesOf(records).filter((role) => !rolesUsedIn(records).includes(role))).toEqual([]);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(maxLines);
  });

  test('has a page whose roles and links exist', async () => {
    const { roles, links } = readPage(example);
    const known = (await Promise.all(policiesOf(example).map(recordsOf))).flatMap(rolesOf);
    expect(roles.length).toBeGreaterThan(2);
    expect(roles.filter((role) => !known.includes(role))).toEqual([]);
    for (const link of links.filter((link) => !link.includes('://'))) {
      expect(readdirSync(dirname(join(root, example, link))), link).toContain(link.split('/').at(-1));
    }
  });
});

for (const file of await findTestFiles([root])) {
  const name = file.slice(root.length + 1);
  const suite = await loadTestFile(file);
  // A file that names no time would be asked at this one, and is reported below.
  const { tests, rejected } = await runTestFile(file, 0);

  describe(name, () => {
    test('is valid, and says at what time it holds', () => {
      expect(rejected?.problems).toBeUndefined();
      expect(suite.ok && suite.now).toEqual(expect.any(Number));
      expect(tests.length).toBeGreaterThan(0);
    });

    test.each(tests)('$name', ({ assertions, failures }) => {
      expect(failures).toEqual([]);
      expect(assertions).toBeGreaterThan(0);
    });

    test.each<[Mode, string]>([
      ['shadow', 'allows everything and tells what it would have said'],
      ['off', 'allows everything'],
    ])('in mode %s %s', async (mode) => {
      if (!suite.ok) throw new Error('invalid');
      const records = await recordsOf(resolve(dirname(file), suite.policy));
      const settings: EntityRecord = { kind: 'settings', mode };
      const asker = createPolicyAsker([...records, settings], () => suite.now as number);
      for (const asserted of suite.tests.flatMap(({ assertions }) => assertions)) {
        if (asserted.kind !== 'check' || asserted.query.reach === 'exact') continue;
        const { subject, action, object, assertedGroups } = asserted.query;
        const context = { assertedGroups: [...assertedGroups] };
        const { decision } = await asker.check({ subject, action, object, context });
        const enforcedAllowed = mode === 'off' ? true : asserted.allowed;
        expect(decision, JSON.stringify(asserted.query)).toMatchObject({ allowed: true, enforcedAllowed });
      }
    });
  });
}
