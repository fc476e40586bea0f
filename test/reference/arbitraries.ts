/**
 * Random graphs and histories for fast-check: few names, so that
 * most records meet, and among them the names that have hurt others (separators,
 * JSON, stars, `__proto__`). Everything that is generated is legal to the
 * model; cycles and undefined names are legal here on purpose.
 */
import fc from 'fast-check';
import type { Change } from '../../src/model/change.ts';
import {
  type BindingRecord,
  type EntityKind,
  type EntityRecord,
  entityKey,
  type HookGrant,
  type Mode,
} from '../../src/model/entity.ts';
import type { PermissionInput } from '../../src/model/permission.ts';
import type { ScopeInput } from '../../src/model/scope.ts';
import { attribute } from './attributes.ts';
import { conditionTexts } from './conditions.ts';

/** The time at which everything generated here is asked; expiries lie just around it. */
export const now = 1_780_000_000_000;

export const users = ['user:a', 'service:a', 'user:x:/ #@{"é'] as const;
export const groups = ['group:g1', 'group:["g","h"]', 'group:__proto__'] as const;
const wildcards = ['*', 'user:*', 'service:*', 'group:*', 'anonymous:*'] as const;
export const roles = ['r1', '__proto__', 'r:/ "*'] as const;
export const objects = ['doc:a*b', 'doc:a/b:c #@{"é', 'folder:__proto__', 'group:g1', 'constructor:1'] as const;
export const literalActions = ['read', 'read', 'Get:x', 'constructor'] as const;
export const objectTypes = ['doc', 'folder', 'group', 'constructor'] as const;
const patternScopes: readonly ScopeInput[] = [
  'doc:a*',
  'doc:*b*',
  'folder:*',
  'folder:__*__',
  { type: 'doc', regex: '[*-z]|a.b' },
  { type: 'doc', regex: 'a(/|x)b.*' },
  { type: 'folder', regex: '_*proto_*|x' },
];

/** Mostly the first. */
export const usually = <T>(often: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: often, weight: 5 }, { arbitrary: seldom, weight: 1 });

/** An object without the members that are undefined: records never hold those. */
type Sparse<T> = { [K in keyof T]: T[K] | undefined };
function compact<T extends object>(sparse: Sparse<T>): T {
  return Object.fromEntries(Object.entries(sparse).filter(([, value]) => value !== undefined)) as T;
}

const absent = fc.constant(undefined);
const expiry = usually<number | undefined>(absent, fc.constantFrom(now - 1, now, now + 1));
const principal = fc.oneof(
  { arbitrary: fc.constantFrom<string[]>(...users), weight: 4 },
  { arbitrary: fc.constantFrom<string[]>(...groups), weight: 4 },
  { arbitrary: fc.constantFrom<string[]>(...wildcards), weight: 2 },
  { arbitrary: fc.constant('anonymous'), weight: 1 },
);

/** Any scope, in its shortest form. */
export const scope: fc.Arbitrary<ScopeInput> = fc.oneof(
  { arbitrary: fc.constantFrom<ScopeInput[]>('*', 'doc:*'), weight: 3 },
  {
    arbitrary: fc.constantFrom(...objects).map((object) => (object.includes('*') ? { object } : object)),
    weight: 6,
  },
  { arbitrary: fc.constantFrom(...patternScopes), weight: 3 },
);

const action = fc.oneof(
  { arbitrary: fc.constantFrom<string[]>(...literalActions), weight: 5 },
  { arbitrary: fc.constantFrom('*', 're*', '*e*', '*t*'), weight: 3 },
);
const shortPermission = fc.oneof(
  {
    arbitrary: fc
      .tuple(fc.constantFrom('doc', 'doc', 'folder', '*', '*', '*o*', '*o*er', 'group', 'con*'), action)
      .map((parts) => parts.join(':')),
    weight: 8,
  },
  { arbitrary: fc.constant('*'), weight: 1 },
);
const permission: fc.Arbitrary<PermissionInput> = fc.oneof(
  { arbitrary: shortPermission as fc.Arbitrary<PermissionInput>, weight: 3 },
  { arbitrary: fc.record({ objects: scope, actions: fc.array(action, { minLength: 1, maxLength: 2 }) }), weight: 2 },
);

/** Any number up to the most, the large ones as often as the small ones. */
const severalOf = <T>(arbitrary: fc.Arbitrary<T>, maxLength: number) => fc.array(arbitrary, { maxLength, size: 'max' });
const someOf = <T>(arbitrary: fc.Arbitrary<T>, maxLength: number) =>
  fc.oneof(absent, fc.uniqueArray(arbitrary, { minLength: 1, maxLength }));

const role: fc.Arbitrary<EntityRecord> = fc
  .record({
    kind: fc.constant('role' as const),
    name: fc.constantFrom<string[]>(...roles),
    description: usually<string | undefined>(absent, fc.constant('words')),
    permissions: severalOf(permission, 6),
    except: usually<string[] | undefined>(absent, fc.array(shortPermission, { minLength: 1, maxLength: 2 })),
    includes: someOf(fc.constantFrom<string[]>(...roles, 'undefined role'), 2),
  })
  .map((record) => compact(record));

const member: fc.Arbitrary<EntityRecord> = fc
  .record({
    kind: fc.constant('member' as const),
    group: fc.constantFrom<string[]>(...groups),
    member: principal,
    expiresAt: expiry,
  })
  .map((record) => compact(record));

const object: fc.Arbitrary<EntityRecord> = fc
  .record({
    kind: fc.constant('object' as const),
    object: fc.constantFrom<string[]>(...objects),
    parents: fc.oneof(
      absent,
      fc.uniqueArray(
        fc
          .record({
            object: fc.constantFrom<string[]>(...objects, 'folder:unregistered'),
            inherit: usually<false | undefined>(absent, fc.constant(false)),
          })
          .map((edge) => compact<{ object: string; inherit?: false }>(edge)),
        { minLength: 1, maxLength: 3, selector: (edge) => edge.object },
      ),
    ),
  })
  .map((record) => compact(record));

const binding: fc.Arbitrary<EntityRecord> = fc
  .record({
    kind: fc.constant('binding' as const),
    subject: principal,
    role: fc.constantFrom<string[]>(...roles, ...roles, 'undefined role'),
    scope,
    effect: usually<'deny' | undefined>(absent, fc.constant('deny')),
    name: usually<string | undefined>(absent, fc.constantFrom('n', 'm')),
    expiresAt: expiry,
    cascade: usually<false | undefined>(absent, fc.constant(false)),
    condition: usually<string | undefined>(absent, fc.constantFrom(...conditionTexts)),
    locked: usually<true | undefined>(absent, fc.constant(true)),
    note: usually<string | undefined>(absent, fc.constant('words')),
  })
  .map((record) => {
    const isObject = typeof record.scope === 'string' ? !record.scope.includes('*') : 'object' in record.scope;
    return compact<BindingRecord>(isObject ? record : { ...record, cascade: undefined });
  });

const type: fc.Arbitrary<EntityRecord> = fc
  .record({
    kind: fc.constant('type' as const),
    name: fc.constantFrom<string[]>(...objectTypes),
    description: usually<string | undefined>(absent, fc.constant('words')),
    actions: someOf(fc.constantFrom<string[]>(...literalActions, 'declared'), 3),
  })
  .map((record) => compact(record));

const group: fc.Arbitrary<EntityRecord> = fc
  .record({
    kind: fc.constant('group' as const),
    group: fc.constantFrom<string[]>(...groups),
    description: fc.constant('words'),
  })
  .map((record) => compact(record));

const constraint: fc.Arbitrary<EntityRecord> = fc
  .record({
    kind: fc.constant('constraint' as const),
    name: fc.constantFrom('c1', '__proto__', 'C:/ "*'),
    description: usually<string | undefined>(absent, fc.constant('words')),
    roles: fc.uniqueArray(fc.constantFrom<string[]>(...roles, 'undefined role'), { minLength: 2, maxLength: 4 }),
    cardinality: usually<number | undefined>(absent, fc.constantFrom(3, 9)),
    dynamic: fc.constantFrom(true as const, undefined),
  })
  .map((record) => compact(record));

const settings: fc.Arbitrary<EntityRecord> = fc.record({
  kind: fc.constant('settings' as const),
  mode: fc.constantFrom<Mode[]>('enforce', 'shadow', 'off'),
});

const hookSubject = usually<string>(fc.constantFrom('creator', 'created'), principal);

const hook: fc.Arbitrary<EntityRecord> = fc
  .record({
    type: fc.constantFrom<string[]>(...objectTypes, 'user'),
    bindings: severalOf(
      fc.record({
        role: fc.constantFrom<string[]>(...roles, 'undefined role'),
        subject: hookSubject,
        scope: fc.oneof(absent, scope),
        locked: usually<true | undefined>(absent, fc.constant(true)),
      }),
      2,
    ),
    members: severalOf(
      fc.record({ group: fc.constantFrom<string[]>(...groups), member: hookSubject }) as fc.Arbitrary<HookGrant>,
      1,
    ),
  })
  .map(({ type, bindings, members }) => {
    return { kind: 'hook', type, grants: [...bindings.map((grant) => compact<HookGrant>(grant)), ...members] };
  });

/** One record of any kind. */
export const anyRecord: fc.Arbitrary<EntityRecord> = fc.oneof(
  { arbitrary: binding, weight: 5 },
  { arbitrary: member, weight: 4 },
  { arbitrary: role, weight: 3 },
  { arbitrary: object, weight: 3 },
  { arbitrary: constraint, weight: 2 },
  hook,
  type,
  attribute,
  group,
  settings,
);

/** The records of a graph, each identity once. */
export const graph: fc.Arbitrary<readonly EntityRecord[]> = fc
  .tuple(
    severalOf(role, 8),
    severalOf(member, 12),
    severalOf(object, 8),
    severalOf(binding, 24),
    fc.array(fc.oneof(type, group, hook), { maxLength: 2 }),
    fc.array(constraint, { maxLength: 2 }),
    fc.array(attribute, { maxLength: 2 }),
    usually<EntityRecord[]>(
      fc.constant([]),
      settings.map((record) => [record]),
    ),
  )
  .map((parts) => uniqueRecords(parts.flat()));

/** The last record of each identity, as puts in this order would leave them. */
export function uniqueRecords(records: readonly EntityRecord[]): readonly EntityRecord[] {
  return applyPlainly(
    [],
    records.map((record) => ({ op: 'put', record })),
  );
}

/** The records that are left when the changes were made in order. */
export function applyPlainly(records: readonly EntityRecord[], changes: readonly Change[]): readonly EntityRecord[] {
  const byIdentity = new Map(records.map((record) => [identity(record.kind, entityKey(record)), record]));
  for (const change of changes) {
    if (change.op === 'put') byIdentity.set(identity(change.record.kind, entityKey(change.record)), change.record);
    else byIdentity.delete(identity(change.kind, change.key));
  }
  return [...byIdentity.values()];
}

function identity(kind: EntityKind, key: string): string {
  return JSON.stringify([kind, key]);
}

/** Change sets to apply one after the other to an empty graph: a whole graph, then small edits that hit it. */
export const history: fc.Arbitrary<readonly (readonly Change[])[]> = fc
  .tuple(
    graph,
    fc.array(fc.oneof(role, member, object, binding, type, attribute, group, hook, constraint, settings), {
      maxLength: 10,
    }),
    fc.array(fc.array(fc.record({ put: fc.boolean(), pick: fc.nat() }), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([first, others, edits]) => {
    const pool = [...first, ...others];
    const later = edits.map((edit) =>
      pool.length === 0 ? [] : edit.map(({ put, pick }) => toChange(pool[pick % pool.length] as EntityRecord, put)),
    );
    return [first.map((record) => toChange(record, true)), ...later];
  });

export function toChange(record: EntityRecord, put: boolean): Change {
  return put ? { op: 'put', record } : { op: 'delete', kind: record.kind, key: entityKey(record) };
}
