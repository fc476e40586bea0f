// What is said of changes, and where: the cases that the random comparison cannot judge.
import { describe, expect, test } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { applyChanges } from '../../src/graph/apply.ts';
import { emptySnapshot, type Snapshot } from '../../src/graph/snapshot.ts';
import { checkChangeFields } from '../../src/graph/validate-change-fields.ts';
import { validateChanges } from '../../src/graph/validate-changes.ts';
import type { Change } from '../../src/model/change.ts';
import { type BindingRecord, bindingKey, type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { suggest } from '../../src/policy-file/suggest.ts';

const put = (record: EntityRecord): Change => ({ op: 'put', record });
const remove = (record: EntityRecord): Change => ({ op: 'delete', kind: record.kind, key: entityKey(record) });
const role = (name: string, ...includes: string[]): EntityRecord => {
  return { kind: 'role', name, permissions: ['doc:read'], ...(includes.length > 0 ? { includes } : {}) };
};
const member = (group: string, name: string): EntityRecord => ({ kind: 'member', group, member: name });
const object = (name: string, ...parents: string[]): EntityRecord => {
  return { kind: 'object', object: name, ...(parents.length ? { parents: parents.map((p) => ({ object: p })) } : {}) };
};
const binding = (subject: string, to: string, fields: Partial<BindingRecord> = {}): EntityRecord => {
  return { kind: 'binding', subject, role: to, scope: '*', ...fields };
};
const type = (name: string, ...actions: string[]): EntityRecord => ({ kind: 'type', name, actions });
const duty: EntityRecord = { kind: 'constraint', name: 'duty', roles: ['cashier', 'auditor'] };

const graph: readonly EntityRecord[] = [
  role('viewer'),
  role('editor', 'viewer'),
  role('cashier'),
  role('auditor'),
  role('head'),
  object('folder:a'),
  object('doc:1', 'folder:a'),
  object('doc:2', 'folder:a'),
  member('group:b', 'group:a'),
  member('group:a', 'user:bob'),
  binding('group:b', 'cashier'),
  binding('user:eve', 'auditor'),
  binding('user:al', 'head', { scope: 'doc:1' }),
  { kind: 'hook', type: 'doc', grants: [{ role: 'editor', subject: 'creator' }] },
];

const revision = { epoch: 'e', number: 1 };
const before = snapshotOf([...graph, duty]);

function snapshotOf(records: readonly EntityRecord[]): Snapshot {
  return applyChanges(emptySnapshot(graphOptions), records.map(put), revision);
}

/** "index kind field: message -> suggestion" of every problem. */
function problemsOf(changes: readonly Change[], from = before): string[] {
  const after = applyChanges(from, changes, { epoch: 'e', number: 2 });
  const { problems } = validateChanges(from, after, changes, { suggest });
  return problems.map(({ index, kind, field, message, suggestion }) => {
    return `${index} ${[kind, ...field].join('.')}: ${message}${suggestion === undefined ? '' : ` -> ${suggestion}`}`;
  });
}

describe('a change set that leaves the graph valid', () => {
  test.each<[string, Change[]]>([
    ['nothing', []],
    ['a binding', [put(binding('user:new', 'viewer'))]],
    ['an object below a new one, in whatever order', [put(object('doc:3', 'folder:z')), put(object('folder:z'))]],
    [
      'a role that goes with all that names it',
      [remove(binding('user:al', 'head', { scope: 'doc:1' })), remove(role('head'))],
    ],
    [
      'what was wrong and is put right by a later change',
      [put(binding('user:x', 'none')), remove(binding('user:x', 'none'))],
    ],
    ['deletes of what is not there', [remove(role('none')), remove(object('doc:9')), remove(type('none'))]],
    ['a role that somebody has already, elsewhere', [put(binding('user:bob', 'cashier', { scope: 'doc:1' }))]],
    [
      'a swap of roles that exclude each other',
      [remove(binding('user:eve', 'auditor')), put(binding('user:eve', 'cashier'))],
    ],
    ['a denial', [put(binding('user:bob', 'auditor', { effect: 'deny' }))]],
    ['a constraint that goes before it is violated', [remove(duty), put(binding('user:bob', 'auditor'))]],
  ])('has no problems: %s', (_, changes) => {
    expect(problemsOf(changes)).toEqual([]);
  });
});

describe('a change set that does not', () => {
  const rule = 'nobody may have 2 of cashier, auditor';
  test.each<[string, Change[], string[]]>([
    [
      'a binding of an unknown role',
      [put(role('x')), put(binding('user:a', 'edtior'))],
      ['1 binding.role: unknown role "edtior" -> editor'],
    ],
    [
      'an unknown parent',
      [put(object('doc:3', 'folder:b'))],
      ['0 object.parents.0.object: parent "folder:b" is not registered; add it to objects -> folder:a'],
    ],
    [
      'an unknown role in a hook and a constraint',
      [
        put({ kind: 'hook', type: 'doc', grants: [{ role: 'vwr', subject: 'creator' }] }),
        put({ kind: 'constraint', name: 'c', roles: ['viewer', 'heda'] }),
      ],
      ['0 hook.grants.0.role: unknown role "vwr"', '1 constraint.roles.1: unknown role "heda" -> head'],
    ],
    [
      'a role that is used',
      [remove(role('viewer')), remove(role('head')), remove(role('editor')), remove(role('auditor'))],
      [
        '1 role: role "head" is still named by binding ["user:al","head","doc:1","allow"]; delete those first',
        '2 role: role "editor" is still named by the hook of doc; delete those first',
        '3 role: role "auditor" is still named by binding ["user:eve","auditor","*","allow"] and constraint duty; delete those first',
      ],
    ],
    [
      'an included role',
      [remove(role('viewer'))],
      ['0 role: role "viewer" is still named by role editor; delete those first'],
    ],
    [
      'a parent',
      [remove(object('folder:a'))],
      ['0 object: object "folder:a" is still the parent of doc:1 and doc:2; move or delete those first'],
    ],
    [
      'a cycle of roles',
      [put(binding('user:a', 'viewer')), put(role('viewer', 'head', 'editor'))],
      ['1 role.includes.1: role includes itself: viewer -> editor -> viewer'],
    ],
    [
      'a cycle of groups',
      [put(member('group:a', 'group:c')), put(member('group:c', 'group:b'))],
      ['0 member.member: group is a member of itself: group:c -> group:a -> group:b -> group:c'],
    ],
    [
      'a cycle of objects',
      [put(object('folder:a', 'doc:1'))],
      ['0 object.parents.0.object: object is its own ancestor: folder:a -> doc:1 -> folder:a'],
    ],
    [
      'duty, by a binding',
      [put(role('x')), put(binding('user:bob', 'auditor'))],
      [
        `1 binding.role: separation of duty "duty": user:bob would have cashier (through group:a, group:b) and auditor; ${rule}`,
      ],
    ],
    [
      'duty, by a membership',
      [put(member('group:b', 'user:eve'))],
      [
        `0 member.member: separation of duty "duty": user:eve would have cashier (through group:b) and auditor; ${rule}`,
      ],
    ],
    [
      'duty, far above somebody',
      [put(binding('group:b', 'auditor'))],
      [`0 binding.role: separation of duty "duty": group:b would have cashier and auditor; ${rule}`],
    ],
    [
      'duty, by a wildcard',
      [put(binding('user:*', 'cashier'))],
      [`0 binding.role: separation of duty "duty": user:eve would have cashier (through user:*) and auditor; ${rule}`],
    ],
    [
      'duty, by a wildcard in a group',
      [put(member('group:b', '*'))],
      [
        `0 member.member: separation of duty "duty": user:eve would have cashier (through *, group:b) and auditor; ${rule}`,
      ],
    ],
    [
      'duty, by an inclusion',
      [put(role('head', 'auditor', 'cashier'))],
      [
        `0 role.includes: separation of duty "duty": user:al would have cashier (role head includes it) and auditor (role head includes it); ${rule}`,
      ],
    ],
    [
      'duty, by a new constraint',
      [put({ kind: 'constraint', name: 'new', roles: ['head', 'viewer'] }), put(binding('user:al', 'editor'))],
      [
        '1 binding.role: separation of duty "new": user:al would have head and viewer (role editor includes it); nobody may have 2 of head, viewer',
      ],
    ],
    [
      'a type that does not know an action',
      [put(type('doc', 'write'))],
      ['0 type: role viewer permissions 0 no longer fits: type "doc" has no action "read"'],
    ],
    [
      'fields, of the change that counts',
      [put(binding('alice', 'viewer')), put(binding('user:a', 'viewer', { expiresAt: -1 }))],
      [
        '0 binding.subject: subject "alice" has no colon; write it as "type:id"',
        '1 binding.expiresAt: expiry -1 is not a time after 1970 and before the year 10000, in whole milliseconds',
      ],
    ],
  ])('is told what is wrong: %s', (_, changes, expected) => {
    const told = problemsOf(changes);
    expect(told.slice(0, expected.length)).toEqual(expected);
  });

  test('a constraint that is now violated by what was there is what is told of', () => {
    const free = snapshotOf([...graph, binding('user:bob', 'auditor')]);
    expect(problemsOf([put(duty)], free)).toEqual([
      `0 constraint.roles: separation of duty "duty": user:bob would have cashier (through group:a, group:b) and auditor; ${rule}`,
    ]);
    const loose = snapshotOf([...graph, binding('user:bob', 'auditor'), { ...duty, dynamic: true } as EntityRecord]);
    expect(problemsOf([put(duty)], loose)).toHaveLength(1);
  });

  test('a type that goes leaves what resembles another', () => {
    const typed = snapshotOf([role('r'), type('doc', 'read'), type('dox'), object('dox:1')]);
    expect(problemsOf([remove(type('dox'))], typed)).toEqual([
      '0 type: object dox:1 object no longer fits: type "dox" is not declared (did you mean "doc"?)',
    ]);
  });

  test('many problems are counted', () => {
    const changes = Array.from({ length: 30 }, (_, i) => put(binding(`user:${i}`, 'none')));
    const after = applyChanges(before, changes, revision);
    const { problems, omitted } = validateChanges(before, after, changes, { suggest, maxProblems: 10 });
    expect([problems.length, omitted]).toEqual([10, 20]);
  });
});

describe('the fields of changes', () => {
  const keys: [string, Extract<Change, { op: 'delete' }>, boolean][] = [
    ['a binding', { op: 'delete', kind: 'binding', key: bindingKey('user:a', 'r', 'doc:1', 'allow', undefined) }, true],
    ['a named binding', { op: 'delete', kind: 'binding', key: bindingKey('user:a', 'r', '*', 'deny', 'n') }, true],
    [
      'a binding on a long scope',
      { op: 'delete', kind: 'binding', key: '["a:b","r",{"type":"doc","regex":"a("},"allow"]' },
      true,
    ],
    ['a role of any name', { op: 'delete', kind: 'role', key: '' }, true],
    ['no JSON', { op: 'delete', kind: 'binding', key: 'user:a' }, false],
    ['too little', { op: 'delete', kind: 'binding', key: '["a:b","r","*"]' }, false],
    ['too much', { op: 'delete', kind: 'binding', key: '["a:b","r","*","allow","n","m"]' }, false],
    ['an effect that is none', { op: 'delete', kind: 'binding', key: '["a:b","r","*","maybe"]' }, false],
    ['a scope that is none', { op: 'delete', kind: 'binding', key: '["a:b","r",7,"allow"]' }, false],
    ['a scope that is not legal', { op: 'delete', kind: 'binding', key: '["a:b","r","doc","allow"]' }, false],
    [
      'a scope in another form',
      { op: 'delete', kind: 'binding', key: '["a:b","r",{"object":"doc:1"},"allow"]' },
      false,
    ],
    ['JSON in another form', { op: 'delete', kind: 'member', key: '["group:a", "user:a"]' }, false],
    ['a member', { op: 'delete', kind: 'member', key: '["group:a","user:a"]' }, true],
    ['a member of nothing', { op: 'delete', kind: 'member', key: '["group:a"]' }, false],
    ['a list of numbers', { op: 'delete', kind: 'member', key: '[1,2]' }, false],
  ];
  test.each(keys)('tell whether the key to delete is one: %s', (_, change, isKey) => {
    const { problems } = checkChangeFields([change], graphOptions);
    expect(problems.length === 0).toBe(isKey);
    if (isKey) expect(() => applyChanges(before, [change], revision)).not.toThrow();
    else expect(problems[0]).toMatchObject({ index: 0, kind: change.kind, key: change.key, field: [] });
  });

  test('tell of all that a draft would throw for, by position', () => {
    const changes = [
      put(binding('user:a', 'viewer')),
      put(binding('user:a', 'viewer', { scope: { type: 'doc', regex: 'a(' } })),
      put(binding('user:a', 'viewer', { condition: 'nobody.knows' })),
      put({ kind: 'role', name: 'r', permissions: ['read'] }),
    ];
    expect(checkChangeFields(changes, graphOptions).problems.map(({ index, field }) => [index, ...field])).toEqual([
      [1, 'scope', 'regex'],
      [2, 'condition'],
      [3, 'permissions', 0],
    ]);
    expect(checkChangeFields(changes, graphOptions, 1)).toMatchObject({ problems: [{ index: 1 }], omitted: 2 });
  });
});
