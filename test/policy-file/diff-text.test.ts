import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { EntityRecord } from '../../src/model/entity.ts';
import { describeRecordChange, formatPlan, planChanges } from '../../src/policy-file/diff-text.ts';

const from: EntityRecord[] = [
  { kind: 'settings', mode: 'shadow' },
  { kind: 'attribute', name: 'level', type: 'int' },
  { kind: 'role', name: 'viewer', permissions: ['doc:read', 'doc:peek'] },
  { kind: 'role', name: 'sorted', permissions: ['a:b', 'c:d'] },
  { kind: 'role', name: 'kept', permissions: [] },
  { kind: 'group', group: 'group:ops', description: 'old' },
  { kind: 'member', group: 'group:ops', member: 'user:bob', expiresAt: 1000 },
  { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:a' }] },
  { kind: 'binding', subject: 'user:bob', role: 'viewer', scope: 'doc:1' },
  { kind: 'hook', type: 'doc', grants: [{ role: 'viewer', subject: 'creator' }] },
  { kind: 'hook', type: 'user', grants: [] },
  { kind: 'constraint', name: 'payments', roles: ['cashier', 'auditor'] },
];
const to: EntityRecord[] = [
  { kind: 'settings', mode: 'enforce' },
  { kind: 'attribute', name: 'level', type: 'double' },
  { kind: 'attribute', name: 'tags', type: 'list(string)' },
  { kind: 'role', name: 'viewer', permissions: ['doc:read', 'doc:list'], description: 'Reads' },
  { kind: 'role', name: 'sorted', permissions: ['c:d', 'a:b'] },
  { kind: 'role', name: 'kept', permissions: [] },
  { kind: 'group', group: 'group:ops', description: 'new' },
  { kind: 'member', group: 'group:ops', member: 'user:bob' },
  { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:a', inherit: false }] },
  { kind: 'binding', subject: 'user:alice', role: 'editor', scope: 'doc:42' },
  { kind: 'binding', subject: 'user:a b', role: 'r', scope: { type: 'doc', regex: 'a+' }, effect: 'deny', name: 'n' },
  { kind: 'binding', subject: 'user:z', role: 'r', scope: 'doc:1', expiresAt: 2000, cascade: false, locked: true },
  { kind: 'hook', type: 'doc', grants: [{ role: 'viewer', subject: 'creator', locked: true }] },
  { kind: 'hook', type: 'experiment', grants: [{ group: 'group:all', member: 'created' }] },
  { kind: 'constraint', name: 'payments', roles: ['cashier', 'auditor', 'clerk'], cardinality: 3 },
  { kind: 'constraint', name: 'four eyes', roles: ['a', 'b'], dynamic: true },
];

const lines = [
  '~ mode: shadow -> enforce',
  '~ attribute level: type int -> double',
  '+ attribute tags, list(string)',
  '~ role sorted: permissions in another order',
  '~ role viewer: description none -> Reads; permissions +doc:list -doc:peek',
  '~ group:ops: description old -> new',
  '~ member user:bob of group:ops: expires_at 1970-01-01T00:00:01Z -> none',
  '~ object doc:1: parents +folder:a (no inherit) -folder:a',
  '+ deny binding "user:a b" r on {"type":"doc","regex":"a+"} (n)',
  '+ binding user:alice editor on doc:42',
  '- binding user:bob viewer on doc:1',
  '+ binding user:z r on doc:1, until 1970-01-01T00:00:02Z, that object only, locked',
  '~ hook doc: grants +viewer for creator (locked) -viewer for creator',
  '+ hook experiment, grants created in group:all',
  '- hook user',
  '+ constraint "four eyes", 2 of a b, dynamic',
  '~ constraint payments: cardinality 2 -> 3; roles +clerk',
];

test('a plan has a line a change, by kind and identity, and the counts', () => {
  const plan = planChanges(from, to);
  expect(formatPlan(plan).split('\n')).toEqual([...lines, '6 to add, 9 to change, 2 to remove']);
});

test('with colour it is the same text', () => {
  const plan = planChanges(from, to);
  const coloured = formatPlan(plan, { colour: true });
  expect(coloured).toContain('\u001b[32m+ binding user:alice');
  expect(stripVTControlCharacters(coloured)).toBe(formatPlan(plan));
});

test('equal graphs have an empty plan', () => {
  expect(formatPlan(planChanges(from, from.toReversed()))).toBe('No changes.');
});

test('a change is never an empty line', () => {
  const added = planChanges([], to).lines.map((line) => line.text);
  expect(added[0]).toBe('mode enforce');
  expect(added.every((text) => text.length > 0)).toBe(true);
});

describe('a line says all that decides who may do what', () => {
  const binding: EntityRecord = { kind: 'binding', subject: 'user:bob', role: 'r', scope: 'doc:1' };
  const role: EntityRecord = { kind: 'role', name: 'r', permissions: [] };
  const added: readonly (readonly [EntityRecord, string])[] = [
    [
      {
        ...binding,
        condition: 'context.network ==\n  "office"',
        expiresAt: 0,
        locked: true,
        cascade: false,
        name: 'n',
      },
      'binding user:bob r on doc:1 (n), until 1970-01-01T00:00:00Z, that object only, locked, if context.network == "office"',
    ],
    [role, 'role r, no permissions'],
    [
      {
        ...role,
        permissions: ['doc:*', { objects: 'doc:a*', actions: ['read', 'list'] }],
        includes: ['viewer'],
        except: ['doc:grant'],
        grantAction: 'own',
        system: true,
      },
      'role r, system, grant_action own, permissions doc:* "read list on doc:a*", includes viewer, except doc:grant',
    ],
    [
      { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:1', inherit: false }, { object: 'folder:2' }] },
      'object doc:1, parents folder:1 (no inherit) folder:2',
    ],
    [{ kind: 'type', name: 'doc', actions: ['read'], parents: ['folder'] }, 'type doc, actions read, parents folder'],
    [{ kind: 'type', name: 'doc', parents: [] }, 'type doc, no parents'],
    [{ kind: 'group', group: 'group:lab' }, 'group:lab'],
    [{ kind: 'member', group: 'group:lab', member: 'user:x' }, 'member user:x of group:lab'],
    [
      {
        kind: 'hook',
        type: 'doc',
        grants: [
          { role: 'r', subject: 'creator', scope: '*', cascade: false },
          { group: 'created', member: 'creator' },
        ],
      },
      'hook doc, grants r for creator on * (that object only); creator in created',
    ],
  ];
  test.for(added)('%j is added', ([record, text]) => {
    expect(describeRecordChange(undefined, record)).toBe(`+ ${text}`);
  });

  const removed: readonly (readonly [EntityRecord, string])[] = [
    [
      { ...binding, locked: true, expiresAt: 1000, condition: 'now' },
      'binding user:bob r on doc:1, until 1970-01-01T00:00:01Z, locked, if now',
    ],
    [
      { kind: 'member', group: 'group:lab', member: 'user:x', expiresAt: 1000 },
      'member user:x of group:lab, until 1970-01-01T00:00:01Z',
    ],
    [{ ...role, permissions: ['doc:read'] }, 'role r'],
  ];
  test.for(removed)('%j is removed', ([record, text]) => {
    expect(describeRecordChange(record, undefined)).toBe(`- ${text}`);
  });

  const changed: readonly (readonly [EntityRecord, EntityRecord, string])[] = [
    [
      { kind: 'object', object: 'doc:1', parents: [{ object: 'project:enz' }] },
      { kind: 'object', object: 'doc:1', parents: [{ object: 'project:x' }] },
      'object doc:1: parents +project:x -project:enz',
    ],
    [role, { ...role, grantAction: 'own' }, 'role r: grant_action grant -> own'],
    [
      { ...binding, condition: 'context.a == "b"' },
      { ...binding, cascade: false },
      `binding user:bob r on doc:1: cascade true -> false; condition 'context.a == "b"' -> none`,
    ],
    [
      { kind: 'type', name: 'doc' },
      { kind: 'type', name: 'doc', actions: [], parents: ['folder'] },
      'type doc: actions open -> none; parents open -> folder',
    ],
  ];
  test.for(changed)('%j becomes %j', ([before, after, text]) => {
    expect(describeRecordChange(before, after)).toBe(`~ ${text}`);
  });

  test('and stays readable: what is left out is counted', () => {
    const many = (prefix: string) => Array.from({ length: 100 }, (_, i) => `doc:${prefix}${i}`);
    const large: EntityRecord = { ...role, permissions: many('read'), except: many('not'), includes: many('r') };
    const texts = [
      describeRecordChange(undefined, large),
      describeRecordChange({ ...role, permissions: many('old') }, large),
      describeRecordChange(undefined, { ...binding, condition: `context.a == "${'a'.repeat(10_000)}"` }),
    ];
    for (const text of texts) expect(text.length).toBeLessThan(280);
    expect(texts[0]).toMatch(/permissions doc:read0 .* \.\.\. and \d+ more, includes .* more, except .* more$/);
    expect(texts[1]).toMatch(/permissions \+doc:read0 .* and \d+ more -doc:old0 .* and \d+ more$/);
    expect(texts[2]).toMatch(/a\.\.\. and \d+ more characters$/);
  });
});
