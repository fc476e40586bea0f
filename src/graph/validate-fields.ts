/**
 * Validation of each record by itself: names, scopes, permissions, patterns,
 * times and notes. Called by validate.ts only; what a record refers to is
 * judged in validate-references.ts and validate-types.ts.
 */
import type { BindingRecord, EntityRecord, ObjectRecord, RoleRecord, TypeRecord } from '../model/entity.ts';
import { messageOf } from '../model/errors.ts';
import { maxConditionBytes, maxNoteBytes } from '../model/limits.ts';
import {
  isType,
  problemOfAction,
  problemOfName,
  problemOfObject,
  problemOfPrincipal,
  problemOfRoleName,
  problemOfText,
  quote,
} from '../model/names.ts';
import { type PermissionInput, parsePermission, parseShortPermission } from '../model/permission.ts';
import { parseScope, type Scope, type ScopeInput } from '../model/scope.ts';
import type { Placed, Problem, Report } from './validate-report.ts';

/** Throws where the text does not compile; the result is not used here. */
export type CompileRegex = (text: string) => unknown;

type Field = Problem['field'];

/** The last instant that RFC 3339 can write: the end of the year 9999. Snapshots keep 0 for "never". */
const maxInstant = 253_402_300_799_999;
const maxBindingNameBytes = 256;

/** What compiles the parts of records that are languages of their own; each throws, saying what is wrong. */
export interface Compilers {
  readonly compileRegex: CompileRegex;
  readonly compileCondition: (text: string) => unknown;
}

export function checkFields(records: readonly EntityRecord[], compilers: Compilers, report: Report): void {
  const problemOfRegex = createRegexCheck(compilers.compileRegex);

  function checkName(at: Placed, field: Field, what: string, text: string, problem: string | undefined): void {
    if (problem !== undefined) report(at, field, `${what} ${quote(text)} ${problem}`);
  }

  function checkNote(at: Placed, field: 'description' | 'note', text: string | undefined): void {
    if (text === undefined) return;
    if (!text.isWellFormed()) report(at, [field], `${field} holds half of a surrogate pair, which is not a character`);
    if (text.length * 3 > maxNoteBytes && new TextEncoder().encode(text).length > maxNoteBytes) {
      report(at, [field], `${field} is longer than ${maxNoteBytes} bytes; shorten it`);
    }
  }

  function checkExpiry(at: Placed, expiresAt: number | undefined): void {
    if (expiresAt === undefined) return;
    if (!(Number.isInteger(expiresAt) && expiresAt > 0 && expiresAt <= maxInstant)) {
      report(
        at,
        ['expiresAt'],
        `expiry ${expiresAt} is not a time after 1970 and before the year 10000, in whole milliseconds`,
      );
    }
  }

  function checkScope(at: Placed, field: Field, input: ScopeInput): Scope | undefined {
    const scope = attempt(at, field, () => parseScope(input));
    if (scope?.kind !== 'regex') return scope;
    const problem = problemOfRegex(scope.regex);
    if (problem !== undefined) report(at, [...field, 'regex'], problem);
    return scope;
  }

  function attempt<T>(at: Placed, field: Field, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      report(at, field, messageOf(error));
      return undefined;
    }
  }

  function checkPermission(at: Placed, field: Field, input: PermissionInput): void {
    if (typeof input === 'string') attempt(at, field, () => parsePermission(input));
    else if (checkScope(at, [...field, 'objects'], input.objects) !== undefined) {
      input.actions.forEach((action, i) => {
        checkName(at, [...field, 'actions', i], 'action', action, problemOfAction(action));
      });
    }
  }

  function checkType(at: Placed<TypeRecord>): void {
    const { name, actions, parents, description } = at.record;
    checkName(at, ['name'], 'type', name, isType(name) ? undefined : notAType);
    checkNote(at, 'description', description);
    actions?.forEach((action, i) => {
      checkName(at, ['actions', i], 'action', action, problemOfAction(action));
    });
    parents?.forEach((type, i) => {
      checkName(at, ['parents', i], 'parent type', type, isType(type) ? undefined : notAType);
    });
  }

  function checkRole(at: Placed<RoleRecord>): void {
    const { name, description, permissions, except, includes, grantAction } = at.record;
    checkName(at, ['name'], 'role', name, problemOfRoleName(name));
    checkNote(at, 'description', description);
    permissions.forEach((permission, i) => {
      checkPermission(at, ['permissions', i], permission);
    });
    except?.forEach((text, i) => {
      attempt(at, ['except', i], () => parseShortPermission(text));
    });
    includes?.forEach((role, i) => {
      checkName(at, ['includes', i], 'role', role, problemOfRoleName(role));
    });
    if (grantAction !== undefined) {
      checkName(at, ['grantAction'], 'grant action', grantAction, problemOfAction(grantAction));
    }
  }

  function checkObject(at: Placed<ObjectRecord>): void {
    const { object, parents } = at.record;
    checkName(at, ['object'], 'object', object, problemOfObject(object));
    parents?.forEach((edge, i) => {
      checkName(at, ['parents', i, 'object'], 'parent', edge.object, problemOfObject(edge.object));
    });
  }

  function checkBinding(at: Placed<BindingRecord>): void {
    const { subject, role, scope, name, expiresAt, cascade, condition, note } = at.record;
    checkName(at, ['subject'], 'subject', subject, problemOfPrincipal(subject));
    checkName(at, ['role'], 'role', role, problemOfRoleName(role));
    const parsed = checkScope(at, ['scope'], scope);
    if (cascade === false && parsed !== undefined && parsed.kind !== 'object') {
      report(
        at,
        ['cascade'],
        'cascade: false is for a binding on one object; this scope has no descendants to leave out',
      );
    }
    if (name !== undefined) {
      checkName(at, ['name'], 'binding name', name, problemOfText(name, 'binding name', maxBindingNameBytes));
    }
    if (condition !== undefined) checkCondition(at, condition);
    checkNote(at, 'note', note);
    checkExpiry(at, expiresAt);
  }

  function checkCondition(at: Placed<BindingRecord>, condition: string): void {
    const problem = problemOfText(condition, 'condition', maxConditionBytes);
    if (problem !== undefined) report(at, ['condition'], `condition ${quote(condition)} ${problem}`);
    else {
      try {
        compilers.compileCondition(condition);
      } catch (error) {
        report(at, ['condition'], messageOf(error));
      }
    }
  }

  function checkRecord(at: Placed): void {
    const { record, index } = at;
    if (record.kind === 'type') checkType({ record, index });
    else if (record.kind === 'role') checkRole({ record, index });
    else if (record.kind === 'object') checkObject({ record, index });
    else if (record.kind === 'binding') checkBinding({ record, index });
    else if (record.kind === 'group') {
      checkName(at, ['group'], 'group', record.group, problemOfGroup(record.group));
      checkNote(at, 'description', record.description);
    } else if (record.kind === 'member') {
      checkName(at, ['group'], 'group', record.group, problemOfGroup(record.group));
      checkName(at, ['member'], 'member', record.member, problemOfPrincipal(record.member));
      checkExpiry(at, record.expiresAt);
    }
  }

  records.forEach((record, index) => {
    checkRecord({ record, index });
  });
}

const notAType = 'is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -';

function problemOfGroup(text: string): string | undefined {
  if (!text.startsWith('group:')) return 'is not a group; write it as "group:<id>"';
  return text === 'group:*' ? 'is a wildcard; name one group' : problemOfName(text);
}

/** Compiles each expression once, however many bindings use it. */
function createRegexCheck(compileRegex: CompileRegex): (regex: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (regex) => {
    if (known.has(regex)) return known.get(regex);
    let problem: string | undefined;
    try {
      compileRegex(regex);
    } catch (error) {
      problem = messageOf(error);
    }
    known.set(regex, problem);
    return problem;
  };
}
