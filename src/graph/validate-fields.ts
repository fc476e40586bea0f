/**
 * Validation of each record by itself: names, scopes, permissions, patterns,
 * times and notes. Called by validate.ts and validate-change-fields.ts; what a
 * record refers to is judged in validate-references.ts and validate-types.ts.
 */
import { parseAttributeType, problemOfAttributeName } from '../model/attribute-type.ts';
import type { AttributeRecord, BindingRecord, ObjectRecord, RoleRecord, TypeRecord } from '../model/entity.ts';
import {
  isType,
  problemOfAction,
  problemOfObject,
  problemOfPrincipal,
  problemOfRoleName,
  problemOfText,
} from '../model/names.ts';
import { type PermissionInput, parsePermission, parseShortPermission } from '../model/permission.ts';
import { type Compilers, createFieldChecks, type Field, notAType, problemOfGroup } from './validate-field-checks.ts';
import type { Placed, Report } from './validate-report.ts';
import { checkConstraintFields, checkHookFields } from './validate-rule-fields.ts';

const maxBindingNameBytes = 256;

/** A check of one record after the other; equal expressions are compiled once. */
export function createFieldCheck(compilers: Compilers, report: Report): (at: Placed) => void {
  const check = createFieldChecks(compilers, report);

  function checkPermission(at: Placed, field: Field, input: PermissionInput): void {
    if (typeof input === 'string') check.attempt(at, field, () => parsePermission(input));
    else if (check.scope(at, [...field, 'objects'], input.objects) !== undefined) {
      input.actions.forEach((action, i) => {
        check.name(at, [...field, 'actions', i], 'action', action, problemOfAction(action));
      });
    }
  }

  function checkType(at: Placed<TypeRecord>): void {
    const { name, actions, parents, description } = at.record;
    check.name(at, ['name'], 'type', name, isType(name) ? undefined : notAType);
    check.note(at, ['description'], description);
    actions?.forEach((action, i) => {
      check.name(at, ['actions', i], 'action', action, problemOfAction(action));
    });
    parents?.forEach((type, i) => {
      check.name(at, ['parents', i], 'parent type', type, isType(type) ? undefined : notAType);
    });
  }

  function checkAttribute(at: Placed<AttributeRecord>): void {
    const { name, type, description } = at.record;
    check.name(at, ['name'], 'attribute', name, problemOfAttributeName(name));
    check.attempt(at, ['type'], () => parseAttributeType(type));
    check.note(at, ['description'], description);
  }

  function checkRole(at: Placed<RoleRecord>): void {
    const { name, description, permissions, except, includes, grantAction } = at.record;
    check.name(at, ['name'], 'role', name, problemOfRoleName(name));
    check.note(at, ['description'], description);
    permissions.forEach((permission, i) => {
      checkPermission(at, ['permissions', i], permission);
    });
    except?.forEach((text, i) => {
      check.attempt(at, ['except', i], () => parseShortPermission(text));
    });
    includes?.forEach((role, i) => {
      check.name(at, ['includes', i], 'role', role, problemOfRoleName(role));
    });
    if (grantAction !== undefined) {
      check.name(at, ['grantAction'], 'grant action', grantAction, problemOfAction(grantAction));
    }
  }

  function checkObject(at: Placed<ObjectRecord>): void {
    const { object, parents } = at.record;
    check.name(at, ['object'], 'object', object, problemOfObject(object));
    parents?.forEach((edge, i) => {
      check.name(at, ['parents', i, 'object'], 'parent', edge.object, problemOfObject(edge.object));
    });
  }

  function checkBinding(at: Placed<BindingRecord>): void {
    const { subject, role, scope, name, expiresAt, cascade, condition, note } = at.record;
    check.name(at, ['subject'], 'subject', subject, problemOfPrincipal(subject));
    check.name(at, ['role'], 'role', role, problemOfRoleName(role));
    check.cascade(at, ['cascade'], cascade, check.scope(at, ['scope'], scope));
    if (name !== undefined) {
      check.name(at, ['name'], 'binding name', name, problemOfText(name, 'binding name', maxBindingNameBytes));
    }
    if (condition !== undefined) check.condition(at, ['condition'], condition);
    check.note(at, ['note'], note);
    check.expiry(at, expiresAt);
  }

  return (at) => {
    const { record, index } = at;
    switch (record.kind) {
      case 'settings':
        return;
      case 'type':
        return checkType({ record, index });
      case 'attribute':
        return checkAttribute({ record, index });
      case 'role':
        return checkRole({ record, index });
      case 'object':
        return checkObject({ record, index });
      case 'binding':
        return checkBinding({ record, index });
      case 'hook':
        return checkHookFields({ record, index }, check, report);
      case 'constraint':
        return checkConstraintFields({ record, index }, check, report);
      case 'group':
        check.name(at, ['group'], 'group', record.group, problemOfGroup(record.group));
        return check.note(at, ['description'], record.description);
      case 'member':
        check.name(at, ['group'], 'group', record.group, problemOfGroup(record.group));
        check.name(at, ['member'], 'member', record.member, problemOfPrincipal(record.member));
        return check.expiry(at, record.expiresAt);
    }
  };
}
