/**
 * The first judgement of a change set: does the caller have the action that each change takes? Nothing of what it
 * would lead to is looked at, or compiled: who may not even try learns nothing else. Called by plan.ts.
 */

import { mayOnNew } from '../engine/decide-new.ts';
import { chunksOf } from '../graph/chunked.ts';
import { at } from '../graph/paged.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type {
  BindingRecord,
  GroupRecord,
  HookMember,
  HookRecord,
  MemberRecord,
  ObjectRecord,
  RoleRecord,
} from '../model/entity.ts';
import { isHookSubject, quote } from '../model/names.ts';
import { parseScope } from '../model/scope.ts';
import { isUsed } from './expand.ts';
import { type Case, placeOf, recordsOfStep, refuse, roleRecord, type Step, subjectOf } from './steps.ts';

const onTenant = 'on the tenant';

/** Reports every step that the caller may not take. Creations were judged when they were made, see mayCreate. */
export function checkGates(judged: Case): void {
  for (const step of judged.steps) {
    if (step.origin === 'asked') checkStep(judged, step);
    else if (step.origin === 'removal') checkLocked(judged, step);
  }
}

/** Whether a subject may create an object below each of its parents. @throws PosternError CONDITION_FAILED */
export function mayCreate(
  snapshot: Snapshot,
  subject: string,
  object: string,
  parents: readonly string[],
  nowMs: number,
): boolean {
  const below = parents.length === 0 ? [''] : parents;
  return below.every((parent) => mayOnNew(snapshot, subject, 'create', object, parent, nowMs));
}

function checkStep(judged: Case, step: Step): void {
  const record = subjectOf(step);
  switch (record.kind) {
    case 'binding':
      checkBinding(judged, step, record);
      return;
    case 'member':
      checkMember(judged, step, record);
      return;
    case 'role':
      checkRole(judged, step, record);
      return;
    case 'object':
      checkObject(judged, step, record);
      return;
    case 'group':
      checkGroup(judged, step, record);
      return;
    case 'hook':
      checkPolicy(judged, step, `change the hook of type ${quote(record.type)}`);
      checkHook(judged, step, step.change.op === 'put' ? record : undefined);
      return;
    case 'settings':
      checkPolicy(judged, step, 'change the mode');
      return;
    default:
      checkPolicy(judged, step, `change ${record.kind} ${quote(record.name)}`);
      return;
  }
}

function checkPolicy(judged: Case, { index }: Step, doing: string): void {
  if (!judged.holdings.may('manage_policy', '')) refuse(judged, index, doing, 'manage_policy', onTenant);
}

function checkBinding(judged: Case, step: Step, record: BindingRecord): void {
  const { holdings, report } = judged;
  const { role, subject, effect } = record;
  const { before } = step.change;
  const scope = parseScope(record.scope);
  const isLeaving = step.change.op === 'delete' && effect !== 'deny' && subject === holdings.subject;
  const known = roleRecord(judged, role);
  const action = effect === 'deny' ? 'deny' : (known?.grantAction ?? 'grant');
  // Who may deny on the tenant may mend any denial below it, one that shuts him out there as well.
  const mayHere = holdings.mayOn(action, scope) || (effect === 'deny' && holdings.may(action, ''));
  if (!isLeaving && !mayHere) {
    const doing = `${effect === 'deny' ? 'deny, or lift a denial of,' : 'bind or revoke'} role ${quote(role)} ${placeOf(scope)}`;
    refuse(
      judged,
      step.index,
      known === undefined ? `${doing} (no such role is known)` : doing,
      action,
      placeOf(scope),
    );
    return;
  }
  const what = `the binding of role ${quote(role)} to ${subject}`;
  if (before?.kind === 'binding' && before.locked === true) {
    report(step.index, `${what} is locked: only an operator may change it`);
  } else if (record.locked === true) report(step.index, `only an operator may lock ${what}`);
}

function checkMember(judged: Case, step: Step, { group, member }: MemberRecord): void {
  const { holdings, report } = judged;
  const leaves = isShorter(step) && holdings.isPrincipal(member);
  if (leaves && step.change.before !== undefined && bringsDenials(judged.start, group)) {
    report(step.index, `${holdings.subject} is denied something by ${group}: somebody else has to take ${member} out`);
    return;
  }
  if (!(leaves && member === holdings.subject) && !holdings.may('manage_members', group)) {
    refuse(judged, step.index, `change who is in ${group}`, 'manage_members', `on ${group}`);
  } else if (step.change.op === 'put' && !isUsed(holdings.snapshot, group)) reportMissing(judged, step, group);
}

/** Whoever may change something is told that it is not there; a put is no way to make it. */
function reportMissing(judged: Case, { index }: Step, name: string): void {
  judged.reportMissing(index, `${name} is not there; create it first, or in the same change set`);
}

/** Whether a membership ends by a step, or sooner than it would. */
function isShorter({ change }: Step): boolean {
  if (change.op === 'delete') return true;
  const before = change.before as MemberRecord | undefined;
  const { expiresAt } = change.record as MemberRecord;
  return before !== undefined && expiresAt !== undefined && (before.expiresAt ?? Number.POSITIVE_INFINITY) > expiresAt;
}

/** Whether members of a group are denied something by it, or by a group that it is in. */
export function bringsDenials(snapshot: Snapshot, group: string): boolean {
  const groups = new Set([snapshot.names.findNode(group)]);
  // A set may grow while it is walked: what is added is visited too.
  for (const node of groups) {
    for (const chunk of chunksOf(at(snapshot.bindingsOf, node))) if (chunk.some(({ deny }) => deny)) return true;
    for (const edge of at(snapshot.groupsOf, node) ?? []) groups.add(edge.node);
  }
  return false;
}

function checkRole(judged: Case, step: Step, record: RoleRecord): void {
  const { before } = step.change;
  if (!judged.holdings.may('manage_roles', '')) {
    refuse(judged, step.index, `change role ${quote(record.name)}`, 'manage_roles', onTenant);
  } else if (record.system === true || (before?.kind === 'role' && before.system === true)) {
    const what = `role ${quote(record.name)} is shipped with the software`;
    judged.report(step.index, `${what}: only an operator may change it; make a role of your own that includes it`);
  }
}

function checkObject(judged: Case, step: Step, record: ObjectRecord): void {
  const { holdings } = judged;
  const { object } = record;
  const { before, after } = recordsOfStep(step);
  const action = after === undefined ? 'delete' : 'move';
  if (!holdings.may(action, object)) refuse(judged, step.index, `${action} ${object}`, action, `on ${object}`);
  else if (after === undefined) refuseBareDelete(judged, step, object);
  else if (before === undefined) reportMissing(judged, step, object);
  else checkParents(judged, step, before as ObjectRecord, record);
}

function checkParents(judged: Case, step: Step, before: ObjectRecord, { object, parents = [] }: ObjectRecord): void {
  const { holdings } = judged;
  const old = new Set(before.parents?.map((edge) => JSON.stringify(edge)));
  for (const edge of parents) {
    if (old.has(JSON.stringify(edge))) continue;
    if (mayCreate(holdings.snapshot, holdings.subject, object, [edge.object], holdings.nowMs)) continue;
    refuse(judged, step.index, `move ${object} below ${edge.object}`, 'create', `there, for objects of its type`);
  }
}

function refuseBareDelete(judged: Case, { index }: Step, name: string): void {
  judged.report(
    index,
    `${name} is deleted by removing it, with all that hangs on it; only an operator deletes its record alone`,
  );
}

function checkGroup(judged: Case, step: Step, { group }: GroupRecord): void {
  const { holdings } = judged;
  const action = step.change.op === 'delete' ? 'delete' : 'update';
  if (!holdings.may(action, group)) refuse(judged, step.index, `${action} ${group}`, action, `on ${group}`);
  else if (action === 'delete') refuseBareDelete(judged, step, group);
  else if (!isUsed(holdings.snapshot, group)) reportMissing(judged, step, group);
}

/** A hook grants in the name of whoever wrote it: that takes what granting takes. */
function checkHook(judged: Case, { index }: Step, hook: HookRecord | undefined): void {
  const { holdings, report } = judged;
  for (const grant of hook?.grants ?? []) {
    if ('group' in grant) {
      checkHookMember(judged, index, grant);
      continue;
    }
    if (grant.locked === true) report(index, `a hook may make locked bindings only where an operator wrote it`);
    const action = roleRecord(judged, grant.role)?.grantAction ?? 'grant';
    if (!holdings.may(action, '')) refuse(judged, index, `let a hook bind role ${quote(grant.role)}`, action, onTenant);
  }
}

/** Creators and what is created may be put into a new group; anybody else only by who manages all of them. */
function checkHookMember(judged: Case, index: number, { group, member }: HookMember): void {
  const { holdings } = judged;
  if (group !== 'created') {
    if (holdings.may('manage_members', group)) return;
    refuse(judged, index, `let a hook change who is in ${group}`, 'manage_members', `on ${group}`);
  } else if (!isHookSubject(member) && !holdings.mayOn('manage_members', { kind: 'type', type: 'group' })) {
    refuse(judged, index, `let a hook put ${member} into every new group`, 'manage_members', 'on group:*');
  }
}

/** What is locked to a subject elsewhere stays, also where the subject goes; so does a locked denial on an object. */
function checkLocked(judged: Case, { change, index }: Step): void {
  const record = change.before;
  if (record?.kind !== 'binding' || record.locked !== true) return;
  const object = judged.removals.get(index) as string;
  if (record.subject !== object && record.effect !== 'deny') return;
  const what = `a locked ${record.effect === 'deny' ? 'denial' : 'binding'} of role ${quote(record.role)} goes with ${object}`;
  judged.report(index, `${what}: only an operator may revoke it`);
}
