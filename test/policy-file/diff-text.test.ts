import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { EntityRecord } from '../../src/model/entity.ts';
import { formatPlan, planChanges } from '../../src/policy-file/diff-text.ts';

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
  '~ mode: mode shadow -> enforce',
  '~ attribute level: type int -> double',
  '+ attribute tags, list(string)',
  '~ role sorted: permissions in another order',
  '~ role viewer: description none -> Reads; permissions +doc:list -doc:peek',
  '~ group ops: description old -> new',
  '~ member user:bob of group:ops: expiresAt 1970-01-01T00:00:01Z -> none',
  '~ object doc:1: parents +{"object":"folder:a","inherit":false} -{"object":"folder:a"}',
  '+ deny binding "user:a b" r on {"type":"doc","regex":"a+"} (n)',
  '+ binding user:alice editor on doc:42',
  '- binding user:bob viewer on doc:1',
  '+ binding user:z r on doc:1, that object only, locked, until 1970-01-01T00:00:02Z',
  '~ hook doc: grants +{"role":"viewer","subject":"creator","locked":true} -{"role":"viewer","subject":"creator"}',
  '+ hook experiment, {"group":"group:all","member":"created"}',
  '- hook user',
  '+ constraint "four eyes", 2 of a b, dynamic',
  '~ constraint payments: cardinality none -> 3; roles +clerk',
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
  expect(added[0]).toBe('mode, enforce');
  expect(added.every((text) => text.length > 0)).toBe(true);
});
