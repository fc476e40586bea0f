/**
 * Random histories of crowded graphs: hundreds of bindings of one subject, on
 * one scope, members of one group and children of one parent, put in any order
 * and partly taken out again. Small graphs never fill what an index keeps in
 * one piece; these do, several times over.
 */
import fc from 'fast-check';
import type { Change } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { uniqueRecords } from './arbitraries.ts';

const roles: readonly EntityRecord[] = [
  { kind: 'role', name: 'reader', permissions: ['doc:read'] },
  { kind: 'role', name: 'writer', permissions: ['*:write'], includes: ['reader'] },
  { kind: 'role', name: 'nothing', permissions: [] },
];

/** One record of a crowd, chosen by a number: equal numbers give equal records. */
function recordOf(pick: number): EntityRecord {
  const kind = pick % 8;
  const n = Math.floor(pick / 8);
  const role = ['reader', 'writer', 'nothing', 'nothing'][n % 4] as string;
  const name = `n${n}`;
  const effect = n % 11 === 0 ? ({ effect: 'deny' } as const) : {};
  switch (kind) {
    case 0:
      return { kind: 'member', group: 'group:crowd', member: `user:${n % 700}` };
    case 1:
      return { kind: 'object', object: `doc:${n % 700}`, parents: [{ object: 'folder:crowd' }] };
    case 2:
      return { kind: 'binding', subject: `user:${n % 700}`, role, scope: 'doc:popular', ...effect };
    case 3:
      return { kind: 'binding', subject: 'user:busy', role, scope: `doc:${n % 700}`, ...effect };
    case 4:
      return { kind: 'binding', subject: `user:${n % 700}`, role, scope: '*', name, ...effect };
    case 5:
      return { kind: 'binding', subject: 'group:crowd', role: 'nothing', scope: 'folder:crowd', name };
    case 6:
      return { kind: 'binding', subject: 'user:busy', role, scope: `doc:${n % 300}*`, name };
    default:
      return { kind: 'binding', subject: `user:${n % 700}`, role, scope: 'doc:*', ...effect };
  }
}

const pick = fc.nat({ max: 8 * 1_400 });

/** Change sets to apply one after the other to an empty graph. */
export const crowdedHistory: fc.Arbitrary<readonly (readonly Change[])[]> = fc
  .record({
    picks: fc.noBias(fc.array(pick, { maxLength: 3_000, size: 'max' })),
    /** Where the change sets end, as parts of 1,000 of the whole. */
    cuts: fc.uniqueArray(fc.nat({ max: 999 }), { maxLength: 4 }),
    /** How many of ten change sets' records are taken out again at the end, and in how many goes. */
    removedTenths: fc.nat({ max: 10 }),
    goes: fc.integer({ min: 1, max: 40 }),
    late: fc.array(pick, { maxLength: 60, size: 'max' }),
  })
  .map(({ picks, cuts, removedTenths, goes, late }) => {
    const puts = picks.map((number): Change => ({ op: 'put', record: recordOf(number) }));
    const ends = [...cuts.sort((a, b) => a - b).map((cut) => Math.floor((puts.length * cut) / 1_000)), puts.length];
    const sets: Change[][] = [roles.map((record) => ({ op: 'put', record }))];
    for (const [index, end] of ends.entries()) sets.push(puts.slice(index === 0 ? 0 : ends[index - 1], end));
    const removed = uniqueRecords(picks.map(recordOf))
      .filter((_, index) => index % 10 < removedTenths)
      .map((record): Change => ({ op: 'delete', kind: record.kind, key: entityKey(record) }));
    const size = Math.max(1, Math.ceil(removed.length / goes));
    for (let start = 0; start < removed.length; start += size) sets.push(removed.slice(start, start + size));
    for (const number of late) sets.push([{ op: 'put', record: recordOf(number) }]);
    return sets;
  });

/** A subject, an action and an object of a crowded graph. */
export const crowdedQuestion = fc.record({
  subject: fc.oneof(
    fc.constantFrom('user:busy', 'group:crowd'),
    fc.nat({ max: 700 }).map((n) => `user:${n}`),
  ),
  action: fc.constantFrom('read', 'write', 'unknown'),
  object: fc.oneof(
    fc.constantFrom('doc:popular', 'folder:crowd'),
    fc.nat({ max: 700 }).map((n) => `doc:${n}`),
  ),
  reach: fc.constantFrom('inherited' as const, 'inherited' as const, 'exact' as const),
  assertedGroups: fc.constantFrom<string[]>([], [], ['group:crowd']).map((groups) => [...groups]),
  activeRoles: fc.constantFrom<(string[] | undefined)[]>(undefined, undefined, ['reader'], ['writer', 'nothing']),
});
