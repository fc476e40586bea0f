/**
 * The second judgement: whatever a change set gives to anybody, its caller has to hold, everywhere there and for as
 * long, unless he may escalate. That is what keeps administration from becoming a way around it: nobody ends with a
 * permission that no one entitled granted (the rule is Kubernetes'). Called by plan.ts with a graph that is valid.
 */
import type { Role } from '../graph/role.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { areSeenAlike } from '../model/attribute-type.ts';
import type {
  AttributeRecord,
  BindingRecord,
  EntityRecord,
  HookRecord,
  MemberRecord,
  ObjectRecord,
  RoleRecord,
} from '../model/entity.ts';
import { quote } from '../model/names.ts';
import { covers, type Held } from './cover.ts';
import { deniedRoles } from './denied-roles.ts';
import { bringsDenials } from './gates.ts';
import { extentOf, grantsOf, wholeTenant } from './holdings.ts';
import { checkMove, checkRemovedDenials, movingWidens } from './moves.ts';
import { type Case, checkHeld, recordsOfStep, refuse, type Step } from './steps.ts';

/** Reports every step that gives more than its caller has. @param after The graph that would result. */
export function checkWidening(judged: Case, after: Snapshot): void {
  for (const step of judged.steps) if (step.origin === 'asked') checkStep(judged, after, step);
  for (const [index, object] of judged.removals) checkRemovedDenials(judged, index, object);
}

/** Whether somebody may have gained access by a step; the same question, without who asks. */
export function widens(step: Step, start: Snapshot, after: Snapshot): boolean {
  const { before, after: record } = recordsOfStep(step);
  const kind = (record ?? before)?.kind;
  switch (kind) {
    case 'binding':
      return widenedBinding(before, record) !== undefined;
    case 'member':
      return record !== undefined || bringsDenials(start, (before as MemberRecord).group);
    case 'role':
      return widensRole(start, after, ((record ?? before) as RoleRecord).name);
    case 'settings':
      return record?.kind === 'settings' && record.mode !== 'enforce';
    case 'hook':
      return record !== undefined;
    case 'constraint':
      return before !== undefined;
    case 'attribute':
      return !areSeenAlike(
        (before as AttributeRecord | undefined)?.type,
        (record as AttributeRecord | undefined)?.type,
      );
    case 'object':
      return before !== undefined && movingWidens(start, after, (before as ObjectRecord).object);
    default:
      return false;
  }
}

function widensRole(start: Snapshot, after: Snapshot, name: string): boolean {
  return (
    addedTo(start, after, name).length > 0 || (addedTo(after, start, name).length > 0 && isDeniedWith(start, name))
  );
}

function checkStep(judged: Case, after: Snapshot, step: Step): void {
  const { before, after: record } = recordsOfStep(step);
  const kind = (record ?? before)?.kind;
  if (kind === 'binding') checkBinding(judged, after, step);
  else if (kind === 'role') checkRole(judged, after, step);
  else if (kind === 'hook') checkHook(judged, after, step, record as HookRecord | undefined);
  else if (kind === 'object' && record?.kind === 'object') checkMove(judged, after, step.index, record.object);
  else if (kind === 'attribute' && widens(step, judged.start, after) && !judged.holdings.may('escalate', '')) {
    refuse(judged, step.index, 'change what conditions see of an attribute', 'escalate', 'on the tenant');
  } else if (record?.kind === 'settings' && record.mode !== 'enforce' && !judged.holdings.may('escalate', '')) {
    refuse(judged, step.index, `set the mode to ${record.mode}, which allows everything`, 'escalate', 'on the tenant');
  }
}

function checkBinding(judged: Case, after: Snapshot, step: Step): void {
  const { before, after: record } = recordsOfStep(step);
  const widened = widenedBinding(before, record);
  if (widened?.effect === 'deny') {
    // A denial that goes gives back what it denied until then.
    checkRoleOf(judged, step.index, 'lift the denial of', widened, judged.start);
  } else if (widened !== undefined) checkRoleOf(judged, step.index, 'grant', widened, after);
}

function checkRoleOf(judged: Case, index: number, doing: string, binding: BindingRecord, snapshot: Snapshot): void {
  const role = snapshot.roles[snapshot.names.findRole(binding.role)];
  if (role === undefined) return;
  const { scope, cascade, expiresAt } = binding;
  const key = JSON.stringify([doing, binding.role, scope, cascade, expiresAt]);
  checkHeld(judged, index, `${doing} role ${quote(binding.role)}`, grantsOf(snapshot, role), extentOf(binding), key);
}

/** The binding whose grants somebody gains by a step: the new one that allows, or the old one that denied. */
function widenedBinding(before: EntityRecord | undefined, after: EntityRecord | undefined): BindingRecord | undefined {
  const from = before as BindingRecord | undefined;
  const to = after as BindingRecord | undefined;
  const [wider, narrower] = (to ?? from)?.effect === 'deny' ? [from, to] : [to, from];
  if (wider === undefined) return undefined;
  return narrower !== undefined && isWithin(wider, narrower) ? undefined : wider;
}

/** Whether a binding applies only where, when and while another one of the same identity does. */
function isWithin(inner: BindingRecord, outer: BindingRecord): boolean {
  const ends = outer.expiresAt === undefined || (inner.expiresAt !== undefined && inner.expiresAt <= outer.expiresAt);
  const conditioned = outer.condition === undefined || inner.condition === outer.condition;
  return ends && conditioned && (outer.cascade !== false || inner.cascade === false);
}

function checkRole(judged: Case, after: Snapshot, step: Step): void {
  const name = ((recordsOfStep(step).after ?? recordsOfStep(step).before) as RoleRecord).name;
  const doing = `change role ${quote(name)}`;
  checkHeld(judged, step.index, doing, addedTo(judged.start, after, name), wholeTenant);
  const lost = addedTo(after, judged.start, name);
  if (lost.length > 0 && isDeniedWith(judged.start, name)) {
    checkHeld(judged, step.index, `${doing}, with which there are denials`, lost, wholeTenant);
  }
}

/** What a role grants at the second snapshot, and did not at the first. */
function addedTo(from: Snapshot, to: Snapshot, name: string): readonly Held[] {
  const role = to.roles[to.names.findRole(name)];
  if (role === undefined) return [];
  const before = from.roles[from.names.findRole(name)];
  const old = before === undefined ? [] : [...grantsOf(from, before)];
  return [...grantsOf(to, role)].filter((held) => !old.some((had) => covers(had, held)));
}

/** Whether a denial uses a role, by itself or through one that includes it. */
function isDeniedWith(snapshot: Snapshot, name: string): boolean {
  const id = snapshot.names.findRole(name);
  for (const role of deniedRoles(snapshot)) if (snapshot.roles[role]?.closure.has(id) === true) return true;
  return false;
}

function checkHook(judged: Case, after: Snapshot, step: Step, hook: HookRecord | undefined): void {
  for (const grant of hook?.grants ?? []) {
    if ('group' in grant) continue;
    const role: Role | undefined = after.roles[after.names.findRole(grant.role)];
    if (role === undefined) continue;
    checkHeld(judged, step.index, `let a hook grant role ${quote(grant.role)}`, grantsOf(after, role), wholeTenant);
  }
}
