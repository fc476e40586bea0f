/**
 * Validation against declared types, where there are any: actions that a type
 * does not have, parents that it may not have, and types that look like a typo
 * of a declared one. Called by validate.ts and validate-change-types.ts. A type
 * that nobody declared and that resembles none is legal: declaring types is
 * optional, one by one.
 */
import type { HookRecord, ObjectRecord, RoleRecord, TypeRecord } from '../model/entity.ts';
import { isType, quote, typeOf } from '../model/names.ts';
import type { ScopeInput } from '../model/scope.ts';
import { compileGlob, matchesGlob } from './glob.ts';
import type { Nearest } from './validate-nearest.ts';
import type { Placed, Problem, Report } from './validate-report.ts';

type Field = Problem['field'];

interface DeclaredType {
  /** Undefined where the actions are open. */
  readonly actions: ReadonlySet<string> | undefined;
  readonly parents: ReadonlySet<string> | undefined;
}

export interface TypeIndex {
  readonly declared: ReadonlyMap<string, DeclaredType>;
  /** All actions of all declared types; undefined where one of them leaves its actions open. */
  readonly everyAction: ReadonlySet<string> | undefined;
}

export function indexTypes(types: readonly TypeRecord[]): TypeIndex {
  const declared = new Map(
    types.map((type) => [type.name, { actions: toSet(type.actions), parents: toSet(type.parents) }]),
  );
  const open = types.some((type) => type.actions === undefined);
  return { declared, everyAction: open ? undefined : new Set(types.flatMap((type) => type.actions ?? [])) };
}

/** A check of one record after the other against the declared types, of which there is at least one. */
export function createTypeCheck(
  { declared, everyAction }: TypeIndex,
  nearest: Nearest,
  report: Report,
): (at: Placed) => void {
  function checkTypeName(at: Placed, field: Field, type: string): void {
    // "group" is a type of its own making, and what is no type at all has been reported already.
    if (declared.has(type) || type === 'group' || !isType(type)) return;
    const suggestion = nearest(type, declared);
    if (suggestion !== undefined) report(at, field, `type ${quote(type)} is not declared`, suggestion);
  }

  function checkAction(at: Placed, field: Field, type: string, action: string, known: ReadonlySet<string>): void {
    if (known.has(action)) return;
    const what = `type ${quote(type)} has no action`;
    if (!action.includes('*')) report(at, field, `${what} ${quote(action)}`, nearest(action, known));
    else if (action !== '*' && !matchesAny(action, known)) {
      report(at, field, `${what} that matches ${quote(action)}`);
    }
  }

  function checkShort(at: Placed, field: Field, text: string): void {
    const colon = text.indexOf(':');
    if (colon < 0) return;
    const type = text.slice(0, colon);
    checkTypeName(at, field, type);
    const known = declared.get(type)?.actions;
    if (known === undefined) return;
    checkAction(at, field, type, text.slice(colon + 1), known);
  }

  function checkRole(at: Placed<RoleRecord>): void {
    at.record.permissions.forEach((permission, i) => {
      if (typeof permission === 'string') {
        checkShort(at, ['permissions', i], permission);
        return;
      }
      const type = typeOfInput(permission.objects);
      checkTypeName(at, ['permissions', i, 'objects'], type);
      // Below one object there may be objects of other types, with their actions.
      const known = isOneObject(permission.objects) ? everyAction : declared.get(type)?.actions;
      if (known === undefined || !declared.has(type)) return;
      permission.actions.forEach((action, j) => {
        checkAction(at, ['permissions', i, 'actions', j], type, action, known);
      });
    });
    at.record.except?.forEach((text, i) => {
      checkShort(at, ['except', i], text);
    });
  }

  function checkObject(at: Placed<ObjectRecord>): void {
    const type = typeOf(at.record.object);
    checkTypeName(at, ['object'], type);
    const allowed = declared.get(type)?.parents;
    at.record.parents?.forEach(({ object }, i) => {
      const parentType = typeOf(object);
      if (allowed === undefined) checkTypeName(at, ['parents', i, 'object'], parentType);
      else if (!allowed.has(parentType)) {
        const message = `type ${quote(type)} may not have a parent of type ${quote(parentType)}; ${allowedText(allowed)}`;
        report(at, ['parents', i, 'object'], message, nearest(parentType, allowed));
      }
    });
  }

  function checkHook(at: Placed<HookRecord>): void {
    checkTypeName(at, ['type'], at.record.type);
    at.record.grants.forEach((grant, i) => {
      if ('role' in grant && grant.scope !== undefined) {
        checkTypeName(at, ['grants', i, 'scope'], typeOfInput(grant.scope));
      }
    });
  }

  return (at) => {
    const { record, index } = at;
    if (record.kind === 'role') checkRole({ record, index });
    else if (record.kind === 'object') checkObject({ record, index });
    else if (record.kind === 'binding') checkTypeName(at, ['scope'], typeOfInput(record.scope));
    else if (record.kind === 'hook') checkHook({ record, index });
    else if (record.kind === 'type') {
      record.parents?.forEach((parent, i) => {
        checkTypeName(at, ['parents', i], parent);
      });
    }
  };
}

function allowedText(allowed: ReadonlySet<string>): string {
  return allowed.size === 0 ? 'its parents list is empty' : `it may have: ${[...allowed].join(', ')}`;
}

function typeOfInput(scope: ScopeInput): string {
  if (typeof scope === 'string') return typeOf(scope);
  return 'object' in scope ? typeOf(scope.object) : scope.type;
}

function isOneObject(scope: ScopeInput): boolean {
  return typeof scope === 'string' ? !scope.includes('*') : 'object' in scope;
}

function toSet(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names === undefined ? undefined : new Set(names);
}

function matchesAny(pattern: string, actions: Iterable<string>): boolean {
  const glob = compileGlob(pattern);
  for (const action of actions) if (matchesGlob(glob, action)) return true;
  return false;
}
