/**
 * Random histories of administration for fast-check. What a step does is drawn beforehand and independent of how the
 * steps before it went, so that a history shrinks; picks of what is there (by number) are looked up when it is made.
 */
import fc from 'fast-check';
import type { RequestedChange } from '../../src/admin/api.ts';
import { type BindingRecord, type EntityRecord, entityKey, type RoleRecord } from '../../src/model/entity.ts';
import {
  binding,
  compact,
  constraint,
  expiresAt,
  hook,
  member,
  objectNamed,
  oneOf,
  parents,
  permission,
  role,
  seldom,
  weighted,
} from './administration-graphs.ts';
import { groups, newNames, users } from './administration-universe.ts';

/** What one step does to the graph that it finds, for its caller. */
export type Deed = (records: readonly EntityRecord[], caller: string) => readonly RequestedChange[];

export interface PlannedCommit {
  readonly caller: string;
  /** Empty: nobody else. */
  readonly onBehalfOf: string;
  /** Milliseconds that pass before. */
  readonly waitMs: number;
  readonly deeds: readonly Deed[];
}

const put = (record: EntityRecord): RequestedChange => ({ op: 'put', record });
const remove = (record: EntityRecord): RequestedChange => ({ op: 'delete', kind: record.kind, key: entityKey(record) });
const always =
  (change: RequestedChange): Deed =>
  () => [change];

/** A change to some record of a kind, if there is any. */
function onSome<K extends EntityRecord['kind']>(
  kind: K,
  pick: number,
  change: (record: Extract<EntityRecord, { kind: K }>) => RequestedChange,
): Deed {
  return (records) => {
    const ofKind = records.filter((record): record is Extract<EntityRecord, { kind: K }> => record.kind === kind);
    const picked = ofKind[pick % Math.max(ofKind.length, 1)];
    return picked === undefined ? [] : [change(picked)];
  };
}

/** The caller gives up something: a membership, a binding, or what denies him something. */
const leave =
  (pick: number): Deed =>
  (records, caller) => {
    const own = records.filter(
      (record) =>
        (record.kind === 'member' && record.member === caller) ||
        (record.kind === 'binding' && record.subject === caller),
    );
    const picked = own[pick % Math.max(own.length, 1)];
    return picked === undefined ? [] : [remove(picked)];
  };

const anyPick = fc.nat({ max: 999 });
const bindingEdit = fc
  .record({ expiresAt, cascade: seldom(fc.constant(false as const)), without: oneOf('', '', 'locked', 'condition') })
  .map(({ without, ...edit }) => ({ cascade: _, expiresAt: __, ...record }: BindingRecord) => {
    const isObject = typeof record.scope === 'string' ? !record.scope.includes('*') : 'object' in record.scope;
    const edited = { ...record, ...edit, cascade: isObject ? edit.cascade : undefined };
    return put(compact<BindingRecord>(without === '' ? edited : { ...edited, [without]: undefined }));
  });
const roleEdit = fc.tuple(permission, fc.boolean()).map(([one, adds]) => (record: RoleRecord) => {
  const rest = record.permissions.filter((other) => JSON.stringify(other) !== JSON.stringify(one));
  return put({ ...record, permissions: adds ? [...rest, one] : record.permissions.slice(1) });
});
const removable = oneOf(
  ...newNames,
  'doc:1',
  'doc:1',
  'doc:2',
  'doc:2',
  'folder:g',
  'group:ops',
  'group:devs',
  'group:all',
  'user:bob',
);

export const deed: fc.Arbitrary<Deed> = weighted<Deed>(
  [10, binding.map((record) => always(put(record)))],
  [4, fc.tuple(anyPick, bindingEdit).map(([pick, edit]) => onSome('binding', pick, edit))],
  [6, anyPick.map((pick) => onSome('binding', pick, remove))],
  [5, anyPick.map(leave)],
  [6, member.map((record) => always(put(record)))],
  [5, anyPick.map((pick) => onSome('member', pick, remove))],
  [
    8,
    fc
      .tuple(oneOf<string>(...newNames, 'group:all'), parents)
      .map(([object, above]) => always({ op: 'create', object, parents: above })),
  ],
  [6, removable.map((object) => always({ op: 'remove', object }))],
  [
    6,
    fc
      .tuple(anyPick, parents)
      .map(([pick, above]) => onSome('object', pick, ({ object }) => put(objectNamed(object, above)))),
  ],
  [1, fc.tuple(oneOf<string>(...newNames), parents).map(([object, above]) => always(put(objectNamed(object, above))))],
  [1, anyPick.map((pick) => onSome('object', pick, remove))],
  [5, role.map((record) => always(put(record)))],
  [3, fc.tuple(anyPick, roleEdit).map(([pick, edit]) => onSome('role', pick, edit))],
  [1, anyPick.map((pick) => onSome('role', pick, remove))],
  [
    2,
    fc
      .tuple(oneOf<string>(...groups), oneOf('one', 'two'))
      .map(([group, description]) => always(put({ kind: 'group', group, description }))),
  ],
  [3, hook.map((record) => always(put(record)))],
  [1, anyPick.map((pick) => onSome('hook', pick, remove))],
  [2, constraint.map((record) => always(put(record)))],
  [1, anyPick.map((pick) => onSome('constraint', pick, remove))],
  [1, oneOf('enforce' as const, 'shadow' as const).map((mode) => always(put({ kind: 'settings', mode })))],
  [1, oneOf(['read', 'write'], undefined).map(() => always(put({ kind: 'type', name: 'doc', description: 'words' })))],
);

export const plannedCommit: fc.Arbitrary<PlannedCommit> = fc.record({
  caller: weighted(
    [4, fc.constant('user:ann')],
    [4, fc.constant('user:bob')],
    [3, fc.constant('user:eve')],
    [1, oneOf('service:ci', 'user:zoe')],
  ),
  onBehalfOf: fc.oneof({ weight: 15, arbitrary: fc.constant('') }, { weight: 1, arbitrary: oneOf<string>(...users) }),
  waitMs: fc.oneof({ weight: 15, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1000) }),
  deeds: weighted(
    [6, fc.array(deed, { minLength: 1, maxLength: 1 })],
    [3, fc.array(deed, { minLength: 2, maxLength: 2 })],
    [1, fc.array(deed, { minLength: 3, maxLength: 4 })],
  ),
});
