/**
 * Random graphs for administration, as an operator sets them up: somebody administers the whole, others parts of it,
 * and some are denied something. And the records that changes to them draw from.
 */
import fc from 'fast-check';
import type {
  BindingRecord,
  EntityRecord,
  HookGrant,
  ObjectRecord,
  ParentEdge,
  RoleRecord,
} from '../../src/model/entity.ts';
import type { PermissionInput } from '../../src/model/permission.ts';
import type { ScopeInput } from '../../src/model/scope.ts';
import { conditions, ends, groups, users } from './administration-universe.ts';
import { uniqueRecords, usually } from './arbitraries.ts';

type Sparse<T> = { [K in keyof T]: T[K] | undefined };
export function compact<T extends object>(sparse: Sparse<T>): T {
  return Object.fromEntries(Object.entries(sparse).filter(([, value]) => value !== undefined)) as T;
}
const absent = fc.constant(undefined);
export const oneOf = <T>(...values: readonly T[]) => fc.constantFrom<T[]>(...values);
export const seldom = <T>(value: fc.Arbitrary<T>) => usually<T | undefined>(absent, value);
export const weighted = <T>(...choices: readonly (readonly [number, fc.Arbitrary<T>])[]) =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** The roles that histories begin with; edits draw from their permissions. */
export const firstRoles: readonly RoleRecord[] = [
  { kind: 'role', name: 'admin', permissions: ['*'] },
  { kind: 'role', name: 'reader', permissions: ['doc:read'], grantAction: 'share' },
  { kind: 'role', name: 'writer', permissions: ['doc:write'], includes: ['reader'] },
  { kind: 'role', name: 'owner', permissions: ['*:*'], except: ['*:escalate', '*:impersonate'], grantAction: 'own' },
  { kind: 'role', name: 'sharer', permissions: ['doc:read', '*:share'], grantAction: 'own' },
  { kind: 'role', name: 'granter', permissions: ['*:grant', '*:deny', '*:share'] },
  { kind: 'role', name: 'keeper', permissions: ['group:manage_members', 'group:delete', 'group:update'] },
  { kind: 'role', name: 'builder', permissions: ['*:create', '*:move', { objects: 'folder:f', actions: ['delete'] }] },
  { kind: 'role', name: 'cleaner', permissions: ['*:delete', '*:move', '*:create', 'doc:read'] },
  { kind: 'role', name: 'modeller', permissions: ['*:manage_roles', '*:manage_policy'] },
  { kind: 'role', name: 'actor', permissions: ['*:impersonate'] },
  { kind: 'role', name: 'climber', permissions: ['*:escalate'] },
  { kind: 'role', name: 'standard', permissions: ['doc:read', 'doc:write'], system: true },
];
const roleNames = firstRoles.map(({ name }) => name);
export const permission = oneOf<PermissionInput>(
  ...[
    'doc:read',
    'doc:write',
    'doc:re*',
    '*:read',
    'doc:*',
    '*:grant',
    '*:own',
    '*:share',
    '*:deny',
    '*',
    'folder:create',
  ],
  ...['*:manage_members', '*:manage_roles', '*:escalate', '*:create', 'folder:move', '*:delete'],
  { objects: 'folder:f', actions: ['read', 'grant'] },
  { objects: { type: 'doc', regex: '[12]' }, actions: ['write'] },
);

const principal = weighted(
  [6, oneOf<string>(...users)],
  [4, oneOf<string>(...groups)],
  [1, oneOf('*', 'user:*', 'anonymous', 'group:new', 'user:new')],
);
const scope = weighted<ScopeInput>(
  [3, fc.constant('*')],
  [2, oneOf<ScopeInput>('doc:*', 'folder:*', 'group:*')],
  [8, oneOf<ScopeInput>('folder:f', 'folder:g', 'doc:1', 'doc:2', 'doc:3', 'group:ops', 'group:devs', 'user:bob')],
  [1, oneOf<ScopeInput>('doc:1*', { object: 'doc:1*' }, { type: 'doc', regex: '[12]' }, 'doc:nowhere', 'folder:new')],
);
export const expiresAt = usually<number | undefined>(absent, oneOf(...Object.values(ends)));

export const binding = fc
  .record({
    kind: fc.constant('binding' as const),
    subject: principal,
    role: oneOf(...roleNames, 'reader', 'reader', 'writer', 'owner', 'made'),
    scope,
    effect: usually<'deny' | undefined>(absent, fc.constant('deny')),
    name: seldom(fc.constant('n')),
    expiresAt,
    cascade: seldom(fc.constant(false as const)),
    condition: seldom(oneOf<string>(...conditions)),
    locked: fc.oneof({ weight: 12, arbitrary: absent }, { weight: 1, arbitrary: fc.constant(true as const) }),
  })
  .map((sparse) => {
    const isObject = typeof sparse.scope === 'string' ? !sparse.scope.includes('*') : 'object' in sparse.scope;
    return compact<BindingRecord>(isObject ? sparse : { ...sparse, cascade: undefined });
  });

/** What somebody who administers only parts would like to be rid of. */
const denial = fc
  .record({
    subject: oneOf(
      'user:bob',
      'user:bob',
      'group:all',
      'group:ops',
      'group:devs',
      'user:eve',
      'user:eve',
      'user:*',
      'group:ops',
      'group:devs',
      'service:ci',
    ),
    role: oneOf('reader', 'writer', 'granter', 'cleaner'),
    scope: oneOf<ScopeInput>('*', 'doc:*', 'folder:f', 'folder:f', 'folder:g', 'doc:1', 'doc:1', 'doc:2'),
    expiresAt,
  })
  .map((sparse) => compact<BindingRecord>({ kind: 'binding', ...sparse, effect: 'deny' }));

export const member = fc
  .record({ kind: fc.constant('member' as const), group: oneOf<string>(...groups), member: principal, expiresAt })
  .map((record) => compact<Extract<EntityRecord, { kind: 'member' }>>(record));

const edge = fc
  .record({ object: oneOf('folder:f', 'folder:g', 'folder:new'), inherit: seldom(fc.constant(false as const)) })
  .map((sparse) => compact<ParentEdge>(sparse));
export const parents = fc.oneof(
  { weight: 3, arbitrary: fc.array(edge, { maxLength: 1 }) },
  { weight: 2, arbitrary: fc.uniqueArray(edge, { minLength: 2, maxLength: 2, selector: ({ object }) => object }) },
);
export const objectNamed = (object: string, above: readonly ParentEdge[]): ObjectRecord =>
  above.length === 0 ? { kind: 'object', object } : { kind: 'object', object, parents: above };

const hookGrant = oneOf<HookGrant>(
  { role: 'owner', subject: 'creator' },
  { role: 'keeper', subject: 'creator' },
  { role: 'reader', subject: 'group:devs', locked: true },
  { role: 'builder', subject: 'created', scope: '*' },
  { role: 'admin', subject: 'creator', scope: 'folder:f' },
  { group: 'group:all', member: 'created' },
  { group: 'group:ops', member: 'creator' },
  { group: 'group:all', member: 'creator' },
);
export const hook = fc.record({
  kind: fc.constant('hook' as const),
  type: oneOf('doc', 'folder', 'group', 'user'),
  grants: fc.uniqueArray(hookGrant, { maxLength: 2, selector: (grant) => JSON.stringify(grant) }),
});
export const constraint = fc.record({
  kind: fc.constant('constraint' as const),
  name: oneOf('c1', 'c2'),
  roles: oneOf(['writer', 'granter'], ['builder', 'keeper'], ['actor', 'climber', 'modeller']),
});
const includes = usually(absent, fc.uniqueArray(oneOf('reader', 'writer', 'granter', 'climber'), { maxLength: 2 }));
export const role = fc
  .record({
    kind: fc.constant('role' as const),
    name: oneOf('made', 'made', ...roleNames),
    permissions: fc.uniqueArray(permission, { maxLength: 3, selector: (input) => JSON.stringify(input) }),
    except: seldom(oneOf(['doc:write'], ['*:grant'], ['*:escalate'])),
    includes: includes.map((names) => (names?.length === 0 ? undefined : names)),
    grantAction: seldom(oneOf('share', 'own')),
    system: fc.oneof({ weight: 12, arbitrary: absent }, { weight: 1, arbitrary: fc.constant(true as const) }),
  })
  .map((sparse) => compact<RoleRecord>(sparse));

/** The graph that an operator sets up: mostly, ann administers and the others have something. */
export const firstGraph: fc.Arbitrary<readonly EntityRecord[]> = fc
  .tuple(
    fc.array(member, { maxLength: 5 }),
    fc.tuple(parents, parents, parents).map(([one, two, three]) => [
      objectNamed('folder:f', []),
      objectNamed(
        'folder:g',
        one.filter(({ object }) => object === 'folder:f'),
      ),
      objectNamed(
        'doc:1',
        two.filter(({ object }) => object !== 'folder:new'),
      ),
      objectNamed(
        'doc:2',
        three.filter(({ object }) => object !== 'folder:new'),
      ),
      objectNamed('doc:3', []),
      objectNamed('user:bob', []),
    ]),
    fc.array(
      binding.filter(({ role: name }) => name !== 'made'),
      { minLength: 3, maxLength: 14, size: 'max' },
    ),
    fc.subarray<BindingRecord>(
      [
        { kind: 'binding', subject: 'user:ann', role: 'admin', scope: '*' },
        { kind: 'binding', subject: 'user:bob', role: 'owner', scope: 'folder:f' },
        { kind: 'binding', subject: 'group:ops', role: 'owner', scope: '*' },
        { kind: 'binding', subject: 'user:eve', role: 'owner', scope: 'doc:*' },
        { kind: 'binding', subject: 'user:eve', role: 'modeller', scope: '*' },
        { kind: 'binding', subject: 'service:ci', role: 'builder', scope: '*' },
        { kind: 'binding', subject: 'user:bob', role: 'keeper', scope: '*' },
        { kind: 'binding', subject: 'user:bob', role: 'cleaner', scope: '*' },
        { kind: 'binding', subject: 'user:eve', role: 'reader', scope: '*' },
        { kind: 'binding', subject: 'user:eve', role: 'granter', scope: '*' },
      ],
      { minLength: 5 },
    ),
    fc.array(denial, { maxLength: 3 }),
    fc.array(hook, { maxLength: 3 }),
    fc.array(constraint, { maxLength: 1 }),
    // A group may have members and no record.
    usually<EntityRecord[]>(fc.constant([{ kind: 'group', group: 'group:all' }]), fc.constant([])),
  )
  .map(([members, objects, bindings, powers, denials, hooks, constraints, perhaps]) =>
    uniqueRecords([
      ...firstRoles,
      { kind: 'group', group: 'group:ops' } as const,
      { kind: 'group', group: 'group:devs' } as const,
      ...perhaps,
      // Memberships of groups go one way here; edits may try the other, and are refused.
      ...members.filter((one) => !one.member.startsWith('group:') || one.member < one.group),
      ...objects,
      ...bindings,
      ...powers,
      ...denials,
      ...hooks,
      ...constraints,
    ]),
  );
