/**
 * The first half of every row of "who may change what": the action that the caller must have had, by the plain
 * evaluator on the records before. Who gains by the change is judged elsewhere (administration-gains.ts). Only
 * necessary conditions are stated: an administration may well refuse more.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RequestedChange } from '../../src/admin/api.ts';
import type { BindingRecord, EntityRecord, HookGrant, HookRecord, ObjectRecord } from '../../src/model/entity.ts';
import { parseScope } from '../../src/model/scope.ts';
import {
  belongsTo,
  createdNames,
  createdObjects,
  type Difference,
  differencesBetween,
  hookResults,
  put,
  removedNames,
  type Step,
  withCreated,
} from './administration-step.ts';
import { may } from './administration-table.ts';
import { objects } from './administration-universe.ts';
import { scopeReaches } from './evaluator.ts';

/** What the caller changed without the action that this takes, in words. */
export function unmetNeeds(step: Step): readonly string[] {
  const base = withCreated(step);
  const can = (action: string, object: string) => may(base, step.acting, action, object, step.now);
  const problems: string[] = [];
  const need = (met: boolean, what: string) => {
    if (!met) problems.push(what);
  };
  if (step.acting !== step.caller) {
    need(may(step.before, step.caller, 'impersonate', '', step.now), `${step.caller} may not impersonate`);
  }
  const made = hookResults(step);
  const removed = removedNames(step);
  // What is created and removed at once was never there.
  const lasting = removed.filter((name) => !step.requested.some((change) => isCreationOf(change, name)));
  for (const name of lasting) need(can('delete', name), `removed ${name} without delete`);
  for (const difference of differencesBetween(step.before, step.after)) {
    const record = (difference.after ?? difference.before) as EntityRecord;
    if (difference.after !== undefined && made.some((result) => isDeepStrictEqual(result, difference.after))) continue;
    if (difference.after === undefined && removed.some((name) => belongsTo(record, name))) continue;
    needOf(step, difference, base, can, need);
  }
  return problems;
}

type Can = (action: string, object: string) => boolean;
type Need = (met: boolean, what: string) => void;

function needOf(step: Step, difference: Difference, base: readonly EntityRecord[], can: Can, need: Need): void {
  const { kind, key, before, after } = difference;
  const record = (after ?? before) as EntityRecord;
  switch (record.kind) {
    case 'binding': {
      const leaves = record.subject === step.acting && record.effect !== 'deny' && onlyEnds(before, after);
      const action = record.effect === 'deny' ? 'deny' : grantActionOf(step, record.role);
      // Who may deny on the tenant may mend what is denied below it, also where that is denied to him.
      const above = action === 'deny' && can(action, '');
      need(leaves || above || mayOn(base, can, action, record), `${kind} ${key} without ${action}`);
      break;
    }
    case 'role':
      need(can('manage_roles', ''), `role ${key} without manage_roles`);
      break;
    case 'member':
      need(
        can('manage_members', record.group) || (record.member === step.acting && onlyEnds(before, after)),
        `member ${key} without manage_members`,
      );
      break;
    case 'group':
      if (createdNames(step).includes(record.group)) need(mayCreate(step, record.group), `created ${key}`);
      else need(can(after === undefined ? 'delete' : 'update', record.group), `group ${key} without update or delete`);
      break;
    case 'object':
      needOfObject(step, before as ObjectRecord | undefined, after as ObjectRecord | undefined, can, need);
      break;
    case 'hook':
      need(can('manage_policy', ''), `hook ${key} without manage_policy`);
      for (const role of newHookRoles(before as HookRecord | undefined, after as HookRecord | undefined)) {
        const action = grantActionOf(step, role);
        need(can(action, ''), `hook ${key} binds ${role} without ${action}`);
      }
      for (const group of newHookGroups(before as HookRecord | undefined, after as HookRecord | undefined)) {
        const manages = group !== 'created' && (can('manage_members', group) || can('escalate', ''));
        need(manages || group === 'created', `hook ${key} puts members into ${group} without manage_members there`);
      }
      break;
    case 'settings':
      need(can('manage_policy', ''), 'settings without manage_policy');
      need(after === undefined || record.mode === 'enforce' || can('escalate', ''), `mode without escalate`);
      break;
    default:
      need(can('manage_policy', ''), `${kind} ${key} without manage_policy`);
  }
}

/** Whether a record goes, at once or some day that is sooner than before; nothing else of it changes. */
function onlyEnds(before: EntityRecord | undefined, after: EntityRecord | undefined): boolean {
  if (before === undefined || after === undefined) return after === undefined;
  if (!('expiresAt' in after) || after.expiresAt === undefined) return false;
  const { expiresAt: end = Number.POSITIVE_INFINITY, ...rest } = before as { readonly expiresAt?: number };
  const { expiresAt: sooner, ...same } = after;
  return sooner < end && isDeepStrictEqual(rest, same);
}

function needOfObject(
  step: Step,
  before: ObjectRecord | undefined,
  after: ObjectRecord | undefined,
  can: Can,
  need: Need,
): void {
  const name = (after ?? before)?.object as string;
  if (after === undefined) {
    need(can('delete', name), `deleted ${name} without delete`);
    return;
  }
  const created = createdObjects(step).find((record) => record.object === name);
  if (created !== undefined) {
    need(mayCreate(step, name), `created ${name} without create`);
    if (isDeepStrictEqual(created, after)) return;
  }
  need(can('move', name), `moved ${name} without move`);
  const from = created ?? before;
  for (const edge of after.parents ?? []) {
    if (from?.parents?.some((old) => isDeepStrictEqual(old, edge)) === true) continue;
    const placed = put(withCreated(step), [{ kind: 'object', object: name, parents: [{ object: edge.object }] }]);
    need(may(placed, step.acting, 'create', name, step.now), `moved ${name} under ${edge.object} without create`);
  }
}

/** Asked with the new object in its place, under each of its parents alone. */
function mayCreate(step: Step, name: string): boolean {
  const record = createdObjects(step).find((created) => created.object === name);
  const earlier = step.requested.slice(
    0,
    step.requested.findIndex((change) => isCreationOf(change, name)),
  );
  const base = put(put(step.before, createdObjects(step)), hookResults(step, earlier));
  // Whether it will inherit is not asked: who may create under a parent may create what does not.
  const places = record?.parents?.map(({ object }) => [{ object }]) ?? [[]];
  return places.every((parents) =>
    may(put(base, [{ kind: 'object', object: name, parents }]), step.acting, 'create', name, step.now),
  );
}

function isCreationOf(change: RequestedChange, name: string): boolean {
  return change.op === 'create' && change.object === name;
}

/**
 * Whether an action is allowed where the binding reaches, as far as the universe knows. On many objects a denial of
 * some does not take it away, so it is looked for on one that nothing is about, where there is one.
 */
function mayOn(base: readonly EntityRecord[], can: Can, action: string, binding: BindingRecord): boolean {
  const scope = parseScope(binding.scope);
  if (scope.kind === 'tenant') return can(action, '');
  if (scope.kind === 'object') return can(action, scope.object);
  const reached = objects.filter((object) => scopeReaches(base, scope, object, true));
  const plain = reached.filter((object) => !base.some((record) => isOn(record, object)));
  return (plain.length > 0 ? plain : reached).some((object) => can(action, object));
}

function isOn(record: EntityRecord, object: string): boolean {
  if (record.kind === 'object') return record.object === object;
  return record.kind === 'binding' && record.scope === object;
}

function grantActionOf(step: Step, name: string): string {
  const roleIn = (records: readonly EntityRecord[]) =>
    records.find((record) => record.kind === 'role' && record.name === name);
  const role = roleIn(step.before) ?? roleIn(step.after);
  return role?.kind === 'role' ? (role.grantAction ?? 'grant') : 'grant';
}

function newGrants(before: HookRecord | undefined, after: HookRecord | undefined): readonly HookGrant[] {
  return (after?.grants ?? []).filter((grant) => !before?.grants.some((old) => isDeepStrictEqual(old, grant)));
}

function newHookGroups(before: HookRecord | undefined, after: HookRecord | undefined): readonly string[] {
  return newGrants(before, after).flatMap((grant) => ('group' in grant ? [grant.group] : []));
}

function newHookRoles(before: HookRecord | undefined, after: HookRecord | undefined): readonly string[] {
  return newGrants(before, after).flatMap((grant) => ('role' in grant ? [grant.role] : []));
}
