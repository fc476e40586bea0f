// `postern replay` on logs in files: what it prints, its exit codes, and what it says of what it could not decide.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decisionId, decisionRecord } from '../impact/records.ts';
import { postern } from './postern.ts';

const policy = `version: 1
roles:
  viewer: { permissions: ['doc:read'] }
  editor: { includes: [viewer], permissions: ['doc:write'] }
groups:
  eng: ['user:alice', 'user:bob']
objects:
  folder:plans: {}
  doc:plan: folder:plans
bindings:
  - { subject: 'group:eng', role: editor, scope: 'folder:plans' }
`;
/** Several processes, each of which takes its time to start where the machine has other work. */
const slow = { timeout: 60_000 };
const binding = ['group:eng', 'editor', 'folder:plans', 'allow'];
const allowed = { reason: 'ALLOWED', binding, object: 'doc:plan' };
const records = [
  decisionRecord(1, allowed),
  decisionRecord(2, { ...allowed, action: 'write' }),
  decisionRecord(3, { ...allowed, subject: 'user:bob', action: 'write' }),
  decisionRecord(4, { object: 'doc:plan', subject: 'user:eve', allowed: false, reason: 'NO_ROLE' }),
  decisionRecord(5, { ...allowed, subject: 'user:bob', action: 'write' }),
];

let directory = '';
const run = (...args: string[]) => postern(args, { cwd: directory });
const linesOf = (all: readonly object[]) => all.map((record) => `${JSON.stringify(record)}\n`).join('');

async function writeLog(name: string, all: readonly object[]): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, 'decisions-i1.ndjson'), linesOf(all));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-replay-'));
  await writeFile(join(directory, 'policy.yaml'), policy);
  const viewers = policy
    .replace('role: editor, scope', 'role: viewer, scope')
    .replace("eng: ['", "eng: ['user:eve', '");
  await writeFile(join(directory, 'new.yaml'), viewers);
  await writeLog('log', records);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('the policy that decided changes nothing, and ends with 0', async () => {
  const { code, stdout, stderr } = await run('replay', '--policy', 'policy.yaml', '--dir', 'log');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(
    `5 decisions from ${records[0]?.time} to ${records[4]?.time}, 5 of them decided again under policy.yaml\nnone would change\n`,
  );
});

test('another one is shown by what would change, the largest group first, and ends with 1', async () => {
  const { code, stdout } = await run('replay', '--policy', 'new.yaml', '--dir', 'log');
  expect(code).toBe(1);
  expect(
    stdout,
  ).toBe(`5 decisions from ${records[0]?.time} to ${records[4]?.time}, 5 of them decided again under new.yaml
4 would change: 3 newly denied, 1 newly allowed (80 %)

newly denied 3: write on doc (2 subjects on 1 object)
  was  ALLOWED by group:eng editor on folder:plans
  now  ROLE_LACKS_PERMISSION, closest is group:eng viewer on folder:plans
  e.g. user:alice write doc:plan, ${records[1]?.time}, ${decisionId(2)}
       user:bob write doc:plan, 2 times, last ${records[4]?.time}, ${decisionId(5)}

newly allowed 1: read on doc (1 subject on 1 object)
  was  NO_ROLE: no binding reaches it
  now  ALLOWED by group:eng viewer on folder:plans
  e.g. user:eve read doc:plan, ${records[3]?.time}, ${decisionId(4)}
`);
});

test('groups can be of one subject, and their number is limited', async () => {
  const { stdout } = await run(
    'replay',
    '--policy',
    'new.yaml',
    '--dir',
    'log',
    '--group-by',
    'subject',
    '--limit',
    '1',
  );
  expect(stdout).toContain(`newly denied 2: subject user:bob (1 subject on 1 object)
  e.g. user:bob write doc:plan, 2 times, last ${records[4]?.time}, ${decisionId(5)} (ALLOWED: group:eng editor on folder:plans, now ROLE_LACKS_PERMISSION: group:eng viewer on folder:plans)
`);
  expect(stdout).toContain('\nand 2 more groups with 2 decisions; --limit shows more, --json all\n');
});

test('--json is one document with all groups', async () => {
  const { code, stdout } = await run('replay', '--policy', 'new.yaml', '--dir', 'log', '--json');
  expect(code).toBe(1);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    proposed: 'new.yaml',
    decisions: 5,
    replayed: 5,
    changed: 4,
    newlyDenied: 3,
    newlyAllowed: 1,
    newlyFailing: 0,
    notReplayed: { lists: 0, masked: 0, notEnforced: 0 },
  });
  expect(report.groups[0]).toMatchObject({
    direction: 'newly_denied',
    reasonBefore: 'ALLOWED',
    roleBefore: 'editor',
    reasonAfter: 'ROLE_LACKS_PERMISSION',
    roleAfter: 'viewer',
    action: 'write',
    type: 'doc',
    count: 3,
    subjects: 2,
    objects: 1,
    exact: true,
  });
  expect(report.groups[0].examples[1]).toMatchObject({
    subject: 'user:bob',
    decision: decisionId(5),
    count: 2,
    before: { answer: 'allowed', reason: 'ALLOWED', binding },
  });
});

test('--each prints every decision that would change, and the report behind them', slow, async () => {
  const { stdout } = await run('replay', '--policy', 'new.yaml', '--dir', 'log', '--each', '--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.slice(0, -1).map(({ decision, direction }) => [decision, direction])).toEqual([
    [decisionId(2), 'newly_denied'],
    [decisionId(3), 'newly_denied'],
    [decisionId(4), 'newly_allowed'],
    [decisionId(5), 'newly_denied'],
  ]);
  expect(lines.at(-1)).toMatchObject({ report: { changed: 4 } });
  const text = await run('replay', '--policy', 'new.yaml', '--dir', 'log', '--each');
  expect(text.stdout).toContain(
    `${records[3]?.time} newly allowed user:eve read doc:plan  NO_ROLE, now ALLOWED: group:eng viewer on folder:plans (${decisionId(4)})\n`,
  );
});

test('only what is asked for is decided again', slow, async () => {
  const some = async (...more: string[]) => {
    const { stdout } = await run('replay', '--policy', 'new.yaml', '--dir', 'log', '--json', ...more);
    return JSON.parse(stdout).changed;
  };
  expect(await some('--subject', 'user:bob')).toBe(2);
  expect(await some('--denied')).toBe(1);
  expect(await some('--since', records[3]?.time ?? '')).toBe(2);
  expect(await some('--until', records[3]?.time ?? '')).toBe(2);
});

test('a baseline is compared with in the place of the records', async () => {
  const { code, stdout } = await run('replay', '--policy', 'new.yaml', '--baseline', 'new.yaml', '--dir', 'log');
  expect(code).toBe(0);
  expect(stdout).toContain('none would change\ncompared with new.yaml, not with what was recorded\n');
  expect(stdout).toContain('4 were recorded otherwise than the baseline says\n');
});

describe('what cannot be decided again', () => {
  test('is said, and what is missing from the log', async () => {
    const gap = {
      type: 'gap',
      instance: 'i1',
      time: '2026-06-01T12:00:00.007Z',
      tenant: 'default',
      cause: 'buffer_full',
    };
    await writeLog('partial', [
      decisionRecord(1, allowed),
      decisionRecord(1, allowed),
      decisionRecord(2, { source: 'list_objects', object: 'doc:*', results: 3 }),
      decisionRecord(3, { mode: 'off', reason: 'ENFORCEMENT_OFF' }),
      { ...gap, first: 4, last: 9 },
    ]);
    await writeFile(join(directory, 'partial', 'decisions-i2.ndjson'), 'not a record\n');
    const { code, stdout, stderr } = await run('replay', '--policy', 'policy.yaml', '--dir', 'partial');
    expect(code).toBe(0);
    expect(stdout).toContain('3 decisions from');
    expect(stdout).toContain('not decided again: 1 list, 1 made while enforcement was off\n');
    expect(stdout).toContain('not in the log: 6 records, which 1 gap record stand for\n');
    expect(stdout).toContain('1 record came more than once, and counted once\n');
    expect(stderr).toContain('1 line of the log could not be read, and did not count');
  });

  test('is an error where the log is of several tenants, or not there', slow, async () => {
    await writeLog('two', [decisionRecord(1), decisionRecord(2, { tenant: 'acme' })]);
    const { code, stderr } = await run('replay', '--policy', 'policy.yaml', '--dir', 'two');
    expect(code).toBe(2);
    expect(stderr).toContain('several tenants, default and acme among them; name one with --tenant');
    expect((await run('replay', '--policy', 'policy.yaml', '--dir', 'two', '--tenant', 'acme')).code).toBe(1);
    expect((await run('replay', '--policy', 'policy.yaml', '--dir', 'none')).code).toBe(4);
    expect((await run('replay', '--dir', 'log')).stderr).toContain('no policy is proposed');
  });
});
