/**
 * Roles as the engine asks them: "does this role grant this action here?".
 * Literal permissions are a set of integers; what has wildcards, an `except` or
 * a scope of its own is a short list that is walked. Included roles are merged
 * in when the graph is compiled, so that a question never walks inclusions.
 */
import type { RoleRecord } from '../model/entity.ts';
import { formatPermission, type Permission, parsePermission, parseShortPermission } from '../model/permission.ts';
import { compileGlob, type Glob, matchesGlob } from './glob.ts';
import { namingRecord } from './named-record.ts';
import type { Names } from './names.ts';
import { assertTriable, type IdMatcher, idMatcherOf, type RegexCompiler } from './pattern.ts';

/** What a permission is asked about. The engine's walk is one of these. */
export interface Target {
  /** Type of the object, or of a qualified action without one; may be empty. */
  readonly type: string;
  /** Its id in Names, or -1. */
  readonly typeId: number;
  /** The part of the object after the colon; empty without an object. */
  readonly objectId: string;
  readonly hasObject: boolean;
  readonly action: string;
  /** The id of (type, action) in Names, or -1. */
  readonly permission: number;
  /** Whether the node is the object itself or one of its ancestors. */
  reachesFrom(node: number): boolean;
}

/** A permission that is not a plain literal. */
export interface Unit {
  readonly permission: Permission;
  readonly type: Glob;
  readonly action: Glob;
  readonly except: readonly ShortGlob[];
  /** The node of an object scope; -1 for other scopes. */
  readonly objectNode: number;
  readonly matchesId: IdMatcher | undefined;
}

interface ShortGlob {
  readonly type: Glob;
  readonly action: Glob;
}

/** What one role grants by itself. */
export interface OwnPermissions {
  readonly all: boolean;
  readonly literals: readonly number[];
  /** Types of which every action is granted. */
  readonly types: readonly number[];
  /** Actions granted on every type. */
  readonly actions: readonly string[];
  readonly units: readonly Unit[];
  /** Literal actions that the role names, each with the type glob it names them for; for lists. */
  readonly vocabulary: readonly Word[];
}

/** An action that a role names. */
export interface Word {
  readonly type: string;
  readonly action: string;
}

/** What a role grants with all that it includes. */
export interface Grants {
  readonly all: boolean;
  readonly literals: ReadonlySet<number>;
  readonly types: ReadonlySet<number>;
  readonly actions: ReadonlySet<string>;
  readonly units: readonly Unit[];
}

export interface Role {
  readonly name: string;
  readonly record: RoleRecord;
  readonly own: OwnPermissions;
  /** Its own id and those of all that it includes, at any distance, whether they are defined or not. */
  readonly closure: ReadonlySet<number>;
  readonly grants: Grants;
}

/** @throws PosternError INVALID_POLICY for a permission or expression that does not parse */
export function compileOwn(record: RoleRecord, names: Names, compileRegex: RegexCompiler): OwnPermissions {
  try {
    return toOwn(record, names, compileRegex);
  } catch (error) {
    throw namingRecord(record, error);
  }
}

function toOwn(record: RoleRecord, names: Names, compileRegex: RegexCompiler): OwnPermissions {
  const except = (record.except ?? []).map((text) => toShortGlob(parseShortPermission(text)));
  const literals: number[] = [];
  const types: number[] = [];
  const actions: string[] = [];
  const units: Unit[] = [];
  const vocabulary: Word[] = [];
  let all = false;
  for (const permission of record.permissions.flatMap(parsePermission)) {
    const { type, action, objects } = permission;
    if (!action.includes('*')) vocabulary.push({ type, action });
    if (objects === undefined && !type.includes('*') && !action.includes('*')) {
      if (!except.some((taken) => matchesShort(taken, type, action))) {
        literals.push(names.internPermission(names.internType(type), action));
      }
    } else if (objects !== undefined || except.length > 0) {
      units.push(toUnit(permission, except, names, compileRegex));
    } else if (type === '*' && action === '*') all = true;
    else if (action === '*' && !type.includes('*')) types.push(names.internType(type));
    else if (type === '*' && !action.includes('*')) actions.push(action);
    else units.push(toUnit(permission, except, names, compileRegex));
  }
  const scopes = units.flatMap(({ permission }) => permission.objects ?? []);
  assertTriable(scopes, `role ${record.name}`, compileRegex);
  return { all, literals, types, actions, units, vocabulary };
}

/** Merges the permissions of a role and of all that it includes. */
export function mergeGrants(parts: readonly OwnPermissions[]): Grants {
  return {
    all: parts.some((part) => part.all),
    literals: new Set(parts.flatMap((part) => part.literals)),
    types: new Set(parts.flatMap((part) => part.types)),
    actions: new Set(parts.flatMap((part) => part.actions)),
    units: parts.flatMap((part) => part.units),
  };
}

export function grantsPermission(grants: Grants, target: Target): boolean {
  if (grantsPlainly(grants, target)) return true;
  for (let i = 0; i < grants.units.length; i++) {
    if (matchesUnit(grants.units[i] as Unit, target)) return true;
  }
  return false;
}

/** Whether the role grants the action on every object of the target's type, whatever its id. */
export function grantsOnWholeType(grants: Grants, target: Target): boolean {
  return (
    grantsPlainly(grants, target) ||
    grants.units.some((unit) => unit.permission.objects === undefined && matchesUnit(unit, target))
  );
}

/** Whether the role can grant the action on some object; true more often than it should, never less. */
export function mayGrant(grants: Grants, target: Target): boolean {
  return grantsPlainly(grants, target) || grants.units.some((unit) => matchesGlob(unit.action, target.action));
}

/** The action patterns (with a `*`) that the role grants on the target, before any `except`. */
export function* actionPatterns(grants: Grants, target: Target): Generator<string, void> {
  if (grants.all || grants.types.has(target.typeId)) yield '*';
  for (const unit of grants.units)
    if (unit.action.middle !== undefined && reachesTarget(unit, target)) yield unit.action.text;
}

function grantsPlainly(grants: Grants, target: Target): boolean {
  return (
    grants.all ||
    (target.permission >= 0 && grants.literals.has(target.permission)) ||
    (grants.types.size > 0 && grants.types.has(target.typeId)) ||
    (grants.actions.size > 0 && grants.actions.has(target.action))
  );
}

function matchesUnit(unit: Unit, target: Target): boolean {
  if (!matchesGlob(unit.action, target.action) || !reachesTarget(unit, target)) return false;
  for (const taken of unit.except) if (matchesShort(taken, target.type, target.action)) return false;
  return true;
}

function reachesTarget(unit: Unit, target: Target): boolean {
  const scope = unit.permission.objects;
  return scope === undefined ? matchesGlob(unit.type, target.type) : reaches(unit, scope, target);
}

/** The permission of this role itself, not of included ones, that grants the target, as text. */
export function grantingPermission(
  role: Role,
  target: Target,
  names: Names,
  compileRegex: RegexCompiler,
): string | undefined {
  const except = (role.record.except ?? []).map((text) => toShortGlob(parseShortPermission(text)));
  for (const permission of role.record.permissions.flatMap(parsePermission)) {
    if (matchesUnit(toUnit(permission, except, names, compileRegex), target)) return formatPermission(permission);
  }
  return undefined;
}

function reaches(unit: Unit, scope: NonNullable<Permission['objects']>, target: Target): boolean {
  switch (scope.kind) {
    case 'object':
      return target.reachesFrom(unit.objectNode);
    case 'type':
      return target.hasObject && scope.type === target.type;
    default:
      return target.hasObject && scope.type === target.type && (unit.matchesId as IdMatcher)(target.objectId);
  }
}

function toUnit(permission: Permission, except: readonly ShortGlob[], names: Names, compileRegex: RegexCompiler): Unit {
  const { type, action, objects } = permission;
  return {
    permission,
    type: compileGlob(type),
    action: compileGlob(action),
    except,
    objectNode: objects?.kind === 'object' ? names.internNode(objects.object) : -1,
    matchesId: objects === undefined ? undefined : idMatcherOf(objects, compileRegex),
  };
}

function toShortGlob(permission: Permission): ShortGlob {
  return { type: compileGlob(permission.type), action: compileGlob(permission.action) };
}

function matchesShort(short: ShortGlob, type: string, action: string): boolean {
  return matchesGlob(short.type, type) && matchesGlob(short.action, action);
}
