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
const type = (text: string) => `${v1}roles: {r: {permissions: ['*']}}\n${text}`;

describe('text that is not YAML', () => {
  test.each([
    ['an empty file', '', ['0:0 is empty; begin with "version: 1"']],
    ['only a comment', '# nothing\n', ['0:0 is empty; begin with "version: 1"']],
    ['a tab', `${v1}roles:\n\ta: {}\n`, ['3:1 a tab is used to indent; YAML wants spaces']],
    ['an open quote', `${v1}mode: "off\nroles: {}\n\n`, ['2:7 a quote is opened here and never closed']],
    [
      'a bare star',
      `${v1}bindings:\n- {subject: 'a:b', role: r, scope: *}`,
      ["3:36 * alone begins an alias in YAML; put it in quotes: '*'"],
    ],
    [
      'a star before text',
      `${v1}roles:\n  r: { permissions: [*:read] }`,
      ["3:22 there is no anchor &:read above; to write text that begins with *, put it in quotes: '*:read'"],
    ],
    ['an at sign', `${v1}mode: @off`, ['2:7 text cannot begin with @ in YAML; put it in quotes']],
    ['a percent sign', `${v1}mode: %off`, ['2:7 text cannot begin with % in YAML; put it in quotes']],
    ['a tag', `${v1}mode: !secret off`, ['2:7 tags such as !secret are not supported; remove it']],
    [
      'a known tag',
      `${v1}mode: !!timestamp 2020-01-01`,
      ['2:19 tags such as !!timestamp are not supported; remove it'],
    ],
    ['two documents', `${v1}---\n${v1}`, ['2:1 a second document begins here; a file holds one']],
    [
      'another YAML',
      `%YAML 1.1\n---\n${v1}mode: no`,
      ['1:1 %YAML 1.1 is not supported; leave the line out (YAML 1.2)'],
    ],
    [
      'a list that is never closed',
      `${v1}roles: [\n`,
      ['2:8 [ is opened here and not closed; what belongs to it must be indented, and end with ]'],
    ],
    [
      'a mapping that is never closed',
      `${v1}roles:\n  a: { permissions: [x:y]\n  b: {}\n`,
      ['3:6 { is opened here and not closed; what belongs to it must be indented, and end with }'],
    ],
    [
      'a mapping in a line',
      `${v1}mode: off: on`,
      ['2:7 a mapping begins in the middle of a line; put it on the next line, or the text in quotes'],
    ],
    ['a bottomless list', `${v1}roles: ${'['.repeat(50)}${']'.repeat(50)}`, ['2:40 is nested more than 32 deep']],
  ])('%s is refused', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('nesting that would exhaust the stack is a problem, not a crash', () => {
    const [problem, ...others] = problemsOf(`${v1}roles: ${'['.repeat(100_000)}`);
    expect(problem).toMatch(/is nested too deeply|is opened here and not closed/);
    expect(others.length).toBeLessThan(10);
  });
});

describe('keys', () => {
  test.each([
    ['twice', `${v1}roles:\n  a: {}\n  b: {}\n  'a': {}`, ['5:3 key "a" is there twice; the first is on line 3']],
    ['a number', `${v1}groups:\n  42: []`, ["3:3 key 42 is a number; put it in quotes: '42'"]],
    ['a boolean', `${v1}groups:\n  true: []`, ["3:3 key true is a boolean; put it in quotes: 'true'"]],
    ['missing', `${v1}groups:\n  : []`, ['3:3 a key is missing before the colon']],
    ['a list', `${v1}groups:\n  ? [a]\n  : []`, ['3:5 a key must be text, not a list or a mapping']],
    ['a template', `${v1}mode: {{ mode }}`, ['2:8 a key must be text, not a list or a mapping']],
    ['an alias', `${v1}groups:\n  &a b: []\n  *a : []`, ['4:3 a key cannot be an alias']],
    ['the prototype', `${v1}roles:\n  __proto__: {}`, ['3:3 key "__proto__" is not allowed']],
    [
      'unknown',
      `${v1}colour: red`,
      [
        '2:1 unknown key "colour"; known here: version, mode, types, attributes, roles, groups, objects, bindings, hooks, constraints',
      ],
    ],
    ['mistyped', `${v1}bindngs: []`, ['2:1 unknown key "bindngs" (did you mean "bindings"?)']],
    [
      'of YAML 1.1',
      `${v1}roles:\n  a: &a {}\n  b: { <<: *a }`,
      ['4:8 unknown key "<<"; known here: description, includes, permissions, except, grant_action, system'],
    ],
    [
      'mistyped and required',
      `${v1}bindings:\n- { subjct: 'user:a', role: r, scope: '*' }`,
      ['3:5 unknown key "subjct" (did you mean "subject"?)'],
    ],
  ])('%s is refused', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });
});

describe('values of another shape', () => {
  test.each([
    ['no version', 'mode: off', ['1:1 "version" is missing; write version: 1']],
    ['another version', 'version: 2', ['1:10 "version" must be 1, not 2']],
    ['a version in quotes', "version: '1'", ['1:10 "version" must be 1, not "1"']],
    ['a list as the file', '- a', ['1:1 the file must be a mapping, but it is a list']],
    ['text as the file', 'policy', ['1:1 the file must be a mapping, but "policy" is text']],
    [
      'a mode',
      `${v1}mode: enforced`,
      ['2:7 "mode" must be "enforce", "shadow" or "off", not "enforced" (did you mean "enforce"?)'],
    ],
    ['a mode that is a boolean', `${v1}mode: true`, ['2:7 "mode" must be "enforce", "shadow" or "off", not true']],
    ['roles as a list', `${v1}roles: [a]`, ['2:8 "roles" must be a mapping, but it is a list']],
    ['a role of nothing', `${v1}roles:\n  a:`, ['3:5 "a" must be a mapping, but nothing is there']],
    [
      'permissions as text',
      `${v1}roles: {a: {permissions: 'doc:read'}}`,
      ['2:26 "permissions" must be a list, but "doc:read" is text'],
    ],
    [
      'a permission of numbers',
      `${v1}roles: {a: {permissions: [42]}}`,
      ['2:27 an item of "permissions" must be text or a mapping, but 42 is a number; put it in quotes: \'42\''],
    ],
    [
      'a long permission',
      `${v1}roles: {a: {permissions: [{objects: '*', action: [a]}]}}`,
      ['2:42 unknown key "action" (did you mean "actions"?)'],
    ],
    [
      'a scope of two forms',
      type("bindings: [{subject: '*', role: r, scope: {type: doc, regx: a}}]"),
      ['3:55 unknown key "regx" (did you mean "regex"?)'],
    ],
    [
      'a scope of nothing',
      type("bindings: [{subject: '*', role: r, scope: }]"),
      ['3:43 "scope" must be text or a mapping, but nothing is there'],
    ],
    [
      'an incomplete binding',
      type('bindings: [{}]'),
      ['3:12 "subject" is missing', '3:12 "role" is missing', '3:12 "scope" is missing'],
    ],
    [
      'an effect',
      type("bindings: [{subject: '*', role: r, scope: '*', effect: denny}]"),
      ['3:56 "effect" must be "allow" or "deny", not "denny" (did you mean "deny"?)'],
    ],
    [
      'a flag',
      type("bindings: [{subject: '*', role: r, scope: '*', locked: yes}]"),
      ['3:56 "locked" must be true or false, but "yes" is text'],
    ],
    [
      'a role that is a number',
      type("bindings: [{subject: '*', role: 7, scope: '*'}]"),
      ['3:33 "role" must be text, but 7 is a number; put it in quotes: \'7\''],
    ],
    [
      'a date',
      type("bindings: [{subject: '*', role: r, scope: '*', expires_at: 2027-01-01}]"),
      ['3:60 "expires_at" "2027-01-01" is not a time; write RFC 3339 with an offset: 2027-01-01T00:00:00Z'],
    ],
    [
      'a time of nowhere',
      type("bindings: [{subject: '*', role: r, scope: '*', expires_at: 2027-01-01T00:00:00}]"),
      ['3:60 "expires_at" "2027-01-01T00:00:00" is not a time; write RFC 3339 with an offset: 2027-01-01T00:00:00Z'],
    ],
    ['a group of text', `${v1}groups: {a: 'user:b'}`, ['2:13 "a" must be a list or a mapping, but "user:b" is text']],
    [
      'parents as text',
      `${v1}objects: {'a:b': {parents: 'c:d'}}`,
      ['2:28 "parents" must be a list, but "c:d" is text'],
    ],
  ])('%s is refused', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });
});

describe('a graph that is not valid', () => {
  test.each([
    [
      'an unknown role',
      type("bindings:\n  - subject: 'user:a'\n    role: x\n    scope: '*'"),
      ['5:11 unknown role "x" (did you mean "r"?)'],
    ],
    [
      'an inclusion of itself',
      `${v1}roles:\n  a: { includes: [b] }\n  b:\n    includes:\n      - a`,
      ['6:9 role includes itself: a -> b -> a'],
    ],
    [
      'a group in itself',
      `${v1}groups:\n  a: ['group:b']\n  b:\n    members: [{ subject: 'group:a' }]`,
      ['5:26 group is a member of itself: group:b -> group:a -> group:b'],
    ],
    ['a group key', `${v1}groups:\n  "": [user:a]`, ['3:3 group "group:" has an empty id']],
    [
      'a member',
      `${v1}groups:\n  a:\n    members: [user:b, bob]`,
      ['4:23 member "bob" has no colon; write it as "type:id"'],
    ],
    [
      'a parent of a short form',
      `${v1}objects:\n  a:b: a:c`,
      ['3:8 parent "a:c" is not registered; add it to objects'],
    ],
    [
      'a parent of a long form',
      `${v1}objects:\n  a:b: { parents: [{ object: a:c, inherit: false }] }`,
      ['3:30 parent "a:c" is not registered; add it to objects'],
    ],
    ['an object key', `${v1}objects:\n  reports: {}`, ['3:3 object "reports" has no colon; write it as "type:id"']],
    [
      'a type key',
      `${v1}types:\n  my doc: {}`,
      ['3:3 type "my doc" is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -'],
    ],
    [
      'an action',
      `${v1}types: {doc: {actions: [read]}}\nroles:\n  a:\n    permissions:\n      - doc:raed`,
      ['6:9 type "doc" has no action "raed" (did you mean "read"?)'],
    ],
    [
      'a regular expression',
      type("bindings:\n- subject: 'user:a'\n  role: r\n  scope: { type: doc, regex: 'a(' }"),
      ['6:30 regular expression "a(" is not RE2 syntax: error parsing regexp: missing closing ): `a(`'],
    ],
    [
      'a binding twice',
      type(
        "bindings:\n- {subject: 'a:b', role: r, scope: 'doc:1'}\n- {subject: 'a:b', role: r, scope: {object: 'doc:1'}, effect: allow}",
      ),
      ['5:3 this binding (same subject, role, scope and effect) is there twice; remove one'],
    ],
    [
      'cascade',
      type("bindings:\n- {subject: 'a:b', role: r, scope: '*', cascade: false}"),
      ['4:50 cascade: false is for a binding on one object; this scope has no descendants to leave out'],
    ],
    ['a grant action', `${v1}roles:\n  a: { grant_action: '' }`, ['3:22 grant action "" is empty']],
    [
      'an expiry of long ago',
      type("bindings:\n- {subject: 'a:b', role: r, scope: '*', expires_at: 1969-07-20T20:17:40Z}"),
      ['4:53 expiry -14182940000 is not a time after 1970 and before the year 10000, in whole milliseconds'],
    ],
  ])('%s is placed', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('every problem is told at once, by place', () => {
    const text = type(
      "bindings:\n- {subject: 'alice', role: x, scope: 'doc'}\n- {subject: 'user:a', role: y, scope: '*'}",
    );
    expect(problemsOf(text).map((problem) => problem.split(' ')[0])).toEqual(['4:13', '4:28', '4:38', '5:29']);
  });

  test('what follows from a problem of the same value is not told', () => {
    const text = `${v1}types: {doc: {parents: [folder]}}\nobjects:\n  doc:1: foldr:1`;
    expect(problemsOf(text)).toEqual(['4:10 parent "foldr:1" is not registered; add it to objects']);
  });
});
