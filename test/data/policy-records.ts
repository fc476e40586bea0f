/**
 * The records that a policy, written as in a policy file, stands for: a plain
 * translation without judgement, so that tests can also write what a validator
 * would refuse (cycles, undefined roles). It knows the format by its
 * documentation only; tests compare it with the parser of the product.
 */
import type { EntityRecord, Mode } from '../../src/model/entity.ts';
import type { PermissionInput } from '../../src/model/permission.ts';
import type { ScopeInput } from '../../src/model/scope.ts';

export interface WrittenPolicy {
  readonly version: 1;
  readonly mode?: Mode;
  readonly types?: Readonly<Record<string, { description?: string; actions?: string[]; parents?: string[] } | null>>;
  readonly roles?: Readonly<Record<string, WrittenRole>>;
  readonly groups?: Readonly<Record<string, readonly WrittenMember[] | WrittenGroup>>;
  readonly objects?: Readonly<Record<string, string | { parents?: readonly WrittenParent[] } | null>>;
  readonly bindings?: readonly WrittenBinding[];
}

interface WrittenRole {
  readonly description?: string;
  readonly permissions?: readonly PermissionInput[];
  readonly includes?: readonly string[];
  readonly except?: readonly string[];
  readonly grant_action?: string;
  readonly system?: boolean;
}

type WrittenMember = string | { readonly subject: string; readonly expires_at?: string };
type WrittenParent = string | { readonly object: string; readonly inherit?: boolean };

interface WrittenGroup {
  readonly description?: string;
  readonly members?: readonly WrittenMember[];
}

interface WrittenBinding {
  readonly subject: string;
  readonly role: string;
  readonly scope: ScopeInput;
  readonly effect?: 'allow' | 'deny';
  readonly name?: string;
  readonly expires_at?: string;
  readonly cascade?: boolean;
  readonly condition?: string;
  readonly locked?: boolean;
  readonly note?: string;
}

/** The records of a written policy, in the order in which it writes them. */
export function recordsOfPolicy(policy: WrittenPolicy): readonly EntityRecord[] {
  return [
    ...(policy.mode === undefined ? [] : [{ kind: 'settings' as const, mode: policy.mode }]),
    ...Object.entries(policy.types ?? {}).map(([name, type]) => ({ kind: 'type' as const, name, ...type })),
    ...Object.entries(policy.roles ?? {}).map(([name, role]) => recordOfRole(name, role)),
    ...Object.entries(policy.groups ?? {}).flatMap(([id, group]) => recordsOfGroup(`group:${id}`, group)),
    ...Object.entries(policy.objects ?? {}).map(([object, written]) => recordOfObject(object, written)),
    ...(policy.bindings ?? []).map(recordOfBinding),
  ];
}

function recordOfRole(name: string, role: WrittenRole): EntityRecord {
  return {
    kind: 'role',
    name,
    ...(role.description === undefined ? {} : { description: role.description }),
    permissions: role.permissions ?? [],
    ...(isSome(role.except) ? { except: role.except } : {}),
    ...(isSome(role.includes) ? { includes: role.includes } : {}),
    ...(role.system === true ? { system: true } : {}),
    ...(role.grant_action === undefined ? {} : { grantAction: role.grant_action }),
  };
}

function recordsOfGroup(group: string, written: readonly WrittenMember[] | WrittenGroup): readonly EntityRecord[] {
  const { description, members = [] } = 'length' in written ? { members: written } : written;
  const told: EntityRecord[] = [];
  if (description !== undefined) told.push({ kind: 'group', group, description });
  else if (members.length === 0) told.push({ kind: 'group', group });
  return [
    ...told,
    ...members.map((member): EntityRecord => {
      if (typeof member === 'string') return { kind: 'member', group, member };
      return { kind: 'member', group, member: member.subject, ...expiry(member.expires_at) };
    }),
  ];
}

function recordOfObject(object: string, written: string | { parents?: readonly WrittenParent[] } | null): EntityRecord {
  const parents = typeof written === 'string' ? [written] : (written?.parents ?? []);
  if (parents.length === 0) return { kind: 'object', object };
  return {
    kind: 'object',
    object,
    parents: parents.map((parent) => {
      if (typeof parent === 'string') return { object: parent };
      return parent.inherit === false ? { object: parent.object, inherit: false } : { object: parent.object };
    }),
  };
}

function recordOfBinding(written: WrittenBinding): EntityRecord {
  return {
    kind: 'binding',
    subject: written.subject,
    role: written.role,
    scope: written.scope,
    ...(written.effect === 'deny' ? { effect: 'deny' } : {}),
    ...(written.name === undefined ? {} : { name: written.name }),
    ...expiry(written.expires_at),
    ...(written.cascade === false ? { cascade: false } : {}),
    ...(written.condition === undefined ? {} : { condition: written.condition }),
    ...(written.locked === true ? { locked: true } : {}),
    ...(written.note === undefined ? {} : { note: written.note }),
  };
}

function expiry(written: string | undefined): { readonly expiresAt?: number } {
  return written === undefined ? {} : { expiresAt: Date.parse(written) };
}

function isSome<T>(list: readonly T[] | undefined): list is readonly T[] {
  return list !== undefined && list.length > 0;
}
