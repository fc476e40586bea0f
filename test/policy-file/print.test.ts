import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diff } from '../../src/graph/diff.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { formatProblems } from '../../src/policy-file/format-problems.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { formatPolicy } from '../../src/policy-file/print.ts';

const records: EntityRecord[] = [
  {
    kind: 'binding',
    subject: 'user:bob',
    role: 'editor',
    scope: 'doc:1',
    effect: 'deny',
    cascade: false,
    locked: true,
  },
  { kind: 'binding', subject: '*', role: 'viewer', scope: { type: 'doc', regex: 'a+' }, note: "it's\ttwo\nlines" },
  { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:a' }] },
  { kind: 'object', object: 'doc:2', parents: [{ object: 'folder:a', inherit: false }] },
  { kind: 'object', object: 'folder:a' },
  { kind: 'member', group: 'group:ops', member: 'user:bob', expiresAt: Date.UTC(2027, 0, 1) },
  { kind: 'member', group: 'group:ops', member: 'user:alice' },
  { kind: 'group', group: 'group:empty' },
  { kind: 'group', group: 'group:told', description: 'true' },
  {
    kind: 'role',
    name: 'editor',
    permissions: ['doc:*', { objects: 'doc:a*', actions: ['share'] }],
    includes: ['viewer'],
  },
  { kind: 'role', name: 'viewer', permissions: [] },
  { kind: 'type', name: 'doc', parents: ['folder'] },
  { kind: 'type', name: 'folder' },
  { kind: 'attribute', name: 'network', type: 'string' },
  { kind: 'attribute', name: 'client.ip', type: 'list(string)', description: 'All hops.' },
  { kind: 'settings', mode: 'off' },
  { kind: 'constraint', name: 'no', description: 'Four eyes.', roles: ['viewer', 'editor', 'a b'], cardinality: 3 },
  { kind: 'constraint', name: 'active', roles: ['editor', 'viewer'], dynamic: true },
  {
    kind: 'hook',
    type: 'group',
    grants: [
      { role: 'editor', subject: 'creator', scope: { object: 'doc:a*' }, cascade: false, locked: true, note: 'on' },
      { group: 'created', member: 'creator' },
    ],
  },
  { kind: 'hook', type: 'doc', grants: [] },
];

const printed = `version: 1
mode: off

types:
  doc:
    parents: [folder]
  folder: {}

attributes:
  client.ip:
    type: 'list(string)'
    description: 'All hops.'
  network: string

roles:
  editor:
    includes: [viewer]
    permissions: ['doc:*', { objects: 'doc:a*', actions: [share] }]
  viewer: {}

groups:
  empty: []
  ops: ['user:alice', { subject: 'user:bob', expires_at: 2027-01-01T00:00:00Z }]
  told:
    description: 'true'

objects:
  'doc:1': 'folder:a'
  'doc:2': { parents: [{ object: 'folder:a', inherit: false }] }
  'folder:a': {}

bindings:
  - { subject: '*', role: viewer, scope: { type: doc, regex: 'a+' }, note: "it's\\ttwo\\nlines" }
  - { subject: 'user:bob', role: editor, scope: 'doc:1', effect: deny, cascade: false, locked: true }

hooks:
  doc: []
  group:
    - { role: editor, subject: creator, scope: { object: 'doc:a*' }, cascade: false, locked: true, note: 'on' }
    - { group: created, member: creator }

constraints:
  active:
    roles: [editor, viewer]
    dynamic: true
  'no':
    description: 'Four eyes.'
    roles: [viewer, editor, 'a b']
    cardinality: 3
`;

test('a policy is printed in short forms, sorted, whatever the order of the records', () => {
  expect(formatPolicy(records)).toBe(printed);
  expect(formatPolicy(records.toReversed())).toBe(printed);
});

test('a long list goes below its key', () => {
  const permissions = Array.from({ length: 20 }, (_, i) => `doc:read${i}`);
  expect(formatPolicy([{ kind: 'role', name: 'r', permissions }])).toContain(
    "\n    permissions:\n      - 'doc:read0'\n",
  );
});

test('an empty graph is a policy', () => {
  expect(parsePolicy(formatPolicy([]), 'p.yaml')).toMatchObject({ ok: true, records: [] });
});

/** Ids that YAML, JSON and JavaScript each read in a way of their own. */
const id = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom(...':*#@&!|>\'"%`{}[],?- \\/=~<.0aé\u2028\ufeff\u{1f600}'),
      minLength: 1,
      maxLength: 8,
    }),
    fc.constantFrom(
      'no',
      'null',
      '42',
      '0x1f',
      '1e3',
      '.inf',
      '2027-01-01',
      '~',
      '<<',
      'constructor',
      ' a ',
      '- a',
      'a: b',
      'a #b',
    ),
  )
  .filter((text) => !/\p{Cc}/u.test(text) && text !== '*' && text !== '__proto__');
const name = (type: string) => id.map((text) => `${type}:${text}`);
const instant = fc.integer({ min: 1, max: 253_402_300_799_999 });
const absent = fc.constant(undefined);
const text = fc.option(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).filter((one) => one.isWellFormed()),
  { nil: undefined },
);
const scope = fc.oneof(
  fc.constant('*'),
  fc.constant('doc:*'),
  name('doc').map((object) => (object.includes('*') ? { object } : object)),
  id.filter((one) => one.includes('*')).map((glob) => `doc:${glob}`),
  fc.constantFrom('a+', '(?i)x|y: #', '\\d{2}').map((regex) => ({ type: 'doc', regex })),
);
const permission = fc.oneof(
  id.map((action) => `doc:${action}`),
  fc.constant('*'),
  fc.record({ objects: scope, actions: fc.array(id, { maxLength: 3 }) }),
);

/** Valid graphs in the form in which a policy file gives them. */
const graph = fc
  .record({
    mode: fc.constantFrom(undefined, 'enforce', 'shadow', 'off'),
    types: fc.uniqueArray(fc.constantFrom('alpha', 'beta.Two', 'no', 'on/x'), { maxLength: 3 }),
    roles: fc.uniqueArray(id, { minLength: 1, maxLength: 5 }),
    permissions: fc.array(permission, { maxLength: 4 }),
    description: text,
    grantAction: fc.oneof(
      absent,
      id.filter((one) => one !== 'grant'),
    ),
    groups: fc.uniqueArray(fc.tuple(name('group'), name('user'), fc.oneof(absent, instant)), {
      maxLength: 5,
      selector: ([group, member]) => JSON.stringify([group, member]),
    }),
    objects: fc.uniqueArray(name('folder'), { maxLength: 5 }),
    inherit: fc.boolean(),
    bindings: fc.uniqueArray(
      fc.record({
        subject: fc.oneof(name('user'), fc.constantFrom('*', 'anonymous', 'user:*')),
        scope,
        deny: fc.boolean(),
        name: fc.oneof(absent, id),
        expiresAt: fc.oneof(absent, instant),
        locked: fc.boolean(),
        note: text,
      }),
      { maxLength: 8, selector: (one) => JSON.stringify([one.subject, one.scope, one.deny, one.name]) },
    ),
    hooks: fc.uniqueArray(fc.constantFrom('alpha', 'group', 'user', 'y'), { maxLength: 3 }),
    grants: fc.uniqueArray(
      fc.record({
        subject: fc.oneof(name('user'), fc.constantFrom('creator', 'created', '*')),
        scope: fc.oneof(absent, scope),
        locked: fc.boolean(),
        note: text,
      }),
      { maxLength: 4, selector: (one) => JSON.stringify([one.subject, one.scope]) },
    ),
    constraint: fc.oneof(absent, id),
    all: fc.boolean(),
  })
  .map(
    ({ mode, types, roles, permissions, description, grantAction, groups, objects, inherit, bindings, ...rules }) => {
      const clean = (record: unknown) => JSON.parse(JSON.stringify(record)) as EntityRecord;
      const isObject = (one: (typeof bindings)[number]) => typeof one.scope === 'object' && 'object' in one.scope;
      return [
        ...(mode === undefined ? [] : [{ kind: 'settings', mode }]),
        ...types.map((type, i) => ({
          kind: 'type',
          name: type,
          description,
          ...(i > 0 ? { parents: types.slice(0, i) } : {}),
        })),
        ...roles.map((role, i) => {
          const includes = i > 0 ? [roles[i - 1]] : undefined;
          return {
            kind: 'role',
            name: role,
            description,
            permissions,
            includes,
            grantAction,
            system: i % 2 ? true : undefined,
          };
        }),
        ...groups.map(([group, member, expiresAt]) => ({ kind: 'member', group, member, expiresAt })),
        { kind: 'group', group: 'group:empty one' },
        ...objects.map((object, i) => {
          if (i === 0) return { kind: 'object', object };
          const parents = [{ object: objects[0], ...(inherit ? {} : { inherit: false }) }];
          return { kind: 'object', object, parents: i === 1 ? parents : [...parents, { object: objects[1] }] };
        }),
        ...bindings.map((one) => {
          const { subject, deny, expiresAt, locked, note } = one;
          const extras = {
            effect: deny ? 'deny' : undefined,
            name: one.name,
            cascade: isObject(one) ? false : undefined,
          };
          return {
            kind: 'binding',
            subject,
            role: roles[0],
            scope: one.scope,
            ...extras,
            expiresAt,
            locked: locked || undefined,
            note,
          };
        }),
        ...rules.hooks.map((type) => ({
          kind: 'hook',
          type,
          grants: [
            ...rules.grants.map(({ subject, scope: on, locked, note }) => {
              return { role: roles[0], subject, scope: on, locked: locked || undefined, note };
            }),
            { group: type === 'group' ? 'created' : 'group:all', member: 'creator' },
          ],
        })),
        ...(rules.constraint === undefined || roles.length < 2
          ? []
          : [
              {
                kind: 'constraint',
                name: rules.constraint,
                description,
                roles,
                // Every role includes the one before: a static one would be violated.
                dynamic: true,
                cardinality: rules.all && roles.length > 2 ? roles.length : undefined,
              },
            ]),
      ].map(clean);
    },
  );

test('what is printed is read back as the same records', () => {
  fc.assert(
    fc.property(graph, (original) => {
      const result = parsePolicy(formatPolicy(original), 'printed.yaml');
      if (!result.ok) throw new Error(formatProblems(result));
      expect(diff(original, result.records)).toEqual([]);
      const identities = (all: readonly EntityRecord[]) => all.map((one) => `${one.kind} ${entityKey(one)}`).sort();
      expect(identities(result.records)).toEqual(identities(original));
    }),
    { numRuns: 300 },
  );
});
