// Records for store tests: random ones of every kind, and the graph that a list of changes leaves.
import fc from 'fast-check';
import type { Change, Revision } from '../../src/model/change.ts';
import { type EntityRecord, entityKey, entityKinds } from '../../src/model/entity.ts';
import type { Store } from '../../src/store/store.ts';

/** Ids that a joined key, a glob, JSON, a URL, a hash tag or a shell would stumble over. */
export const nastyIds: readonly string[] = [
  'a:b:c',
  'a/b//c',
  ' leading and trailing ',
  'a#b@c',
  '{acme}',
  '}{',
  '["a","b"]',
  `"quoted"\\'`,
  'ünï-çødé-日本-👩‍👩‍👧',
  'e\u0301 and \u00e9',
  '*',
  'a*b?[c]',
  '%s %d $1 \\u0041',
  'null',
  '__proto__',
  '+binding',
  '-',
  '\u2028line',
];

const id = fc.oneof(fc.constantFrom(...nastyIds), fc.constantFrom('a', 'b', 'c', 'd'));
const name = fc.tuple(fc.constantFrom('user', 'doc', 'group'), id).map(([type, text]) => `${type}:${text}`);
const group = id.map((text) => `group:${text}`);
const role = fc.constantFrom('viewer', 'editor', 'rôle: "x"', 'constructor');
const scope = fc.oneof(
  fc.constantFrom('*', 'doc:*', 'doc:reports/*', { object: 'doc:a*b' }, { type: 'doc', regex: '^a|"b"$' }),
  id.filter((text) => !text.includes('*')).map((text) => `doc:${text}`),
);
const note = fc.string({ unit: 'grapheme', maxLength: 20 });
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });

/** An optional field is absent or there, never undefined. */
function optional<T extends object>(required: fc.Arbitrary<T>, ...others: fc.Arbitrary<object>[]) {
  const parts = others.map((other) => fc.oneof(fc.constant({}), other));
  return fc.tuple(required, ...parts).map((all) => Object.assign({}, ...all) as EntityRecord);
}

const field = (key: string, value: fc.Arbitrary<unknown>) => value.map((each) => ({ [key]: each }));

/** A legal record in its canonical form. */
export const anyRecord: fc.Arbitrary<EntityRecord> = fc.oneof(
  fc.constantFrom('enforce', 'shadow', 'off').map((mode) => ({ kind: 'settings', mode }) as EntityRecord),
  optional(
    fc.constantFrom('doc', 'folder').map((each) => ({ kind: 'type', name: each })),
    field('description', note),
    field('actions', fc.constantFrom([], ['read', 'write:all'])),
    field('parents', fc.constantFrom([], ['folder'])),
  ),
  optional(
    fc
      .constantFrom('level', '__proto__', 'x-"für"')
      .map((each) => ({ kind: 'attribute', name: each, type: 'list(int)' })),
    field('description', note),
  ),
  optional(
    role.map((each) => ({ kind: 'role', name: each })),
    field('description', note),
  ).map(
    (record) => ({ ...record, permissions: ['doc:read', { objects: 'doc:a*', actions: ['write'] }] }) as EntityRecord,
  ),
  optional(
    group.map((each) => ({ kind: 'group', group: each })),
    field('description', note),
  ),
  optional(
    fc.tuple(group, fc.oneof(name, fc.constantFrom('*', 'anonymous'))).map(([to, member]) => ({
      kind: 'member',
      group: to,
      member,
    })),
    field('expiresAt', time),
  ),
  optional(
    name.map((object) => ({ kind: 'object', object })),
    field(
      'parents',
      fc.tuple(name, name).map(([a, b]) => [{ object: a }, { object: b, inherit: false }]),
    ),
  ),
  optional(
    fc.tuple(name, role, scope).map(([subject, to, on]) => ({ kind: 'binding', subject, role: to, scope: on })),
    field('effect', fc.constant('deny')),
    field('name', fc.constantFrom('night shift', ':')),
    field('expiresAt', time),
    field('cascade', fc.constant(false)),
    field('locked', fc.constant(true)),
    field('note', note),
  ),
  fc.constantFrom('doc', 'group').map(
    (type): EntityRecord => ({
      kind: 'hook',
      type,
      grants: [
        { role: 'editor', subject: 'creator', scope: 'doc:*', cascade: false, locked: true, note: 'made' },
        { group: 'created', member: 'creator' },
      ],
    }),
  ),
  optional(
    fc.constantFrom('payments', 'päy "x"').map((each) => ({ kind: 'constraint', name: each })),
    field('description', note),
  ).map((record) => ({ ...record, roles: ['viewer', 'editor'], cardinality: 3, dynamic: true }) as EntityRecord),
);

/** The same record as it may have been before: identity is kept, something else differs, or nothing does. */
function earlier(record: EntityRecord): EntityRecord {
  switch (record.kind) {
    case 'settings':
      return { kind: 'settings', mode: 'shadow' };
    case 'object':
      return { kind: 'object', object: record.object };
    case 'member':
      return { ...record, expiresAt: 1 };
    case 'binding':
      return { ...record, note: 'before' };
    case 'hook':
      return { ...record, grants: [] };
    default:
      return { ...record, description: 'before' };
  }
}

/** With what the record was before, or without. */
const withBefore = (change: Change, record: EntityRecord) =>
  fc.constantFrom(change, { ...change, before: earlier(record) });

/** Puts, and deletes of what may or may not be there. */
export const anyChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: anyRecord.chain((record) => withBefore(putOf(record), record)) },
  { weight: 1, arbitrary: anyRecord.chain((record) => withBefore(deleteOf(record), record)) },
);

export type Graph = ReadonlyMap<string, EntityRecord>;

/** The graph that changes leave, in the plainest way. */
export function applyAll(changes: Iterable<Change>, from: Graph = new Map()): Graph {
  const graph = new Map(from);
  for (const change of changes) {
    if (change.op === 'put') graph.set(`${change.record.kind} ${entityKey(change.record)}`, change.record);
    else graph.delete(`${change.kind} ${change.key}`);
  }
  return graph;
}

/** What a store loads, as a graph with the revision it is at. */
export async function loadGraph(store: Store, tenant: string): Promise<{ graph: Graph; revision: Revision }> {
  let changes: Change[] = [];
  const revision = await store.load(
    tenant,
    (batch) => {
      changes.push(...batch);
    },
    () => {
      changes = [];
    },
  );
  return { graph: applyAll(changes), revision };
}

/** A binding of a numbered user. */
export function bindingOf(number: number, role = 'editor'): EntityRecord {
  return { kind: 'binding', subject: `user:${number}`, role, scope: 'doc:1' };
}

export const putOf = (record: EntityRecord): Change => ({ op: 'put', record });
export const deleteOf = (record: EntityRecord): Change => ({ op: 'delete', kind: record.kind, key: entityKey(record) });

/** A fresh tenant name: tests share one Redis. */
export function newTenant(): string {
  return `t-${crypto.randomUUID()}`;
}

/** One record of every kind. */
export const oneOfEach: readonly EntityRecord[] = [
  { kind: 'settings', mode: 'enforce' },
  { kind: 'type', name: 'doc' },
  { kind: 'attribute', name: 'level', type: 'int' },
  { kind: 'role', name: 'viewer', permissions: ['doc:read'] },
  { kind: 'group', group: 'group:ops' },
  { kind: 'member', group: 'group:ops', member: 'user:alice' },
  { kind: 'object', object: 'doc:1' },
  { kind: 'binding', subject: 'user:alice', role: 'viewer', scope: 'doc:1' },
  { kind: 'hook', type: 'doc', grants: [{ role: 'viewer', subject: 'creator' }] },
  { kind: 'constraint', name: 'duties', roles: ['viewer', 'editor'] },
];
if (oneOfEach.length !== entityKinds.length) throw new Error('oneOfEach lacks a kind');
