/** Random records of every kind with every field, in canonical form: what the graphs of the engine's tests never need. */
import fc from 'fast-check';
import type { EntityRecord } from '../../../src/model/entity.ts';
import { parseRecord } from '../../../src/model/parse-record.ts';
import { graph, scope } from '../../reference/arbitraries.ts';

const words = fc.constantFrom(undefined, 'words\nand more', 'ünï \u{1f600}');
const flag = fc.constantFrom(undefined, true);
const name = fc.constantFrom('r1', '__proto__', 'r:/ "*', 'grant');
const type = fc.constantFrom('doc', 'user', 'arm.Compute/disks');
const principal = fc.constantFrom('creator', 'created', 'user:a', 'group:["g"]', '*', 'anonymous');
const names = fc.array(name, { maxLength: 3 });

/** Fields that may be undefined, as the parser of records makes them: canonical. */
function canonical(fields: fc.Arbitrary<object>): fc.Arbitrary<EntityRecord> {
  return fields.map((json) => parseRecord(JSON.parse(JSON.stringify(json)), 'test'));
}

const binding = fc.record({
  role: name,
  subject: principal,
  scope: fc.option(scope, { nil: undefined }),
  cascade: fc.constantFrom(undefined, false),
  locked: flag,
  note: words,
});
const membership = fc.record({ group: fc.constantFrom('created', 'group:x y'), member: principal });

const others = fc.oneof(
  canonical(
    fc.record({
      kind: fc.constant('hook'),
      type,
      grants: fc.array(fc.oneof<fc.Arbitrary<object>[]>(binding, membership), { maxLength: 4 }),
    }),
  ),
  canonical(
    fc.record({
      kind: fc.constant('constraint'),
      name,
      description: words,
      roles: names,
      cardinality: fc.constantFrom(undefined, 2, 3, 1000),
      dynamic: flag,
    }),
  ),
  canonical(
    fc.record({
      kind: fc.constant('type'),
      name: type,
      description: words,
      actions: fc.option(names, { nil: undefined }),
      parents: fc.option(fc.array(type, { maxLength: 2 }), { nil: undefined }),
    }),
  ),
  canonical(
    fc.record({
      kind: fc.constant('attribute'),
      name,
      type: fc.constantFrom('int', 'map', 'list(list(timestamp))'),
      description: words,
    }),
  ),
  canonical(
    fc.record({
      kind: fc.constant('role'),
      name,
      description: words,
      permissions: fc.constantFrom([], ['doc:*'], [{ objects: { type: 'doc', regex: 'a+' }, actions: ['read'] }]),
      system: flag,
      grantAction: fc.constantFrom(undefined, 'grant', 'share'),
    }),
  ),
  canonical(
    fc.record({
      kind: fc.constant('member'),
      group: fc.constant('group:g'),
      member: fc.constant('user:a'),
      expiresAt: fc.integer({ min: 0, max: 253_402_300_799_999 }),
    }),
  ),
  canonical(fc.record({ kind: fc.constant('group'), group: fc.constant('group:g'), description: words })),
  canonical(fc.record({ kind: fc.constant('settings'), mode: fc.constantFrom('enforce', 'shadow', 'off') })),
);

/** Any records, not each identity once. */
export const anyRecords: fc.Arbitrary<readonly EntityRecord[]> = fc
  .tuple(graph, fc.array(others, { maxLength: 20 }))
  .map(([first, more]) => [...first, ...more]);
