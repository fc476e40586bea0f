/**
 * Static separation of duty and changes. Called by validate-changes.ts. Who did not gain a role that a constraint
 * names cannot have come to violate it: only those below a principal that gained one are looked at, unless what
 * changed is a constraint, or what a role includes.
 */
import { type ConstraintRecord, entityKey, type RoleRecord } from '../model/entity.ts';
import { type ChangeContext, putsOf } from './changed.ts';
import { cardinalityOf, createSeparation, isStatic, type Separation, type Way } from './separation.ts';
import type { Snapshot } from './snapshot.ts';
import { authorisationsOf, holdersBelow, holdersOf } from './snapshot-authorisations.ts';
import { describeConflict } from './validate-constraints.ts';
import type { Placed, Problem } from './validate-report.ts';

/** The change that is told of, and the field that did it. */
type Culprit = Omit<Problem, 'message' | 'suggestion'>;

interface Growth {
  readonly then: Separation;
  readonly now: Separation;
  /** Constraints that are new, or forbid more than before. */
  readonly stricter: readonly Placed<ConstraintRecord>[];
  /** Roles that were there before, and hold more of the constrained roles than before. */
  readonly grown: readonly Placed<RoleRecord>[];
}

export function checkChangedConstraints(context: ChangeContext): void {
  const { after, list } = context;
  const constraints = [...after.constraints.values()].filter(isStatic);
  if (constraints.length === 0) return;
  const growth = compare(context, constraints);
  const { now } = growth;
  const isEverywhere = growth.stricter.length + growth.grown.length > 0;
  const subjects = isEverywhere ? holdersOf(after) : holdersBelow(after, gainersOf(context, growth));
  const bindings = indexBindings(context);
  for (const subject of subjects) {
    for (const constraint of now.violatedBy(subject)) {
      if (list.isFull()) {
        list.omit();
        continue;
      }
      const ways = now.waysOf(subject, constraint);
      const culprit = findRecord(context, bindings, ways) ?? findRule(growth, constraint, ways);
      list.add({ ...culprit, message: describeConflict(constraint, subject, ways) });
    }
  }
}

function compare({ before, after, changed }: ChangeContext, constraints: readonly ConstraintRecord[]): Growth {
  const then = createSeparation(constraints, authorisationsOf(before));
  const now = createSeparation(constraints, authorisationsOf(after));
  const stricter = putsOf(changed, 'constraint').filter(({ record }) => isStricter(record, before));
  const grown = putsOf(changed, 'role').filter(({ record: { name } }) => {
    // Nobody had a role that was not there: whoever has it now has a new binding.
    const wasThere = before.roles[before.names.findRole(name)] !== undefined;
    return wasThere && hasGrown(then.grantedBy(name), now.grantedBy(name));
  });
  return { then, now, stricter, grown };
}

function isStricter(record: ConstraintRecord, { constraints }: Snapshot): boolean {
  if (!isStatic(record)) return false;
  const was = constraints.get(record.name);
  if (was === undefined || !isStatic(was) || cardinalityOf(record) < cardinalityOf(was)) return true;
  const roles = new Set(was.roles);
  return record.roles.some((role) => !roles.has(role));
}

function hasGrown(then: readonly string[], now: readonly string[]): boolean {
  const known = new Set(then);
  return now.some((role) => !known.has(role));
}

/** Those to whom something was given by a change, and who now hold more of the constrained roles. */
function gainersOf({ changed }: ChangeContext, { then, now }: Growth): readonly string[] {
  const given = new Set<string>();
  for (const { record } of changed.puts) {
    if (record.kind === 'member') given.add(record.member);
    else if (record.kind === 'binding' && record.effect !== 'deny') given.add(record.subject);
  }
  return [...given].filter((principal) => hasGrown(then.heldBy(principal), now.heldBy(principal)));
}

type Bindings = ReadonlyMap<string, ReadonlyMap<string, Culprit>>;

/** By subject and role, the allow bindings that were put. */
function indexBindings({ changed }: ChangeContext): Bindings {
  const bindings = new Map<string, Map<string, Culprit>>();
  for (const { record, index } of putsOf(changed, 'binding')) {
    if (record.effect === 'deny') continue;
    let ofSubject = bindings.get(record.subject);
    if (ofSubject === undefined) {
      ofSubject = new Map();
      bindings.set(record.subject, ofSubject);
    }
    ofSubject.set(record.role, { index, kind: 'binding', key: entityKey(record), field: ['role'] });
  }
  return bindings;
}

/** The last change that put a binding or a membership of these ways. */
function findRecord({ changed }: ChangeContext, bindings: Bindings, ways: readonly Way[]): Culprit | undefined {
  const found: Culprit[] = [];
  for (const { principals, bound } of ways) {
    const binding = bindings.get(principals.at(-1) as string)?.get(bound);
    if (binding !== undefined) found.push(binding);
    for (let i = 1; i < principals.length; i++) {
      const [member, group] = [principals[i - 1] as string, principals[i] as string];
      const key = entityKey({ kind: 'member', group, member });
      const index = changed.indexOf('member', key);
      if (index !== undefined) found.push({ index, kind: 'member', key, field: ['member'] });
    }
  }
  return found.sort((a, b) => b.index - a.index)[0];
}

/** Where only old bindings and memberships join the roles, it was the constraint or an inclusion that changed. */
function findRule({ then, now, stricter, grown }: Growth, constraint: ConstraintRecord, ways: readonly Way[]): Culprit {
  const rule = stricter.find(({ record }) => record.name === constraint.name);
  if (rule !== undefined) return { index: rule.index, kind: 'constraint', key: constraint.name, field: ['roles'] };
  const role = grown.find(({ record: { name } }) => {
    return ways.some((way) => now.grantedBy(name).includes(way.role) && !then.grantedBy(name).includes(way.role));
  });
  if (role !== undefined) return { index: role.index, kind: 'role', key: role.record.name, field: ['includes'] };
  return { index: 0, kind: 'constraint', key: constraint.name, field: [] };
}
