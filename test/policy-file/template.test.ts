// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a template writes them
// Templates: what is put in where, and what is wrong with a template or its values, placed in the template.
import { describe, expect, test } from 'vitest';
import { formatProblems } from '../../src/policy-file/format-problems.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { formatPolicy } from '../../src/policy-file/print.ts';
import { parseTemplate } from '../../src/policy-file/template.ts';
import { blockWith, readPage } from '../docs/pages.ts';

const template = `version: 1
parameters:
  owner: { description: Who administers it }
  team: { default: "\${tenant}-team" }
roles:
  admin: { permissions: ['*'] }
  \${tenant}-reader: { permissions: ['doc:read'] }
groups:
  \${team}: ['\${owner}']
bindings:
  - { subject: '\${owner}', role: admin, scope: '*', note: 'costs $\${5}, $1 and $' }
  - { subject: 'group:\${team}', role: '\${tenant}-reader', scope: 'doc:\${tenant}/*' }
`;

function parse(text: string, values: Readonly<Record<string, string>> = {}, tenant = 'acme') {
  return parseTemplate(text, 't.yaml', { tenant, values: new Map(Object.entries(values)) });
}

/** "line:column message". */
function problemsOf(text: string, values: Readonly<Record<string, string>> = {}): string[] {
  const result = parse(text, values);
  if (result.ok) throw new Error('it is a policy');
  return result.problems.map(({ line, column, message, suggestion }) => {
    return `${line}:${column} ${message}${suggestion === undefined ? '' : ` -> ${suggestion}`}`;
  });
}

function policyOf(text: string, values: Readonly<Record<string, string>> = {}): string {
  const result = parse(text, values);
  if (!result.ok) throw new Error(formatProblems(result));
  return formatPolicy(result.records);
}

const minimal = (rest: string) => `version: 1\nroles: { r: { permissions: ['doc:read'] } }\n${rest}`;

describe('a template', () => {
  test('becomes a policy: in texts, in keys, and by defaults that name the tenant', () => {
    expect(policyOf(template, { owner: 'user:alice' })).toBe(`version: 1

roles:
  acme-reader:
    permissions: ['doc:read']
  admin:
    permissions: ['*']

groups:
  acme-team: ['user:alice']

bindings:
  - { subject: 'group:acme-team', role: acme-reader, scope: 'doc:acme/*' }
  - { subject: 'user:alice', role: admin, scope: '*', note: 'costs \${5}, $1 and $' }
`);
  });

  test('takes a value before the default', () => {
    expect(policyOf(template, { owner: 'user:alice', team: 'crew' })).toContain("crew: ['user:alice']");
  });

  test('without parameters is a policy as it is', () => {
    const text = minimal("bindings: [{ subject: 'user:a', role: r, scope: '*' }]");
    const [asPolicy, asTemplate] = [parsePolicy(text, 't.yaml'), parse(text)];
    expect(asTemplate).toEqual(asPolicy);
    expect(asPolicy.ok).toBe(true);
  });

  test('that declares no parameters takes any that its texts name', () => {
    const text = minimal("bindings: [{ subject: '${who}', role: r, scope: '*' }]");
    expect(policyOf(text, { who: 'user:x' })).toContain("subject: 'user:x'");
  });

  test.for([
    "user:x', role: admin, scope: '*' }, { subject: 'user:y",
    'user:x\nbindings: []',
    '*alias',
    '!!int 5',
    '"quoted"',
    '${owner}',
    '$${',
    '#comment',
    '<<',
  ])('puts %j in as text, and as nothing else', (note) => {
    const text = minimal("bindings: [{ subject: 'user:a', role: r, scope: '*', note: '[${note}]' }]");
    const result = parse(text, { note });
    if (!result.ok) {
      // A control character is no legal text; even then it is the one thing that is wrong, and at its place.
      expect(note).toContain('\n');
      expect(result.problems).toMatchObject([{ line: 3, path: ['bindings', 0, 'note'] }]);
      return;
    }
    const bindings = result.records.filter(({ kind }) => kind === 'binding');
    expect(bindings).toEqual([{ kind: 'binding', subject: 'user:a', role: 'r', scope: '*', note: `[${note}]` }]);
  });

  test('makes text only: a number has to be written', () => {
    const text = `${minimal('')}constraints: { c: { roles: [r, s], cardinality: '\${n}' } }`;
    expect(problemsOf(text, { n: '2' })[0]).toMatch(/^3:\d+ .*number/);
  });
});

test('the template of docs/cli.md becomes a policy, without a warning', () => {
  const text = blockWith(readPage('docs/cli.md'), 'yaml', '\nparameters:');
  expect(parse(text, { owner: 'user:alice' })).toMatchObject({ ok: true, warnings: [] });
});

describe('what is wrong', () => {
  test('with values is told all at once, with the place in the template', () => {
    expect(problemsOf(template, { ownr: 'user:x', tem: 'y' })).toEqual([
      '0:0 the template has no parameter "ownr" -> owner',
      '0:0 the template has no parameter "tem" -> team',
      '3:3 parameter "owner" (Who administers it) is not set; add --set owner=<value>',
    ]);
  });

  test('with a name that is not declared is told where it is used, with what was probably meant', () => {
    expect(
      problemsOf(template.replace("role: '${tenant}-reader'", "role: '${tenat}-reader'"), { owner: 'user:x' }),
    ).toEqual(['12:39 unknown parameter "tenat"; declare it under "parameters:" -> tenant']);
  });

  test('with a name that has no value, where none are declared, is told where it is used', () => {
    expect(problemsOf(minimal("bindings: [{ subject: '${who}', role: r, scope: '*' }]"))).toEqual([
      '3:23 parameter "who" is not set; add --set who=<value>',
    ]);
  });

  test('with what the values make is told at the text that they are in', () => {
    expect(problemsOf(template, { owner: 'alice', team: 'a\u0000b' })).toEqual([
      expect.stringMatching(/^9:3 group "group:a\\u0000b" holds a control character/),
      expect.stringMatching(/^9:13 member "alice" has no colon/),
      expect.stringMatching(/^11:16 subject "alice" has no colon/),
      expect.stringMatching(/^12:16 subject "group:a\\u0000b" holds a control character/),
    ]);
  });

  test('with a role that values make, and nobody declares, is told with what was probably meant', () => {
    const [problem = ''] = problemsOf(template.replace("role: '${tenant}-reader'", "role: '${tenant}-raeder'"), {
      owner: 'user:x',
    });
    expect(problem).toMatch(/^12:39 .*"acme-raeder".* -> acme-reader$/);
  });

  test.for([
    ['${ is never closed', "bindings: [{ subject: '${who', role: r, scope: '*' }]", '3:23 ${ is opened here'],
    [
      'two keys become one',
      "groups: { '${a}': [], '${b}': [] }",
      '3:23 key "${b}" becomes "g", which is there already',
    ],
    ['parameters are a list', 'parameters: [a]', '3:13 must be a mapping'],
    ['a parameter is a number', 'parameters: { a: 5 }', '3:18 must be a mapping with description and default'],
    ['a default is a number', 'parameters: { a: { default: 5 } }', '3:29 must be text'],
    ['a field is unknown', 'parameters: { a: { defualt: x } }', '3:20 unknown key "defualt"'],
    ['a name is not legal', 'parameters: { "a b": {} }', '3:15 parameter "a b" is not a legal name'],
    ['tenant is declared', 'parameters: { tenant: {} }', '3:15 parameter "tenant" is always there'],
    ['a default names another', 'parameters: { a: {}, b: { default: "${a}" } }', '3:36 names more than the tenant'],
    ['the YAML is broken', 'bindings: [', '3:11 [ is opened here'],
    ['the field is none of a policy', 'bindngs: []', '3:1 unknown key "bindngs"'],
  ] as const)('is told where %s', ([, rest, expected]) => {
    const problems = problemsOf(minimal(rest), rest.includes('groups') ? { a: 'g', b: 'g' } : {});
    expect(problems.some((problem) => problem.startsWith(expected))).toBe(true);
  });

  test.for(['', 'text', '- a', '5'])('is told where the whole file is %j', (text) => {
    expect(parse(text)).toMatchObject({ ok: false });
  });

  test('shows the line of the template, and not what was made of it', () => {
    const result = parse(template, { owner: 'alice' });
    if (result.ok) throw new Error('it is a policy');
    expect(result.problems[0]?.sourceLine).toBe("  ${team}: ['${owner}']");
  });
});
