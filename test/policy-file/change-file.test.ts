// A file of changes becomes changes, each with its place; what the command line makes of it is tested there.
import { expect, test } from 'vitest';
import { parseChanges } from '../../src/policy-file/change-file.ts';

const nowMs = Date.UTC(2026, 5, 1);

function parse(text: string) {
  const parsed = parseChanges(text, 'changes.yaml', nowMs);
  return parsed.ok
    ? parsed.changes
    : parsed.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test('a grant is a put, and a revocation a deletion, of the same identity', () => {
  const words = "subject: 'user:bob', role: r, on: { object: 'doc:1' }, deny: true, name: n";
  const identity = { kind: 'binding', subject: 'user:bob', role: 'r', scope: 'doc:1', effect: 'deny', name: 'n' };
  expect(
    parse(
      `- grant: { ${words}, until: 1h, if: 'true', this_only: true, locked: true, note: x }\n- revoke: { ${words} }`,
    ),
  ).toEqual([
    {
      origin: [0, 'grant'],
      change: {
        op: 'put',
        record: {
          ...identity,
          expiresAt: nowMs + 3_600_000,
          condition: 'true',
          cascade: false,
          locked: true,
          note: 'x',
        },
      },
    },
    { origin: [1, 'revoke'], change: { op: 'delete', record: identity } },
  ]);
});

test('a part of a policy file is a put for each record, with its own place', () => {
  expect(parse("- put: { mode: shadow, groups: { ops: ['user:a'] } }")).toEqual([
    { origin: [0, 'put', 'mode'], change: { op: 'put', record: { kind: 'settings', mode: 'shadow' } } },
    {
      origin: [0, 'put', 'groups', 'ops', 0],
      change: { op: 'put', record: { kind: 'member', group: 'group:ops', member: 'user:a' } },
    },
  ]);
});

test('every kind that is deleted by its name is named by its key', () => {
  expect(parse('- delete: { role: r, hook: h, constraint: c, type: t, attribute: a }')).toMatchObject(
    ['role', 'hook', 'constraint', 'type', 'attribute'].map((kind) => ({ change: { op: 'delete', record: { kind } } })),
  );
});

test.for([
  ['- grant: { role: r, on: "*" }', '1:10 "subject" is missing'],
  ['- doc:1', '1:3 an item of the list must be a mapping, but "doc:1" is text'],
  ['grant: {}', '1:1 the file must be a list, but it is a mapping'],
  ['[]', '1:1 the file holds no change; write a list of changes'],
  ['- delete: {}', '1:11 "delete" is empty; write an object'],
  [
    '- add: { group: "group:a", member: "user:a", until: 2020-01-01T00:00:00Z }',
    '1:53 "until" "2020-01-01T00:00:00Z" is in the past',
  ],
])('%s is refused, with its place', ([text, problem]) => {
  expect(parse(text as string)).toEqual([expect.stringContaining(problem as string)]);
});
