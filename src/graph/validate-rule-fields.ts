/**
 * Validation of hooks and constraints by themselves. Called by validate-fields.ts. Whether the roles that they name
 * exist is validate-references.ts's, and who violates a constraint validate-constraints.ts's.
 */
import type { ConstraintRecord, HookBinding, HookMember, HookRecord } from '../model/entity.ts';
import { maxConstraintRoles, maxHookGrants, maxRoleNameBytes } from '../model/limits.ts';
import { isHookSubject, isType, problemOfPrincipal, problemOfRoleName, problemOfText, quote } from '../model/names.ts';
import { type Field, type FieldChecks, notAType, problemOfGroup } from './validate-field-checks.ts';
import type { Placed, Report } from './validate-report.ts';

export function checkHookFields(at: Placed<HookRecord>, check: FieldChecks, report: Report): void {
  const { type, grants } = at.record;
  check.name(at, ['type'], 'type', type, isType(type) ? undefined : notAType);
  if (grants.length > maxHookGrants) {
    report(at, ['grants'], `a hook has at most ${maxHookGrants} grants, and this one ${grants.length}; bind a group`);
    return;
  }
  const seen = new Set<string>();
  grants.forEach((grant, i) => {
    const field = ['grants', i];
    if ('group' in grant) checkHookMember(at, field, grant, check, report);
    else checkHookBinding(at, field, grant, check);
    const identity = JSON.stringify(
      'group' in grant ? [grant.group, grant.member] : [grant.role, grant.subject, grant.scope],
    );
    if (seen.has(identity)) report(at, field, 'this grant is there twice; remove one');
    seen.add(identity);
  });
}

function checkHookBinding(at: Placed, field: Field, grant: HookBinding, check: FieldChecks): void {
  const { role, subject, scope, cascade, note } = grant;
  check.name(at, [...field, 'role'], 'role', role, problemOfRoleName(role));
  check.name(at, [...field, 'subject'], 'subject', subject, problemOfHookSubject(subject));
  if (scope !== undefined) {
    check.cascade(at, [...field, 'cascade'], cascade, check.scope(at, [...field, 'scope'], scope));
  }
  check.note(at, [...field, 'note'], note);
}

function checkHookMember(
  at: Placed<HookRecord>,
  field: Field,
  { group, member }: HookMember,
  check: FieldChecks,
  report: Report,
): void {
  if (group !== 'created') check.name(at, [...field, 'group'], 'group', group, problemOfGroup(group));
  else if (at.record.type !== 'group') {
    const message = `"created" is no group here: what is created is a ${at.record.type}; name one as "group:<id>"`;
    report(at, [...field, 'group'], message);
  } else if (member === 'created') {
    report(at, [...field, 'member'], 'the created group would be a member of itself');
  }
  check.name(at, [...field, 'member'], 'member', member, problemOfHookSubject(member));
}

function problemOfHookSubject(text: string): string | undefined {
  if (isHookSubject(text)) return undefined;
  const problem = problemOfPrincipal(text);
  return problem === undefined || text.includes(':') ? problem : `${problem}, or as creator or created`;
}

export function checkConstraintFields(at: Placed<ConstraintRecord>, check: FieldChecks, report: Report): void {
  const { name, description, roles, cardinality } = at.record;
  check.name(at, ['name'], 'constraint', name, problemOfText(name, 'name', maxRoleNameBytes));
  check.note(at, ['description'], description);
  if (roles.length > maxConstraintRoles) {
    report(at, ['roles'], `a constraint has at most ${maxConstraintRoles} roles, and this one ${roles.length}`);
    return;
  }
  const distinct = new Set<string>();
  roles.forEach((role, i) => {
    check.name(at, ['roles', i], 'role', role, problemOfRoleName(role));
    if (distinct.has(role)) report(at, ['roles', i], `role ${quote(role)} is there twice; remove one`);
    distinct.add(role);
  });
  if (distinct.size < 2)
    report(at, ['roles'], 'a constraint is on two roles or more; name those that exclude each other');
  else if (cardinality !== undefined && !isCardinality(cardinality, distinct.size)) {
    const wanted = distinct.size === 2 ? '2' : `a whole number from 2 to ${distinct.size}, the number of its roles`;
    report(at, ['cardinality'], `cardinality ${cardinality} must be ${wanted}`);
  }
}

function isCardinality(value: number, roles: number): boolean {
  return Number.isInteger(value) && value >= 2 && value <= roles;
}
