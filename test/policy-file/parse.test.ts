import { describe, expect, test } from 'vitest';
import type { EntityRecord } from '../../src/model/entity.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';

function recordsOf(text: string): readonly EntityRecord[] {
  const result = parsePolicy(text, 'policy.yaml');
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return result.records;
}

const everything = `
# yaml-language-server: $schema=./policy.schema.json
version: 1
mode: shadow
types:
  doc: { description: A document, actions: [read, write], parents: [folder] }
  folder:
attributes:
  network: string
  levels: { type: list(int), description: Of trust. }
roles:
  viewer:
    description: Reads documents.
    permissions: ['doc:read', 'folder:*']
  editor:
    includes: [viewer]
    permissions:
      - doc:write
      - { objects: { type: endpoint, regex: '/v[0-9]+/.*' }, actions: [submit] }
    except: ['doc:read']
    grant_action: share
    system: true
  approver: {}
  payer:
    permissions: []
groups:
  ops: ['user:alice', 'group:sre']
  oncall:
    description: Whoever has the pager
    members: ['user:bob', { subject: 'user:carol', expires_at: 2027-01-01T00:00:00+01:00 }]
  empty: []
objects:
  'folder:a': {}
  'folder:b':
  'doc:42': 'folder:a'
  'doc:43': { parents: ['folder:a', { object: 'folder:b', inherit: false }] }
bindings:
  - { subject: 'user:alice', role: editor, scope: 'doc:42' }
  - subject: user:bob
    role: editor
    scope: folder:a
    effect: deny
    expires_at: 2027-01-01T00:00:00Z
    cascade: false
    locked: true
    name: night-shift
    note: only while on call
hooks:
  doc:
    - { role: editor, subject: creator, locked: true, note: the author }
    - { role: viewer, subject: 'group:ops', scope: { object: 'folder:a' }, cascade: false }
    - { role: viewer, subject: 'user:*', scope: { type: doc, regex: 'd.*' } }
  user: [{ role: viewer, subject: created, scope: 'doc:*' }, { group: 'group:ops', member: created }]
  group: [{ group: created, member: creator }]
constraints:
  payments: { description: Four eyes., roles: [viewer, approver, payer], cardinality: 3 }
  sessions:
    roles: [approver, payer]
    dynamic: true
`;

const records: EntityRecord[] = [
  { kind: 'settings', mode: 'shadow' },
  { kind: 'type', name: 'doc', description: 'A document', actions: ['read', 'write'], parents: ['folder'] },
  { kind: 'type', name: 'folder' },
  { kind: 'attribute', name: 'network', type: 'string' },
  { kind: 'attribute', name: 'levels', type: 'list(int)', description: 'Of trust.' },
  { kind: 'role', name: 'viewer', description: 'Reads documents.', permissions: ['doc:read', 'folder:*'] },
  {
    kind: 'role',
    name: 'editor',
    permissions: ['doc:write', { objects: { type: 'endpoint', regex: '/v[0-9]+/.*' }, actions: ['submit'] }],
    except: ['doc:read'],
    includes: ['viewer'],
    system: true,
    grantAction: 'share',
  },
  { kind: 'role', name: 'approver', permissions: [] },
  { kind: 'role', name: 'payer', permissions: [] },
  { kind: 'group', group: 'group:oncall', description: 'Whoever has the pager' },
  { kind: 'group', group: 'group:empty' },
  { kind: 'member', group: 'group:ops', member: 'user:alice' },
  { kind: 'member', group: 'group:ops', member: 'group:sre' },
  { kind: 'member', group: 'group:oncall', member: 'user:bob' },
  { kind: 'member', group: 'group:oncall', member: 'user:carol', expiresAt: Date.UTC(2026, 11, 31, 23) },
  { kind: 'object', object: 'folder:a' },
  { kind: 'object', object: 'folder:b' },
  { kind: 'object', object: 'doc:42', parents: [{ object: 'folder:a' }] },
  { kind: 'object', object: 'doc:43', parents: [{ object: 'folder:a' }, { object: 'folder:b', inherit: false }] },
  { kind: 'binding', subject: 'user:alice', role: 'editor', scope: 'doc:42' },
  {
    kind: 'binding',
    subject: 'user:bob',
    role: 'editor',
    scope: 'folder:a',
    effect: 'deny',
    name: 'night-shift',
    expiresAt: Date.UTC(2027, 0, 1),
    cascade: false,
    locked: true,
    note: 'only while on call',
  },
  {
    kind: 'hook',
    type: 'doc',
    grants: [
      { role: 'editor', subject: 'creator', locked: true, note: 'the author' },
      { role: 'viewer', subject: 'group:ops', scope: 'folder:a', cascade: false },
      { role: 'viewer', subject: 'user:*', scope: { type: 'doc', regex: 'd.*' } },
    ],
  },
  {
    kind: 'hook',
    type: 'user',
    grants: [
      { role: 'viewer', subject: 'created', scope: 'doc:*' },
      { group: 'group:ops', member: 'created' },
    ],
  },
  { kind: 'hook', type: 'group', grants: [{ group: 'created', member: 'creator' }] },
  {
    kind: 'constraint',
    name: 'payments',
    description: 'Four eyes.',
    roles: ['viewer', 'approver', 'payer'],
    cardinality: 3,
  },
  { kind: 'constraint', name: 'sessions', roles: ['approver', 'payer'], dynamic: true },
];

describe('a policy', () => {
  test('becomes its records, in the order in which a load delivers them', () => {
    expect(recordsOf(everything)).toStrictEqual(records);
  });

  test('may be JSON', () => {
    const json = { $schema: './policy.schema.json', version: 1, roles: { viewer: { permissions: ['doc:read'] } } };
    expect(recordsOf(JSON.stringify(json))).toStrictEqual([
      { kind: 'role', name: 'viewer', permissions: ['doc:read'] },
    ]);
  });

  test('may begin with a byte order mark and end its lines as Windows does', () => {
    expect(recordsOf(`\ufeff${everything.trimStart().replaceAll('\n', '\r\n')}`)).toStrictEqual(records);
    const bad = parsePolicy('\ufeffversion: 1\r\nmode: on\r\n', 'policy.yaml');
    expect(bad).toMatchObject({ ok: false, problems: [{ line: 2, column: 7, sourceLine: 'mode: on' }] });
  });

  test('without sections is empty', () => {
    expect(
      recordsOf('version: 1\ntypes:\nattributes:\nroles:\ngroups:\nobjects:\nbindings:\nhooks:\nconstraints:\n'),
    ).toEqual([]);
  });

  test('that writes a default gives the record that does not', () => {
    const written = recordsOf(`
version: 1
attributes: { a: { type: int, description: '' } }
roles:
  r: { description: '', includes: [], permissions: [], except: [], grant_action: grant, system: false }
  s: {}
objects:
  a:b: { parents: [{ object: a:c, inherit: true }] }
  a:c: { parents: [] }
bindings:
  - { subject: '*', role: r, scope: { object: 'a:b' }, effect: allow, cascade: true, locked: false, note: '' }
hooks:
  a: [{ role: r, subject: creator, scope: { object: 'a:b' }, cascade: true, locked: false, note: '' }]
constraints:
  c: { description: '', roles: [r, s], cardinality: 2, dynamic: false }
`);
    expect(written).toStrictEqual([
      { kind: 'attribute', name: 'a', type: 'int' },
      { kind: 'role', name: 'r', permissions: [] },
      { kind: 'role', name: 's', permissions: [] },
      { kind: 'object', object: 'a:b', parents: [{ object: 'a:c' }] },
      { kind: 'object', object: 'a:c' },
      { kind: 'binding', subject: '*', role: 'r', scope: 'a:b' },
      { kind: 'hook', type: 'a', grants: [{ role: 'r', subject: 'creator', scope: 'a:b' }] },
      { kind: 'constraint', name: 'c', roles: ['r', 's'] },
    ]);
  });

  test('reads words and times as text, as YAML 1.2 says', () => {
    const text =
      'version: 1\ngroups: {no: [user:yes, user:2027-01-01]}\nroles: {on: {description: 2027-01-01T00:00:00Z}}';
    expect(recordsOf(text)).toEqual([
      { kind: 'role', name: 'on', description: '2027-01-01T00:00:00Z', permissions: [] },
      { kind: 'member', group: 'group:no', member: 'user:yes' },
      { kind: 'member', group: 'group:no', member: 'user:2027-01-01' },
    ]);
  });

  test('may use anchors', () => {
    const text = 'version: 1\nroles: {a: {permissions: &p [x:y]}, b: {permissions: *p}}';
    expect(recordsOf(text)).toMatchObject([{ permissions: ['x:y'] }, { permissions: ['x:y'] }]);
  });

  test('may use names that JavaScript gives a meaning', () => {
    const text =
      "version: 1\nroles: {constructor: {}, toString: {}}\nbindings: [{subject: '*', role: constructor, scope: '*'}]";
    expect(recordsOf(text)).toHaveLength(3);
    const unknown = parsePolicy("version: 1\nbindings: [{subject: '*', role: toString, scope: '*'}]", 'policy.yaml');
    expect(unknown).toMatchObject({ ok: false, problems: [{ message: 'unknown role "toString"' }] });
  });
});

describe('warnings', () => {
  test('tell of a group that resembles a defined one', () => {
    const text =
      "version: 1\nroles: {r: {}}\ngroups: {ops: []}\nbindings:\n- {subject: 'group:opps', role: r, scope: '*'}\n";
    expect(parsePolicy(`${text}- {subject: 'group:sales', role: r, scope: '*'}`, 'p.yaml')).toMatchObject({
      ok: true,
      warnings: [
        {
          file: 'p.yaml',
          line: 5,
          column: 13,
          message: 'group "group:opps" is not in groups',
          suggestion: 'group:ops',
        },
      ],
    });
  });

  test('tell of such a group in a hook', () => {
    const text = `version: 1
roles: {r: {}}
groups: {ops: []}
hooks:
  user:
    - { role: r, subject: 'group:opps' }
    - { group: 'group:opss', member: created }
    - { group: 'group:ops', member: 'group:osp' }
`;
    expect(parsePolicy(text, 'p.yaml')).toMatchObject({
      ok: true,
      warnings: [
        { line: 6, column: 27, message: 'group "group:opps" is not in groups', suggestion: 'group:ops' },
        { line: 7, column: 16, message: 'group "group:opss" is not in groups', suggestion: 'group:ops' },
        { line: 8, column: 37, message: 'group "group:osp" is not in groups', suggestion: 'group:ops' },
      ],
    });
  });

  test('tell of a group whose key repeats the type', () => {
    expect(parsePolicy("version: 1\ngroups: {'group:ops': []}", 'p.yaml')).toMatchObject({
      ok: true,
      warnings: [{ line: 2, column: 10, suggestion: 'ops' }],
    });
  });
});
