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

/** An attribute that conditions may name. Where a tenant declares one, those that it does not declare are unknown. */
export interface AttributeRecord {
  readonly kind: 'attribute';
  readonly name: string;
  /** "string", "list(int)": see attribute-type.ts. */
  readonly type: string;
  readonly description?: string;
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

/** A binding that a hook makes. */
export interface HookBinding {
  readonly role: string;
  /** Who gets it: "creator", "created" (the new subject or group itself), or a principal. */
  readonly subject: string;
  /** Where; the created object by default. */
  readonly scope?: ScopeInput;
  readonly cascade?: false;
  readonly locked?: true;
  readonly note?: string;
}

/** A membership that a hook makes. */
export interface HookMember {
  /** "created" (the new group itself) or "group:<id>". */
  readonly group: string;
  /** "creator", "created", or a principal. */
  readonly member: string;
}

export type HookGrant = HookBinding | HookMember;

/** What is granted when an object, a subject or a group of a type is created. Identity: the type. */
export interface HookRecord {
  readonly kind: 'hook';
  readonly type: string;
  readonly grants: readonly HookGrant[];
}

/**
 * Separation of duty (INCITS 359-2004, 5.3 and 5.4): of `roles`, nobody may have `cardinality` or more; static ones
 * look at all that a subject is authorised for, dynamic ones at what a query activates. Identity: the name.
 */
export interface ConstraintRecord {
  readonly kind: 'constraint';
  readonly name: string;
  readonly description?: string;
  readonly roles: readonly string[];
  /** Default 2. */
  readonly cardinality?: number;
  readonly dynamic?: true;
}

export type EntityRecord =
  | SettingsRecord
  | TypeRecord
  | AttributeRecord
  | RoleRecord
  | GroupRecord
  | MemberRecord
  | ObjectRecord
  | BindingRecord
  | HookRecord
  | ConstraintRecord;

export type EntityKind = EntityRecord['kind'];

/** Kinds in the order in which a load should deliver them: what is referred to comes first. */
export const entityKinds: readonly EntityKind[] = [
  'settings',
  'type',
  'attribute',
  'role',
  'group',
  'member',
  'object',
  'binding',
  'hook',
  'constraint',
];

/**
 * The identity of a record within its kind, as text. Compound identities are
 * JSON arrays: ids may hold any separator, so they are never joined by one.
 */
export function entityKey(record: EntityRecord): string {
  switch (record.kind) {
    case 'settings':
      return 'settings';
    case 'type':
    case 'attribute':
    case 'role':
      return record.name;
    case 'group':
      return record.group;
    case 'member':
      return JSON.stringify([record.group, record.member]);
    case 'object':
      return record.object;
    case 'hook':
      return record.type;
    case 'constraint':
      return record.name;
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

/**
 * The least record of an identity: what is said of it beyond that is the default.
 * @param key See entityKey; those of members and bindings must be JSON, as it makes them.
 */
export function recordOfKey(kind: EntityKind, key: string): EntityRecord {
  switch (kind) {
    case 'settings':
      return { kind, mode: 'enforce' };
    case 'type':
      return { kind, name: key };
    case 'attribute':
      return { kind, name: key, type: 'dyn' };
    case 'role':
      return { kind, name: key, permissions: [] };
    case 'group':
      return { kind, group: key };
    case 'object':
      return { kind, object: key };
    case 'hook':
      return { kind, type: key, grants: [] };
    case 'constraint':
      return { kind, name: key, roles: [] };
    case 'member': {
      const [group, member] = JSON.parse(key) as [string, string];
      return { kind, group, member };
    }
    case 'binding': {
      const [subject, role, scope, effect, name] = JSON.parse(key) as [string, string, ScopeInput, string, string?];
      return {
        kind,
        subject,
        role,
        scope,
        ...(effect === 'deny' ? { effect } : {}),
        ...(name === undefined ? {} : { name }),
      };
    }
  }
}
