// `postern audit explain` with logs in files and policies that were exported: what it prints, and its exit codes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecisionRecord } from '../../src/decision-log/record.ts';
import { decisionId, decisionRecord } from '../impact/records.ts';
import { postern } from './postern.ts';

const revision = 'a1b2.7.c3d4';
const policy = `# tenant default at revision ${revision}
version: 1
roles:
  viewer: { permissions: ['doc:read'] }
groups:
  eng: ['user:alice']
bindings:
  - { subject: 'group:eng', role: viewer, scope: 'doc:*' }
  - { subject: 'user:bob', role: viewer, scope: 'doc:*', condition: 'context.ip == "10.0.0.1"' }
`;
const binding = ['group:eng', 'viewer', 'doc:*', 'allow'];
const allowed = { revision, reason: 'ALLOWED', binding };
const path = {
  subject_steps: [{ from: 'user:alice', to: 'group:eng' }],
  effect: 'allow',
  roles: ['viewer'],
  permission: 'doc:read',
  scope: 'doc:*',
};
const records: readonly DecisionRecord[] = [
  decisionRecord(1, allowed),
  decisionRecord(2, { ...allowed, allowed: false, reason: 'NO_ROLE', binding: undefined as unknown as unknown[] }),
  decisionRecord(3, { ...allowed, path, caller: 'unix', trace_id: 'abc' }),
  decisionRecord(4, { ...allowed, subject: 'user:hmac-x', masked: ['subject', 'binding'] }),
  decisionRecord(5, { revision, source: 'list_objects', object: 'doc:*', results: 2 }),
  decisionRecord(6, {
    revision,
    subject: 'user:bob',
    binding: ['user:bob', 'viewer', 'doc:*', 'allow'],
    masked: ['attributes.ip'],
  }),
  decisionRecord(7, { ...allowed, mode: 'shadow' }),
];

let directory = '';
const explain = (n: number, ...more: string[]) =>
  postern(['audit', 'explain', decisionId(n), '--dir', '.', '--policy', 'policy.yaml', ...more], { cwd: directory });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-audit-explain-'));
  await writeFile(join(directory, 'policy.yaml'), policy);
  await writeFile(
    join(directory, 'other.yaml'),
    policy.replace(revision, 'a1b2.6.c3d4').replace("['user:alice']", '[]'),
  );
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  await writeFile(join(directory, 'decisions-i1.ndjson'), lines.slice(2).join(''));
  await writeFile(join(directory, 'decisions-i1.000001.ndjson.gz'), gzipSync(lines.slice(0, 2).join('')));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('says why, and that it is what was recorded', async () => {
  const { code, stdout, stderr } = await explain(1);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(`${records[0]?.time} allowed user:alice read doc:42  ALLOWED by group:eng viewer on doc:*
decision ${decisionId(1)} · number 1 of i1 · revision ${revision}

explained at policy.yaml, exported at revision ${revision}
allowed
user:alice may read doc:42: user:alice, through group:eng, holds role viewer on doc:*, which permits doc:read.
├─ subject  user:alice → group:eng
├─ binding  group:eng viewer on doc:*
├─ role     viewer: permits doc:read
└─ object   doc:42, reached by scope doc:*
this is what was recorded
`);
});

test('shows the path that was recorded, who asked, and the trace', async () => {
  const { code, stdout } = await explain(3);
  expect(code).toBe(0);
  expect(stdout).toContain(` · asked by unix · trace abc
the path that was recorded:
  subject  user:alice → group:eng
  binding  group:eng viewer on doc:*
  role     viewer: permits doc:read
  object   doc:42
  scope    doc:*
`);
});

describe('ends with 1', () => {
  test('where the record says something else, and names what', async () => {
    const { code, stdout } = await explain(2);
    expect(code).toBe(1);
    expect(stdout).toContain(`differs from the record: allowed was false, and is true
differs from the record: reason was NO_ROLE, and is ALLOWED
differs from the record: binding was none, and is group:eng viewer on doc:*
`);
    expect(stdout).not.toContain('another one');
  });

  test('where the mode was another one', async () => {
    const { code, stdout } = await explain(7);
    expect(code).toBe(1);
    expect(stdout).toContain('differs from the record: mode was shadow, and is enforce\n');
  });

  test('where the graph is of another revision, and says so', async () => {
    const { code, stdout } = await explain(1, '--policy', 'other.yaml');
    expect(code).toBe(1);
    expect(stdout).toContain(
      'other.yaml, which is of revision a1b2.6.c3d4 of tenant default; the decision was made at a1b2.7',
    );
    expect(stdout).toContain('the graph may be another one than that which decided\n');
  });

  test('where the question is masked, or was a list', { timeout: 60_000 }, async () => {
    const masked = await explain(4);
    expect(masked.code).toBe(1);
    expect(masked.stdout).toContain('it cannot be decided again: masked are subject\n');
    const list = await explain(5);
    expect(list.code).toBe(1);
    expect(list.stdout).toContain('this was a list; explain one of its elements');
  });

  test('where a condition needs an attribute that is masked', async () => {
    const { code, stdout } = await explain(6);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /it cannot be decided again: .*ip.*\nattributes are masked, which a condition may look at\n/,
    );
  });
});

test('--json has the record, the explanation and what differs', async () => {
  const { code, stdout } = await explain(2, '--json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    record: { id: decisionId(2), reason: 'NO_ROLE' },
    certain: true,
    explanation: { decision: { allowed: true, reason: 'REASON_ALLOWED' } },
    agrees: false,
    differences: [
      { field: 'allowed', recorded: 'false', explained: 'true' },
      { field: 'reason' },
      { field: 'binding' },
    ],
  });
});

test('what is not there, or is no id, is an error', { timeout: 60_000 }, async () => {
  const missing = await explain(99);
  expect(missing).toMatchObject({
    code: 3,
    stderr: expect.stringContaining(`there is no decision ${decisionId(99)} in .;`),
  });
  const bad = await postern(['audit', 'explain', '42', '--dir', '.', '--policy', 'policy.yaml'], { cwd: directory });
  expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('is no decision id') });
  const unnamed = await postern(['audit', 'explain', decisionId(1), '--dir', '.'], { cwd: directory });
  expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringContaining('name the graph that decided') });
});
