/**
 * The first judgement of a change set: does the caller have the action that each change takes? Nothing of what it
 * would lead to is looked at, or compiled: who may not even try learns nothing else. Called by plan.ts.
 */
import { mayOnNew } from '../engine/decide-new.ts';
import { sameData } from '../graph/diff.ts';
import { at } from '../graph/paged.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type {
  BindingRecord,
  GroupRecord,
  HookRecord,
  MemberRecord,
  ObjectRecord,
  RoleRecord,
} from '../model/entity.ts';
import { quote } from '../model/names.ts';
import { parseScope } from '../model/scope.ts';
import { isGroup } from './expand.ts';
import { type Case, placeOf, recordsOfStep, refuse, roleRecord, type Step, subjectOf } from './steps.ts';

const onTenant = 'on the tenant';

/** Reports every step that the caller may not take. Creations were judged when they were made, see mayCreate. */
export function checkGates(judged: Case): void {
  for (const [index, object] of judged.removals) {
    if (!judged.holdings.may('delete', object)) refuse(judged, index, `remove ${object}`, 'delete', `on ${object}`);
  }
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
  const { before } = step.change;
  const wasLocked = before?.kind === 'binding' && before.locked === true;
  if (wasLocked || record.locked === true) {
    const what = `the binding of role ${quote(record.role)} to ${record.subject}`;
    report(
      step.index,
      wasLocked ? `${what} is locked: only an operator may change it` : `only an operator may lock ${what}`,
    );
    return;
  }
  const isLeaving = step.change.op === 'delete' && record.effect !== 'deny' && record.subject === holdings.subject;
  if (isLeaving) return;
  const scope = parseScope(record.scope);
  const denies = record.effect === 'deny';
  const action = denies ? 'deny' : (roleRecord(judged, record.role)?.grantAction ?? 'grant');
  if (holdings.mayOn(action, scope)) return;
  const doing = denies ? 'deny, or lift a denial of,' : 'bind or revoke';
  refuse(judged, step.index, `${doing} role ${quote(record.role)} ${placeOf(scope)}`, action, placeOf(scope));
}

function checkMember(judged: Case, step: Step, { group, member }: MemberRecord): void {
  const { holdings, report } = judged;
  if (step.change.op === 'put' && !isGroup(holdings.snapshot, group)) {
    report(step.index, `${group} is not there; create it first, or in the same change set`);
    return;
  }
  const leaves = isShorter(step) && holdings.isPrincipal(member);
  if (leaves && bringsDenials(judged.start, group)) {
    report(step.index, `${holdings.subject} is denied something by ${group}: somebody else has to take ${member} out`);
    return;
  }
  if ((leaves && member === holdings.subject) || holdings.may('manage_members', group)) return;
  refuse(judged, step.index, `change who is in ${group}`, 'manage_members', `on ${group}`);
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
    for (const chunk of at(snapshot.bindingsOf, node)?.chunks ?? []) if (chunk.some(({ deny }) => deny)) return true;
    for (const edge of at(snapshot.groupsOf, node) ?? []) groups.add(edge.node);
  }
  return false;
}

function checkRole(judged: Case, step: Step, record: RoleRecord): void {
  const { before } = step.change;
  if (record.system === true || (before?.kind === 'role' && before.system === true)) {
    const what = `role ${quote(record.name)} is shipped with the software`;
    judged.report(step.index, `${what}: only an operator may change it; make a role of your own that includes it`);
    return;
  }
  if (judged.holdings.may('manage_roles', '')) return;
  refuse(judged, step.index, `change role ${quote(record.name)}`, 'manage_roles', onTenant);
}

function checkObject(judged: Case, step: Step, record: ObjectRecord): void {
  const { holdings, report } = judged;
  const { object } = record;
  const { before, after } = recordsOfStep(step);
  if (after === undefined) {
    report(step.index, `${object} is deleted by removing it: write {remove: {object}}`);
    return;
  }
  if (before === undefined) {
    report(step.index, `${object} is not there; create it: write {create: {object}}`);
    return;
  }
  if (sameData(before, after)) return;
  if (!holdings.may('move', object)) {
    refuse(judged, step.index, `move ${object}`, 'move', `on ${object}`);
    return;
  }
  const old = new Set((before as ObjectRecord).parents?.map((edge) => JSON.stringify(edge)));
  for (const edge of record.parents ?? []) {
    if (old.has(JSON.stringify(edge))) continue;
    if (mayCreate(holdings.snapshot, holdings.subject, object, [edge.object], holdings.nowMs)) continue;
    refuse(judged, step.index, `move ${object} below ${edge.object}`, 'create', `there, for objects of its type`);
  }
}

function checkGroup(judged: Case, step: Step, { group }: GroupRecord): void {
  const { holdings, report } = judged;
  if (step.change.op === 'delete') {
    report(step.index, `${group} is deleted by removing it: write {remove: {object}}`);
    return;
  }
  if (!isGroup(holdings.snapshot, group)) {
    report(step.index, `${group} is not there; create it: write {create: {object}}`);
    return;
  }
  if (!holdings.may('update', group)) refuse(judged, step.index, `describe ${group}`, 'update', `on ${group}`);
}

/** A hook grants in the name of whoever wrote it: that takes what granting takes. */
function checkHook(judged: Case, { index }: Step, hook: HookRecord | undefined): void {
  const { holdings, report } = judged;
  for (const grant of hook?.grants ?? []) {
    if ('group' in grant) {
      if (grant.group === 'created' || holdings.may('manage_members', grant.group)) continue;
      refuse(judged, index, `let a hook change who is in ${grant.group}`, 'manage_members', `on ${grant.group}`);
      continue;
    }
    if (grant.locked === true) report(index, `a hook may make locked bindings only where an operator wrote it`);
    const action = roleRecord(judged, grant.role)?.grantAction ?? 'grant';
    if (!holdings.may(action, '')) refuse(judged, index, `let a hook bind role ${quote(grant.role)}`, action, onTenant);
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
