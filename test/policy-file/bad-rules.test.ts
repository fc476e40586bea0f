// Files that are too much, and rules (hooks, constraints) and names that are not right: each is told with its place.
import { describe, expect, test } from 'vitest';
import { describeProblem } from '../../src/policy-file/format-problems.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';

/** "line:column message (did you mean ...)" of every problem. */
function problemsOf(text: string): string[] {
  const result = parsePolicy(text, 'policy.yaml');
  if (result.ok) return [];
  return result.problems.map((problem) => `${problem.line}:${problem.column} ${describeProblem(problem)}`);
}

const v1 = 'version: 1\n';
const ruled = `${v1}roles: { reader: {}, owner: { includes: [reader] }, clerk: {} }\n`;
const hooks = (text: string) => `${ruled}hooks:\n${text}`;
const constraints = (text: string) => `${ruled}constraints:\n${text}`;

const attributed = `${v1}roles: { reader: {} }\nattributes: { network: string, level: int, tags: list(text) }\n`;
const conditional = (condition: string) =>
  `${attributed.replace('text', 'string')}bindings:\n  - { subject: 'user:a', role: reader, scope: '*', condition: '${condition}' }`;

describe('an attribute', () => {
  test.each([
    [
      'of a type that is none',
      attributed,
      [
        '3:50 attribute type "list(text)" is not known; there are string, bool, int, double, timestamp, map, dyn (anything), and list(<type>)',
      ],
    ],
    ['without a type', `${v1}attributes: { network: { description: Where from. } }`, ['2:24 "type" is missing']],
    [
      'that a condition misspells',
      conditional('context.netwrok == "office"'),
      [
        '5:63 condition "context.netwrok == \\"office\\"": "context.netwrok" names attribute "netwrok", which is not declared; did you mean "network"?',
      ],
    ],
    [
      'that a condition takes for another type',
      conditional('context.level > "x"'),
      ['5:63 condition "context.level > \\"x\\"" applies > to int and string, which it does not take'],
    ],
    [
      'in a condition that does not compile',
      conditional('subject + 1 > context.nothing'),
      [
        '5:63 condition "subject + 1 > context.nothing": "subject + 1" applies + to string and int, which it does not take',
      ],
    ],
  ])('%s is told at its place', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });
});

describe('a hook', () => {
  test.each([
    [
      'of a type that is none',
      '  my doc: []',
      ['4:3 type "my doc" is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -'],
    ],
    ['that is a mapping', '  doc: { role: owner }', ['4:8 "doc" must be a list, but it is a mapping']],
    [
      'of an unknown role',
      '  doc:\n    - { role: reader, subject: creator }\n    - { role: ownr, subject: creator }',
      ['6:15 unknown role "ownr" (did you mean "owner"?)'],
    ],
    [
      'of a subject that is none',
      '  doc:\n    - { role: owner, subject: owner }',
      ['5:31 subject "owner" has no colon; write it as "type:id", or as creator or created'],
    ],
    [
      'with a scope that is none',
      '  doc:\n    - { role: owner, subject: creator, scope: doc }',
      [
        '5:47 scope "doc" has no colon; write it as "type:id"; a scope is "*", "type:*", "type:id", "type:pattern*" or {type, regex}',
      ],
    ],
    [
      'with an expression that does not compile',
      "  doc:\n    - { role: owner, subject: creator, scope: { type: doc, regex: 'a(' } }",
      ['5:67 regular expression "a(" is not RE2 syntax: error parsing regexp: missing closing ): `a(`'],
    ],
    [
      'with cascade: false on many objects',
      "  doc:\n    - { role: owner, subject: creator, scope: 'doc:*', cascade: false }",
      ['5:65 cascade: false is for a binding on one object; this scope has no descendants to leave out'],
    ],
    [
      'with a created group where no group is created',
      '  doc:\n    - { group: created, member: creator }',
      ['5:16 "created" is no group here: what is created is a doc; name one as "group:<id>"'],
    ],
    [
      'with a group in itself',
      '  group:\n    - { group: created, member: created }',
      ['5:33 the created group would be a member of itself'],
    ],
    [
      'with a group that is none',
      '  doc:\n    - { group: ops, member: bob }',
      [
        '5:16 group "ops" is not a group; write it as "group:<id>"',
        '5:29 member "bob" has no colon; write it as "type:id", or as creator or created',
      ],
    ],
    [
      'with a grant twice',
      '  doc:\n    - { role: owner, subject: creator }\n    - { role: owner, subject: creator, note: again }',
      ['6:7 this grant is there twice; remove one'],
    ],
    [
      'with a field of the other form',
      '  doc:\n    - { role: owner, member: creator }',
      [
        '5:22 unknown key "member"; known here: role, subject, scope, cascade, locked, note',
        '5:7 "subject" is missing',
      ],
    ],
    [
      'of more than a hundred grants',
      `  doc:\n${Array.from({ length: 101 }, (_, i) => `    - { role: owner, subject: 'user:${i}' }\n`).join('')}`,
      ['5:5 a hook has at most 100 grants, and this one 101; bind a group'],
    ],
  ])('%s is refused', (_, text, expected) => {
    expect(problemsOf(hooks(text)).toSorted()).toEqual(expected.toSorted());
  });

  test('of a type that resembles a declared one is refused', () => {
    const typed = `${ruled}types: { doc: }\nhooks:\n  dco:\n    - { role: owner, subject: creator, scope: 'odc:*' }\n`;
    expect(problemsOf(typed)).toEqual([
      '5:3 type "dco" is not declared (did you mean "doc"?)',
      '6:47 type "odc" is not declared (did you mean "doc"?)',
    ]);
  });
});

describe('a constraint', () => {
  test.each([
    ['without a name', '  "": { roles: [reader, clerk] }', ['4:3 constraint "" is empty']],
    ['of an unknown role', '  c:\n    roles: [reader, clrk]', ['5:21 unknown role "clrk" (did you mean "clerk"?)']],
    [
      'of one role',
      '  c:\n    roles: [reader]',
      ['5:12 a constraint is on two roles or more; name those that exclude each other'],
    ],
    ['of a role twice', '  c:\n    roles: [reader, clerk, reader]', ['5:28 role "reader" is there twice; remove one']],
    [
      'of a cardinality of one',
      '  c:\n    roles: [reader, clerk, owner]\n    cardinality: 1',
      ['6:18 cardinality 1 must be a whole number from 2 to 3, the number of its roles'],
    ],
    [
      'of a cardinality past its roles',
      '  c:\n    roles: [reader, clerk]\n    cardinality: 3',
      ['6:18 cardinality 3 must be 2'],
    ],
    [
      'of a broken cardinality',
      '  c:\n    roles: [reader, clerk]\n    cardinality: two',
      ['6:18 "cardinality" must be a number, but "two" is text'],
    ],
    ['without roles', '  c: { cardinality: 2 }', ['4:6 "roles" is missing']],
    [
      'of more than a thousand roles',
      `  c:\n    roles: [${Array.from({ length: 1001 }, (_, i) => `r${i}`).join()}]`,
      ['5:12 a constraint has at most 1000 roles, and this one 1001'],
    ],
  ])('%s is refused', (_, text, expected) => {
    expect(problemsOf(constraints(text)).filter((problem) => !problem.includes('unknown role "r'))).toEqual(expected);
  });

  test('that somebody violates is told at what joins the roles, and of everybody', () => {
    const text = `${constraints('  duty: { roles: [reader, clerk] }\n')}groups:
  tills: ['user:eve']
bindings:
  - { subject: 'group:tills', role: clerk, scope: 'doc:1' }
  - { subject: 'user:bob', role: clerk, scope: '*' }
  - subject: 'user:bob'
    role: owner
    scope: doc:2
  - { subject: 'user:eve', role: reader, scope: 'doc:2', effect: allow }
`;
    const rule = 'nobody may have 2 of reader, clerk';
    expect(problemsOf(text)).toEqual([
      `11:11 separation of duty "duty": user:bob would have reader (role owner includes it) and clerk; ${rule}`,
      `13:34 separation of duty "duty": user:eve would have reader and clerk (through group:tills); ${rule}`,
    ]);
  });
});

describe('a name with a line break', () => {
  const cases: [string, string, string][] = [
    ['of a role', 'roles: { "a\\nb": {} }', '2:10 role "a\\nb" holds a control character at position 2'],
    ['of a group', 'groups: { "a\\nb": [user:a] }', '2:11 group "group:a\\nb" holds a control character at position 2'],
    [
      'of a member',
      'groups: { a: ["user:a\\nb"] }',
      '2:15 member "user:a\\nb" holds a control character at position 2',
    ],
    ['of an object', 'objects: { "doc:a\\nb": }', '2:12 object "doc:a\\nb" holds a control character at position 2'],
    [
      'of a type',
      'types: { "a\\nb": }',
      '2:10 type "a\\nb" is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -',
    ],
    [
      'of a hook',
      'hooks: { "a\\nb": [] }',
      '2:10 type "a\\nb" is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -',
    ],
  ];
  test.each(cases)('%s is refused', (_, text, expected) => {
    expect(problemsOf(`${v1}${text}`)).toEqual([expected]);
  });

  test('never breaks the line of a message', () => {
    const text = `${constraints('  duty: { roles: [reader, clerk] }\n')}groups:
  c: ["group:a\\nb"]
  "a\\nb": ['group:c']
bindings:
  - { subject: "user:a\\nb", role: reader, scope: '*' }
  - { subject: "user:a\\nb", role: clerk, scope: '*' }
`;
    const problems = problemsOf(text);
    expect(problems).toContain('7:12 group is a member of itself: "group:a\\nb" -> group:c -> "group:a\\nb"');
    expect(problems.filter((problem) => problem.includes(': "user:a\\nb" would have reader and clerk;'))).toHaveLength(
      1,
    );
    expect(problems.filter((problem) => problem.includes('\n'))).toEqual([]);
  });
});

describe('size', () => {
  test('aliases that multiply are refused quickly', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `  l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(10)}]`);
    const text = `${v1}groups:\n  l0: &l0 [${"'user:a', ".repeat(10)}]\n${levels.join('\n')}`;
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^\d+:\d+ aliases stand for more than 1000000 values$/);
  });

  test('an alias that holds itself is refused', () => {
    expect(problemsOf(`${v1}roles: &x\n  a: *x`)).toEqual(['3:6 alias *x stands for something that holds it']);
  });

  test.each([64 * 1024 * 1024 + 1, 200_000_000])('a file of %i bytes is refused before it is parsed', (bytes) => {
    expect(problemsOf(' '.repeat(bytes))).toEqual([
      '0:0 is larger than 67108864 bytes; split it, or load it into Redis',
    ]);
  });

  test('a mapping of many keys takes linear time', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `  doc:${i}: {}`);
    const text = `${v1}objects:\n${keys.join('\n')}\n  doc:7: {}`;
    expect(problemsOf(text)).toEqual(['20003:3 key "doc:7" is there twice; the first is on line 10']);
  });

  test.each([1_200, 10_000])('of %i problems a thousand are told, the others counted', (count) => {
    const many = Array.from({ length: count }, (_, i) => `- {subject: 'user:${i}', role: x, scope: '*'}`);
    const result = parsePolicy(`${v1}bindings:\n${many.join('\n')}`, 'policy.yaml');
    expect(result).toMatchObject({ ok: false, omitted: count - 1_000 });
    expect(result.ok ? [] : result.problems.map(({ line }) => line)).toEqual(
      Array.from({ length: 1_000 }, (_, i) => i + 3),
    );
  });
});
