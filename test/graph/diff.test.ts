import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diff } from '../../src/graph/diff.ts';
import type { Change } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';

const role = (name: string, ...permissions: string[]): EntityRecord => ({ kind: 'role', name, permissions });
const binding = (subject: string, roleName: string): EntityRecord => {
  return { kind: 'binding', subject, role: roleName, scope: '*' };
};

describe('diff', () => {
  test('equal graphs need no change', () => {
    expect(diff([role('a', 'doc:read')], [role('a', 'doc:read')])).toEqual([]);
  });

  test('what is new or differs is put, what is gone is deleted, each with what it replaces', () => {
    const from = [role('kept'), role('changed', 'doc:read'), role('gone')];
    const to = [role('kept'), role('changed', 'doc:write'), role('new')];
    expect(diff(from, to)).toEqual([
      { op: 'delete', kind: 'role', key: 'gone', before: role('gone') },
      { op: 'put', record: role('changed', 'doc:write'), before: role('changed', 'doc:read') },
      { op: 'put', record: role('new') },
    ]);
  });

  test('dependents are deleted before and put after what they depend on, whatever the order given', () => {
    const kinds = (changes: readonly Change[]) => {
      return changes.map((change) => (change.op === 'put' ? change.record.kind : change.kind));
    };
    const graph: EntityRecord[] = [
      binding('user:a', 'r'),
      { kind: 'object', object: 'doc:1' },
      { kind: 'member', group: 'group:g', member: 'user:a' },
      { kind: 'group', group: 'group:g' },
      role('r'),
      { kind: 'type', name: 'doc' },
      { kind: 'settings', mode: 'shadow' },
    ];
    const loaded = ['settings', 'type', 'role', 'group', 'member', 'object', 'binding'];
    expect(kinds(diff([], graph))).toEqual(loaded);
    expect(kinds(diff(graph, []))).toEqual(loaded.toReversed());
    expect(diff([], graph.toReversed())).toEqual(diff([], graph));
  });

  test('the order of keys is no difference, the order of a list is', () => {
    const a: EntityRecord = { kind: 'binding', subject: 'user:a', role: 'r', scope: '*', note: 'n', locked: true };
    const b: EntityRecord = { locked: true, note: 'n', scope: '*', role: 'r', subject: 'user:a', kind: 'binding' };
    expect(diff([a], [b])).toEqual([]);
    expect(diff([role('r', 'a:b', 'c:d')], [role('r', 'c:d', 'a:b')])).toHaveLength(1);
  });

  test('a field that is undefined is an absent one', () => {
    const written = { ...role('r'), description: undefined } as unknown as EntityRecord;
    expect(diff([role('r')], [written])).toEqual([]);
  });

  test('of an identity that comes twice the last one counts', () => {
    expect(diff([], [role('r', 'a:b'), role('r', 'c:d')])).toEqual([{ op: 'put', record: role('r', 'c:d') }]);
  });

  test('applied to the one graph it always gives the other', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const record: fc.Arbitrary<EntityRecord> = fc.oneof(
      fc.tuple(name, fc.array(fc.constantFrom('x:y', 'y:z'))).map(([n, permissions]) => role(n, ...permissions)),
      fc.tuple(name, name).map(([s, r]) => binding(`user:${s}`, r)),
      fc
        .tuple(name, name)
        .map(([g, m]): EntityRecord => ({ kind: 'member', group: `group:${g}`, member: `user:${m}` })),
    );
    fc.assert(
      fc.property(fc.array(record), fc.array(record), (from, to) => {
        const toMap = (records: readonly EntityRecord[]) => {
          return new Map(records.map((one) => [`${one.kind} ${entityKey(one)}`, one]));
        };
        const result = toMap(from);
        for (const change of diff(from, to)) {
          if (change.op === 'delete') expect(result.delete(`${change.kind} ${change.key}`)).toBe(true);
          else result.set(`${change.record.kind} ${entityKey(change.record)}`, change.record);
        }
        const sorted = (map: Map<string, EntityRecord>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(sorted(result)).toEqual(sorted(toMap(to)));
      }),
    );
  });
});
