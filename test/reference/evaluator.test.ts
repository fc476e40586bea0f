/**
 * The reference is what the engine is held against, so its parts are held
 * against cases made by hand. The rules as a whole are in
 * test/conformance/decision-cases, which the reference must answer too.
 */
import { describe, expect, test } from 'vitest';
import type { EntityRecord } from '../../src/model/entity.ts';
import { ancestorsOf, askedOf, check, globMatches, holds, principalsOf, withIncluded } from './evaluator.ts';
import { problemsOfPath } from './paths.ts';

describe('a glob matches the whole text', () => {
  test.each([
    ['', '', true],
    ['', 'a', false],
    ['a', '', false],
    ['a', 'a', true],
    ['a', 'A', false],
    ['a', 'ab', false],
    ['*', '', true],
    ['*', 'a:b/c', true],
    ['**', '', true],
    ['a*', 'a', true],
    ['a*', 'ba', false],
    ['*a', 'ba', true],
    ['*a', 'ab', false],
    ['a*c', 'ac', true],
    ['a*c', 'abcbc', true],
    ['a*c', 'abcb', false],
    ['*b*b', 'b', false],
    ['*b*b', 'bxb', true],
    ['a.c', 'abc', false],
    ['a?', 'ab', false],
    ['[a]', 'a', false],
    ['\\*', '\\anything', true],
    ['*é', 'xé', true],
  ])('%j against %j is %j', (glob, text, expected) => {
    expect(globMatches(glob, text)).toBe(expected);
  });
});

describe('what a question asks about', () => {
  test.each([
    ['read', 'doc:1', 'doc', 'read'],
    ['app:read', 'doc:1', 'doc', 'app:read'],
    ['read', '', '', 'read'],
    ['app:read', '', 'app', 'read'],
    ['app:a:b', '', 'app', 'a:b'],
    ['1:read', '', '', '1:read'],
    [':read', '', '', ':read'],
    ['a b:read', '', '', 'a b:read'],
    ['a:b', 'doc:a:b', 'doc', 'a:b'],
  ])('action %j on %j is about type %j and action %j', (action, object, type, asked) => {
    expect(askedOf(action, object)).toEqual({ type, action: asked });
  });
});

test('what expires holds before the instant and not at it', () => {
  expect([holds(undefined, 5), holds(6, 5), holds(5, 5), holds(4, 5)]).toEqual([true, true, false, false]);
});

test('P holds the wildcards of the subject, not those of its groups, and all groups above', () => {
  const records: readonly EntityRecord[] = [
    { kind: 'member', group: 'group:a', member: 'user:x' },
    { kind: 'member', group: 'group:b', member: 'group:a' },
    { kind: 'member', group: 'group:a', member: 'group:b' },
    { kind: 'member', group: 'group:c', member: 'user:*' },
    { kind: 'member', group: 'group:d', member: '*' },
    { kind: 'member', group: 'group:e', member: 'group:*' },
    { kind: 'member', group: 'group:f', member: 'group:b', expiresAt: 10 },
    { kind: 'member', group: 'group:h', member: 'group:g' },
  ];
  const above = ['group:a', 'group:b', 'group:c', 'group:d'];
  expect([...principalsOf(records, 'user:x', [], 10)].sort()).toEqual(['*', ...above, 'user:*', 'user:x']);
  expect(principalsOf(records, 'user:x', [], 9).has('group:f')).toBe(true);
  expect([...principalsOf(records, 'anonymous', [], 10)].sort()).toEqual(['*', 'anonymous', 'group:d']);
  expect([...principalsOf(records, 'anonymous', ['group:g'], 10)].sort()).toEqual(
    ['*', 'anonymous', 'group:d', 'group:g', 'group:h'].sort(),
  );
  expect(principalsOf(records, 'group:z', [], 10).has('group:e')).toBe(true);
});

test('ancestors are found through any inheriting way, and cycles end', () => {
  const records: readonly EntityRecord[] = [
    { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:a' }, { object: 'folder:b', inherit: false }] },
    { kind: 'object', object: 'folder:a', parents: [{ object: 'folder:c' }] },
    { kind: 'object', object: 'folder:b', parents: [{ object: 'folder:x' }] },
    { kind: 'object', object: 'folder:c', parents: [{ object: 'folder:a' }] },
  ];
  expect([...ancestorsOf(records, 'doc:1')].sort()).toEqual(['folder:a', 'folder:c']);
  expect([...ancestorsOf(records, 'folder:b')]).toEqual(['folder:x']);
  expect([...ancestorsOf(records, 'folder:c')].sort()).toEqual(['folder:a', 'folder:c']);
  expect([...ancestorsOf(records, 'doc:unknown')]).toEqual([]);
});

test('included roles are followed through cycles and names that nothing defines', () => {
  const records: readonly EntityRecord[] = [
    { kind: 'role', name: 'a', permissions: [], includes: ['b', 'ghost'] },
    { kind: 'role', name: 'b', permissions: [], includes: ['a'] },
  ];
  expect([...withIncluded(records, 'a')].sort()).toEqual(['a', 'b', 'ghost']);
});

describe('a path that cannot be walked is seen', () => {
  const records: readonly EntityRecord[] = [
    { kind: 'role', name: 'r', permissions: ['doc:write'], includes: ['i'] },
    { kind: 'role', name: 'i', permissions: ['doc:read'] },
    { kind: 'member', group: 'group:g', member: 'user:a' },
    { kind: 'object', object: 'doc:1', parents: [{ object: 'folder:f' }] },
    { kind: 'binding', subject: 'group:g', role: 'r', scope: 'folder:f' },
  ];
  const query = { subject: 'user:a', action: 'read', object: 'doc:1', reach: 'inherited', assertedGroups: [] } as const;
  const verdict = check(records, query, 0);
  const path = {
    subjectSteps: [{ from: 'user:a', to: 'group:g', asserted: false }],
    binding: verdict.binding,
    effect: 'allow',
    roles: ['r', 'i'],
    permission: 'doc:read',
    scope: 'folder:f',
    objectSteps: [{ from: 'doc:1', to: 'folder:f', asserted: false }],
  } as const;

  test('the right one has no problems', () => {
    expect(problemsOfPath(records, query, verdict, path, 0)).toEqual([]);
  });

  test.each([
    ['no path at all', undefined],
    ['another binding', { ...path, binding: '["user:a","r","*","allow"]' }],
    ['another effect', { ...path, effect: 'deny' as const }],
    ['another scope', { ...path, scope: 'doc:1' }],
    ['a missing membership', { ...path, subjectSteps: [] }],
    ['an invented membership', { ...path, subjectSteps: [{ from: 'user:a', to: 'group:h', asserted: false }] }],
    ['an assertion that nobody made', { ...path, subjectSteps: [{ from: 'user:a', to: 'group:g', asserted: true }] }],
    ['a missing parent', { ...path, objectSteps: [] }],
    ['a broken chain', { ...path, objectSteps: [{ from: 'doc:2', to: 'folder:f', asserted: false }] }],
    ['another role', { ...path, roles: ['i'] }],
    ['a role that is not included', { ...path, roles: ['r', 'r', 'i'] }],
    ['a role without the permission', { ...path, roles: ['r'] }],
    ['a permission that does not grant it', { ...path, permission: 'doc:write' }],
  ])('%s', (_, wrong) => {
    expect(problemsOfPath(records, query, verdict, wrong, 0)).not.toEqual([]);
  });
});
