// Incremental validation against validation of the whole: they must agree on whether a change set may be committed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { applyChanges } from '../../src/graph/apply.ts';
import { recordsOf } from '../../src/graph/records.ts';
import { emptySnapshot, type Snapshot } from '../../src/graph/snapshot.ts';
import { type ValidateOptions, validate } from '../../src/graph/validate.ts';
import { validateChanges } from '../../src/graph/validate-changes.ts';
import type { Change } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { suggest } from '../../src/policy-file/suggest.ts';
import { anyRecord, graph, roles, toChange, uniqueRecords } from '../reference/arbitraries.ts';
import { attribute } from '../reference/attributes.ts';
import { conditionTexts } from '../reference/conditions.ts';
import { runs } from '../reference/runs.ts';

const options: ValidateOptions = { ...graphOptions, suggest };
const revision = (number: number) => ({ epoch: 'e', number });

function snapshotOf(records: readonly EntityRecord[]): Snapshot {
  const puts = records.map((record) => toChange(record, true));
  return applyChanges(emptySnapshot(graphOptions), puts, revision(1));
}

/** What is left when the records that are at fault are taken out until none is. */
function validPart(records: readonly EntityRecord[]): readonly EntityRecord[] {
  for (let rest = records; ; ) {
    const { problems } = validate(rest, options);
    if (problems.length === 0) return rest;
    const wrong = new Set(problems.map(({ index }) => index));
    rest = rest.filter((_, index) => !wrong.has(index));
  }
}

/** Types whose parents are declared, and names that look like typos of others: what arbitraries.ts has no use for. */
const typed: fc.Arbitrary<EntityRecord> = fc.oneof<fc.Arbitrary<EntityRecord>[]>(
  fc
    .record({
      name: fc.constantFrom('doc', 'folder', 'fodler', 'dco'),
      parents: fc.subarray(['doc', 'folder', 'group']),
      isOpen: fc.boolean(),
    })
    .map(({ name, parents, isOpen }): EntityRecord => ({ kind: 'type', name, ...(isOpen ? {} : { parents }) })),
  fc.constantFrom<EntityRecord[]>(
    { kind: 'role', name: 'r1', permissions: ['dco:read'] },
    { kind: 'object', object: 'dco:1', parents: [{ object: 'folder:__proto__' }] },
    { kind: 'hook', type: 'fodler', grants: [] },
    { kind: 'binding', subject: 'user:a', role: 'r1', scope: 'dco:*' },
  ),
);

/** Constraints that make sense, of roles that mostly exist. */
const duty: fc.Arbitrary<EntityRecord> = fc
  .record({
    name: fc.constantFrom('c1', 'c2'),
    pair: fc.subarray([...roles], { minLength: 2 }),
    isStrict: fc.boolean(),
  })
  .map(({ name, pair, isStrict }): EntityRecord => {
    const cardinality = pair.length > 2 && !isStrict ? { cardinality: 3 } : {};
    return { kind: 'constraint', name, roles: pair, ...cardinality };
  });

/** Bindings whose conditions meet the attributes that are declared. */
const conditional: fc.Arbitrary<EntityRecord> = fc
  .record({ role: fc.constantFrom<string[]>(...roles), condition: fc.constantFrom(...conditionTexts) })
  .map(({ role, condition }) => ({ kind: 'binding', subject: 'user:a', role, scope: '*', condition }));

/** A valid graph, and changes that hit it. */
const scenario = fc
  .record({
    graph,
    more: fc.array(anyRecord, { maxLength: 16, size: 'max' }),
    types: fc.oneof(fc.constant([]), fc.array(typed, { maxLength: 3 })),
    plainRoles: fc.subarray([...roles]),
    duties: fc.array(duty, { maxLength: 2 }),
    attributes: fc.array(fc.oneof(attribute, conditional), { maxLength: 4 }),
    pool: fc.array(fc.oneof({ arbitrary: anyRecord, weight: 9 }, typed, duty, attribute, conditional), {
      minLength: 1,
      maxLength: 5,
    }),
    picks: fc.array(fc.record({ put: fc.boolean(), old: fc.boolean(), pick: fc.nat() }), {
      minLength: 1,
      maxLength: 5,
    }),
  })
  .map(({ graph: first, more, types, plainRoles, duties, attributes, pool, picks }) => {
    const extra = plainRoles.map((name): EntityRecord => ({ kind: 'role', name, permissions: [] }));
    const valid = validPart(uniqueRecords([...first, ...more, ...types, ...duties, ...attributes, ...extra]));
    const changes = picks.map(({ put, old, pick }): Change => {
      const from = old && valid.length > 0 ? valid : pool;
      return toChange(from[pick % from.length] as EntityRecord, put);
    });
    return { valid, changes };
  });

describe('the validation of changes', () => {
  test('agrees with the validation of the whole graph', () => {
    const seen = { valid: 0, invalid: 0, separation: 0, types: 0, attributes: 0, hooks: 0, deletes: 0, cycles: 0 };
    fc.assert(
      fc.property(scenario, ({ valid, changes }) => {
        const before = snapshotOf(valid);
        const after = applyChanges(before, changes, revision(2));
        const whole = validate(recordsOf(after), options);
        const part = validateChanges(before, after, changes, { suggest });
        expect({ problems: part.problems.length > 0, told: part.problems }).toEqual({
          problems: whole.problems.length > 0,
          told: expect.anything(),
        });
        expect(part.omitted).toBe(0);
        for (const problem of part.problems) {
          const change = changes[problem.index] as Change;
          const [kind, key] =
            change.op === 'put' ? [change.record.kind, entityKey(change.record)] : [change.kind, change.key];
          expect([problem.kind, problem.key]).toEqual([kind, key]);
          if (change.op === 'delete') seen.deletes++;
          if (kind === 'hook') seen.hooks++;
          if (problem.message.startsWith('separation of duty')) seen.separation++;
          if (/ -> /.test(problem.message)) seen.cycles++;
          if (problem.message.startsWith('condition') || kind === 'attribute') seen.attributes++;
          else if (/is not declared|no longer fits|may not have a parent|has no action/.test(problem.message))
            seen.types++;
        }
        seen[part.problems.length > 0 ? 'invalid' : 'valid']++;
      }),
      { numRuns: runs },
    );
    console.log(`validation of changes: ${JSON.stringify(seen)}`);
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(0);
    expect(seen.valid, 'valid').toBeGreaterThan(runs / 10);
    expect(seen.invalid, 'invalid').toBeGreaterThan(runs / 10);
  });
});
