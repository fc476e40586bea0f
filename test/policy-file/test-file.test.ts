import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeProblem } from '../../src/policy-file/format-problems.ts';
import { loadTestFile, parseTestFile } from '../../src/policy-file/test-file.ts';

const text = `version: 1
policy: policy.yaml
now: 2026-06-01T00:00:00Z
tests:
  - name: owners push
    allowed:
      - { subject: user:alice, action: [push, scale], object: [app:blog, app:shop] }
    denied:
      - { subject: user:bob, action: delete, object: app:blog, reason: ROLE_LACKS_PERMISSION }
      - { subject: anonymous, action: app:create, groups: [group:x], active_roles: [viewer] }
  - name: lists
    objects:
      - { subject: user:bob, action: push, type: app, expect: ['app:blog'], scopes: [] }
    subjects:
      - { action: push, object: app:blog, type: user, expect: ['user:alice'], wildcards: ['*'], reach: exact }
      - { action: app:create, expect: [] }
    actions:
      - { subject: user:bob, object: app:blog, expect: [push] }
`;

test('each list of a question multiplies, and every assertion knows its place', () => {
  const suite = parseTestFile(text, 'a/policy.test.yaml');
  const question = { reach: 'inherited', assertedGroups: [] };
  const alice = { ...question, subject: 'user:alice' };
  const allowed = { kind: 'check', at: { line: 7, column: 9 }, allowed: true, reason: undefined };
  expect(suite).toEqual({
    ok: true,
    file: 'a/policy.test.yaml',
    policy: 'policy.yaml',
    now: Date.UTC(2026, 5, 1),
    tests: [
      {
        name: 'owners push',
        at: { line: 5, column: 5 },
        assertions: [
          { ...allowed, query: { ...alice, action: 'push', object: 'app:blog' } },
          { ...allowed, query: { ...alice, action: 'push', object: 'app:shop' } },
          { ...allowed, query: { ...alice, action: 'scale', object: 'app:blog' } },
          { ...allowed, query: { ...alice, action: 'scale', object: 'app:shop' } },
          {
            kind: 'check',
            at: { line: 9, column: 9 },
            query: { ...question, subject: 'user:bob', action: 'delete', object: 'app:blog' },
            allowed: false,
            reason: 'ROLE_LACKS_PERMISSION',
          },
          {
            kind: 'check',
            at: { line: 10, column: 9 },
            query: {
              reach: 'inherited',
              assertedGroups: ['group:x'],
              activeRoles: ['viewer'],
              subject: 'anonymous',
              action: 'app:create',
              object: '',
            },
            allowed: false,
            reason: undefined,
          },
        ],
      },
      {
        name: 'lists',
        at: { line: 11, column: 5 },
        assertions: [
          {
            kind: 'objects',
            at: { line: 13, column: 9 },
            query: { ...question, subject: 'user:bob', action: 'push', object: '' },
            type: 'app',
            expect: ['app:blog'],
            wide: [],
          },
          {
            kind: 'subjects',
            at: { line: 15, column: 9 },
            query: { reach: 'exact', assertedGroups: [], subject: '', action: 'push', object: 'app:blog' },
            type: 'user',
            expect: ['user:alice'],
            wide: ['*'],
          },
          {
            kind: 'subjects',
            at: { line: 16, column: 9 },
            query: { ...question, subject: '', action: 'app:create', object: '' },
            type: '',
            expect: [],
            wide: undefined,
          },
          {
            kind: 'actions',
            at: { line: 18, column: 9 },
            query: { ...question, subject: 'user:bob', action: '', object: 'app:blog' },
            type: '',
            expect: ['push'],
            wide: undefined,
          },
        ],
      },
    ],
  });
});

describe('a test file that is not right', () => {
  const head = 'version: 1\npolicy: p.yaml\ntests:\n- name: t\n';
  const question = (fields: string) => `${head}  allowed: [{ ${fields} }]`;
  const many = `[${Array.from({ length: 50 }, (_, i) => `'user:${i}'`).join(', ')}]`;
  test.each([
    ['no policy', 'version: 1\ntests: []', ['1:1 "policy" is missing']],
    ['nothing asserted', head, ['4:3 test "t" asserts nothing']],
    ['a mistyped key', question('subject: a:b, acton: c'), ['5:29 unknown key "acton" (did you mean "action"?)']],
    ['a subject', question('subject: alice, action: a'), ['5:24 subject "alice" has no colon; write it as "type:id"']],
    [
      'a wildcard subject',
      question("subject: [a:b, 'user:*'], action: a"),
      ['5:30 subject "user:*" is a wildcard; name one subject'],
    ],
    ['an action', question("subject: a:b, action: ''"), ['5:37 action "" is empty']],
    [
      'an object',
      question("subject: a:b, action: c, object: 'doc:*'"),
      ['5:48 object "doc:*" is a whole type; name one object'],
    ],
    [
      'an empty object',
      question("subject: a:b, action: c, object: ''"),
      ['5:48 object "" is empty; write it as "type:id"'],
    ],
    ['an empty list', question('subject: [], action: c'), ['5:24 "subject" is empty']],
    [
      'a group',
      question('subject: a:b, action: c, groups: [ops]'),
      ['5:49 group "ops" is not a group; write it as "group:<id>"'],
    ],
    ['an active role', question("subject: a:b, action: c, active_roles: ['']"), ['5:55 role "" is empty']],
    ['no active role', question('subject: a:b, action: c, active_roles: []'), ['5:54 "active_roles" is empty']],
    [
      'reach without an object',
      question('subject: a:b, action: c, reach: exact'),
      ['5:47 reach: exact needs an object'],
    ],
    [
      'a reason',
      `${head}  denied: [{ subject: a:b, action: c, reason: NO_ROL }]`,
      [
        '5:47 "reason" must be "EXPLICIT_DENY", "CONDITION_NOT_MET", "ROLE_LACKS_PERMISSION" or "NO_ROLE", not "NO_ROL" (did you mean "NO_ROLE"?)',
      ],
    ],
    [
      'a reason of what is allowed',
      question('subject: a:b, action: c, reason: NO_ROLE'),
      ['5:40 unknown key "reason"; known here: subject, action, object, reach, attributes, groups, active_roles'],
    ],
    [
      'a type',
      `${head}  objects: [{ subject: a:b, action: c, type: 'd e', expect: [] }]`,
      ['5:46 type "d e" is not legal'],
    ],
    [
      'too many',
      question(`subject: ${many}, action: ${many}, object: ${many}`),
      ['5:13 the lists of this file multiply to more than 100000 questions'],
    ],
  ])('%s is refused', (_, file, expected) => {
    const result = parseTestFile(file, 't.test.yaml');
    const problems = result.ok ? [] : result.problems;
    expect(problems.map((problem) => `${problem.line}:${problem.column} ${describeProblem(problem)}`)).toEqual(
      expected,
    );
  });
});

test('it is read from disk like a policy', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-test-file-'));
  const path = join(directory, 'policy.test.yaml');
  expect(await loadTestFile(path)).toMatchObject({
    ok: false,
    problems: [{ message: 'cannot be read: there is no such file' }],
  });
  await writeFile(path, text);
  expect(await loadTestFile(path)).toEqual(parseTestFile(text, path));
  await rm(directory, { recursive: true });
});
