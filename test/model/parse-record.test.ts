// What a store holds is untrusted: legal records come back canonical, everything else is refused with its place.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { parseChange, parseRecord } from '../../src/model/parse-record.ts';
import { anyChange, anyRecord, oneOfEach } from '../store/records.ts';

const binding = { kind: 'binding', subject: 'user:alice', role: 'editor', scope: 'doc:1' };
const role = { kind: 'role', name: 'editor', permissions: ['doc:read'] };
const grant = { role: 'editor', subject: 'creator' };
const hook = { kind: 'hook', type: 'doc', grants: [grant] };
const constraint = { kind: 'constraint', name: 'payments', roles: ['cashier', 'auditor'] };

const titleOf = (given: unknown): string => JSON.stringify(given).slice(0, 120);

function refusal(parse: () => unknown): PosternError {
  try {
    parse();
  } catch (error) {
    if (error instanceof PosternError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('a record', () => {
  test('in canonical form comes back as it is, with its fields in the same order', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const text = JSON.stringify(record);
        expect(JSON.stringify(parseRecord(JSON.parse(text), 'here'))).toBe(text);
      }),
    );
  });

  test('is the same text whatever order its fields were written in', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const reversed = Object.fromEntries(Object.entries(record).reverse());
        expect(JSON.stringify(parseRecord(reversed, 'here'))).toBe(JSON.stringify(record));
      }),
    );
  });

  test.for(
    [
      { given: { ...binding, effect: 'allow', cascade: true, locked: false }, canonical: binding },
      { given: { ...binding, scope: { object: 'doc:1' } }, canonical: binding },
      { given: { ...role, except: [], includes: [], system: false, grantAction: 'grant' }, canonical: role },
      {
        given: { ...role, permissions: [{ objects: { object: 'doc:1' }, actions: ['read'] }] },
        canonical: { ...role, permissions: [{ objects: 'doc:1', actions: ['read'] }] },
      },
      { given: { kind: 'object', object: 'doc:1', parents: [] }, canonical: { kind: 'object', object: 'doc:1' } },
      {
        given: { ...hook, grants: [{ ...grant, scope: { object: 'a:b' }, cascade: true, locked: false }] },
        canonical: { ...hook, grants: [{ ...grant, scope: 'a:b' }] },
      },
      { given: { ...constraint, cardinality: 2, dynamic: false }, canonical: constraint },
      {
        given: { kind: 'object', object: 'doc:1', parents: [{ object: 'doc:2', inherit: true }] },
        canonical: { kind: 'object', object: 'doc:1', parents: [{ object: 'doc:2' }] },
      },
    ].map((each) => ({ ...each, title: titleOf(each.given) })),
  )('with a default written out loses it: $title', ({ given, canonical }) => {
    expect(parseRecord(given, 'here')).toStrictEqual(canonical);
  });

  test('of a type keeps an empty list, which closes what its absence leaves open', () => {
    const closed = { kind: 'type', name: 'doc', actions: [], parents: [] };
    expect(parseRecord(closed, 'here')).toStrictEqual(closed);
  });

  test.for(
    [
      { given: null, field: '' },
      { given: 'user:alice', field: '' },
      { given: [binding], field: '' },
      { given: {}, field: 'kind' },
      { given: { kind: 'hooks' }, field: 'kind' },
      { given: { kind: 'hook' }, field: 'grants' },
      { given: { ...hook, type: '9' }, field: 'type' },
      { given: { ...hook, scope: '*' }, field: 'scope' },
      { given: { ...hook, grants: [7] }, field: 'grants[0]' },
      { given: { ...hook, grants: Array(101).fill(grant) }, field: 'grants' },
      { given: { ...hook, grants: [grant, { ...grant, subject: 'owner' }] }, field: 'grants[1].subject' },
      { given: { ...hook, grants: [{ ...grant, role: '' }] }, field: 'grants[0].role' },
      { given: { ...hook, grants: [{ ...grant, scope: 'doc' }] }, field: 'grants[0].scope' },
      { given: { ...hook, grants: [{ ...grant, effect: 'deny' }] }, field: 'grants[0].effect' },
      { given: { ...hook, grants: [{ group: 'ops', member: 'created' }] }, field: 'grants[0].group' },
      { given: { ...hook, grants: [{ group: 'created' }] }, field: 'grants[0].member' },
      { given: { ...hook, grants: [{ group: 'created', member: 'creator', role: 'r' }] }, field: 'grants[0].role' },
      { given: { ...constraint, name: '' }, field: 'name' },
      { given: { ...constraint, roles: 'r' }, field: 'roles' },
      { given: { ...constraint, roles: ['r', 1] }, field: 'roles[1]' },
      { given: { ...constraint, roles: Array(1001).fill('r') }, field: 'roles' },
      { given: { ...constraint, cardinality: 1 }, field: 'cardinality' },
      { given: { ...constraint, cardinality: 2.5 }, field: 'cardinality' },
      { given: { ...constraint, dynamic: 'yes' }, field: 'dynamic' },
      { given: { ...constraint, static: true }, field: 'static' },
      { given: { kind: 'toString' }, field: 'kind' },
      { given: { kind: ['binding'] }, field: 'kind' },
      { given: { kind: 'settings', mode: 'on' }, field: 'mode' },
      { given: { kind: 'type', name: '9doc' }, field: 'name' },
      { given: { kind: 'type', name: 'doc', actions: ['a\n'] }, field: 'actions[0]' },
      { given: { kind: 'type', name: 'doc', parents: ['ok', 'not ok'] }, field: 'parents[1]' },
      { given: { ...role, name: '' }, field: 'name' },
      { given: { ...role, permissions: 'doc:read' }, field: 'permissions' },
      { given: { ...role, permissions: ['doc:read', 'read'] }, field: 'permissions[1]' },
      { given: { ...role, permissions: [7] }, field: 'permissions[0]' },
      { given: { ...role, permissions: [{ objects: 'doc', actions: ['a'] }] }, field: 'permissions[0].objects' },
      { given: { ...role, permissions: [{ objects: 'doc:1', actions: [''] }] }, field: 'permissions[0].actions[0]' },
      { given: { ...role, permissions: [{ objects: 'doc:1', actions: [], if: 'x' }] }, field: 'permissions[0].if' },
      { given: { ...role, except: ['read'] }, field: 'except[0]' },
      { given: { ...role, includes: [1] }, field: 'includes[0]' },
      { given: { ...role, system: 'yes' }, field: 'system' },
      { given: { ...role, grantAction: '' }, field: 'grantAction' },
      { given: { kind: 'group', group: 'user:alice' }, field: 'group' },
      { given: { kind: 'group', group: 'group:a', description: 'x'.repeat(4097) }, field: 'description' },
      { given: { kind: 'group', group: 'group:a', description: 'ü'.repeat(2049) }, field: 'description' },
      { given: { kind: 'member', group: 'group:a', member: 'alice' }, field: 'member' },
      { given: { kind: 'member', group: 'group:a', member: 'user:a', expiresAt: '2027' }, field: 'expiresAt' },
      { given: { kind: 'member', group: 'group:a', member: 'user:a', expiresAt: 0.5 }, field: 'expiresAt' },
      { given: { kind: 'object', object: 'doc:1', parents: [{}] }, field: 'parents[0].object' },
      { given: { kind: 'object', object: 'doc:1', parents: [{ object: 'a:b', x: 1 }] }, field: 'parents[0].x' },
      { given: { kind: 'object', object: 'doc:1', parents: ['doc:2'] }, field: 'parents[0]' },
      { given: { ...binding, subject: undefined }, field: 'subject' },
      { given: { ...binding, subject: 'user:\u0000' }, field: 'subject' },
      { given: { ...binding, subject: 'user:\ud800' }, field: 'subject' },
      { given: { ...binding, subject: `user:${'x'.repeat(257)}` }, field: 'subject' },
      { given: { ...binding, scope: 'doc' }, field: 'scope' },
      { given: { ...binding, scope: null }, field: 'scope' },
      { given: { ...binding, scope: {} }, field: 'scope.type' },
      { given: { ...binding, scope: { object: 'doc:1', type: 'doc' } }, field: 'scope.type' },
      { given: { ...binding, scope: { type: 'doc', regex: 'a', flags: 'i' } }, field: 'scope.flags' },
      { given: { ...binding, effect: 'maybe' }, field: 'effect' },
      { given: { ...binding, name: '' }, field: 'name' },
      { given: { ...binding, cascade: 0 }, field: 'cascade' },
      { given: { ...binding, locked: null }, field: 'locked' },
      { given: { ...binding, condition: '' }, field: 'condition' },
    ].map((each) => ({ ...each, title: titleOf(each.given) })),
  )('that is not legal is refused: $title', ({ given, field }) => {
    const error = refusal(() => parseRecord(given, 'key k field "f"'));
    expect(error.code).toBe('STORE_CORRUPT');
    expect(error.metadata).toEqual({ where: 'key k field "f"', field });
    expect(error.message).toContain(`key k field "f": ${field}`);
  });
});

describe('a change', () => {
  test('comes back as it is', () => {
    fc.assert(fc.property(anyChange, (change) => void expect(parseChange(change, 'here')).toStrictEqual(change)));
    for (const record of oneOfEach)
      expect(parseChange({ op: 'put', record }, 'here')).toStrictEqual({ op: 'put', record });
  });

  test.for(
    [
      { given: 7, field: '' },
      { given: { op: 'patch' }, field: 'op' },
      { given: { op: 'put' }, field: '' },
      { given: { op: 'put', record: binding, kind: 'binding' }, field: 'kind' },
      { given: { op: 'put', record: { ...binding, role: 1 } }, field: 'role' },
      { given: { op: 'delete', kind: 'hooks', key: 'x' }, field: 'kind' },
      { given: { op: 'delete', kind: 'role', key: 1 }, field: 'key' },
      { given: { op: 'delete', kind: 'role', key: 'x', record: binding }, field: 'record' },
    ].map((each) => ({ ...each, title: titleOf(each.given) })),
  )('that is not legal is refused: $title', ({ given, field }) => {
    expect(refusal(() => parseChange(given, 'here')).metadata).toEqual({ where: 'here', field });
  });
});
