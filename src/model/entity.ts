/**
 * The records of a role graph, as stores keep them and change sets carry them:
 * plain readonly JSON data. A record has a kind and an identity within it; a
 * put replaces the record of the same identity.
 *
 * Fields that are absent mean the default, so that equal records have equal
 * JSON; never write a default or `undefined` into a record.
 */
import type { PermissionInput } from './permission.ts';
import type { ScopeInput } from './scope.ts';

/** What a tenant does with its decisions; see SPEC "The decision". */
export type Mode = 'enforce' | 'shadow' | 'off';
export type Effect = 'allow' | 'deny';

/** Settings of the tenant; there is at most one such record. */
export interface SettingsRecord {
  readonly kind: 'settings';
  readonly mode: Mode;
}

/** The declared vocabulary of an object type. */
export interface TypeRecord {
  readonly kind: 'type';
  readonly name: string;
  readonly description?: string;
  /** Known actions; absent leaves them open. */
  readonly actions?: readonly string[];
  /** Types that a parent may have; absent leaves them open. */
  readonly parents?: readonly string[];
}

/** A named set of permissions. */
export interface RoleRecord {
  readonly kind: 'role';
  readonly name: string;
  readonly description?: string;
  readonly permissions: readonly PermissionInput[];
  /** Short-form permissions taken from `permissions`, not from included roles. */
  readonly except?: readonly string[];
  /** Names of roles whose permissions this one has too. */
  readonly includes?: readonly string[];
  /** Shipped with the software. */
  readonly system?: true;
  /** The action that a granter must hold on the scope; default "grant". */
  readonly grantAction?: string;
}

/** What is said of a group beyond its members. A group may have members and no record. */
export interface GroupRecord {
  readonly kind: 'group';
  /** "group:<id>". */
  readonly group: string;
  readonly description?: string;
}

/** One edge from a subject, a group or a wildcard to a group. Identity: group and member. */
export interface MemberRecord {
  readonly kind: 'member';
  /** "group:<id>". */
  readonly group: string;
  readonly member: string;
  /** Milliseconds since 1970; the membership holds before this instant. */
  readonly expiresAt?: number;
}

/** One edge from an object to a parent. */
export interface ParentEdge {
  readonly object: string;
  /** `false`: bindings on the parent and above do not reach the child through this edge. */
  readonly inherit?: false;
}

/** A registered object. */
export interface ObjectRecord {
  readonly kind: 'object';
  readonly object: string;
  readonly parents?: readonly ParentEdge[];
}

/** Subject + role + scope + effect, the only way a subject gets permissions. Identity: those and the name. */
export interface BindingRecord {
  readonly kind: 'binding';
  readonly subject: string;
  readonly role: string;
  readonly scope: ScopeInput;
  readonly effect?: 'deny';
  /** Tells apart several bindings of the same four. */
  readonly name?: string;
  /** Milliseconds since 1970; the binding holds before this instant. */
  readonly expiresAt?: number;
  /** `false`: the object itself only, not its descendants. */
  readonly cascade?: false;
  /** A CEL expression over the question; the binding applies where it is true. See condition.ts. */
  readonly condition?: string;
  /** Ordinary writers cannot revoke it. */
  readonly locked?: true;
  readonly note?: string;
}

export type EntityRecord =
  | SettingsRecord
  | TypeRecord
  | RoleRecord
  | GroupRecord
  | MemberRecord
  | ObjectRecord
  | BindingRecord;

export type EntityKind = EntityRecord['kind'];

/** Kinds in the order in which a load should deliver them: what is referred to comes first. */
export const entityKinds: readonly EntityKind[] = ['settings', 'type', 'role', 'group', 'member', 'object', 'binding'];

/**
 * The identity of a record within its kind, as text. Compound identities are
 * JSON arrays: ids may hold any separator, so they are never joined by one.
 */
export function entityKey(record: EntityRecord): string {
  switch (record.kind) {
    case 'settings':
      return 'settings';
    case 'type':
    case 'role':
      return record.name;
    case 'group':
      return record.group;
    case 'member':
      return JSON.stringify([record.group, record.member]);
    case 'object':
      return record.object;
    case 'binding':
      return bindingKey(record.subject, record.role, record.scope, record.effect ?? 'allow', record.name);
  }
}

/** The identity of a binding: a JSON array [subject, role, scope, effect] or [subject, role, scope, effect, name]. */
export function bindingKey(
  subject: string,
  role: string,
  scope: ScopeInput,
  effect: Effect,
  name: string | undefined,
): string {
  return JSON.stringify(name === undefined ? [subject, role, scope, effect] : [subject, role, scope, effect, name]);
}
