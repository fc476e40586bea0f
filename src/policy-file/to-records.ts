/**
 * A policy file whose shape is right, as the records of the graph, each with the place that it comes from.
 * Called by parse.ts. Defaults are left out of records (see model/entity.ts), and scopes take their shortest
 * form, so that the same policy always gives the same records.
 */
import type {
  AttributeRecord,
  BindingRecord,
  ConstraintRecord,
  EntityRecord,
  GroupRecord,
  HookGrant,
  HookRecord,
  MemberRecord,
  ObjectRecord,
  RoleRecord,
  TypeRecord,
} from '../model/entity.ts';
import type { PermissionInput } from '../model/permission.ts';
import { parseScope, type ScopeInput, toScopeInput } from '../model/scope.ts';
import { parseInstant } from './instant.ts';
import type { Path } from './problem.ts';
import type { PolicyFile } from './schema.ts';

type Of<Section extends keyof PolicyFile> = NonNullable<PolicyFile[Section]>;
type FileRole = Of<'roles'>[string];
type FileGroup = Of<'groups'>[string];
type FileObject = Of<'objects'>[string];
type FileBinding = Of<'bindings'>[number];
type FileMember = NonNullable<Extract<FileGroup, readonly unknown[]>>[number];

export interface PlacedRecords {
  /** In the order of entityKinds. */
  readonly records: EntityRecord[];
  /** Where each record comes from, by position. */
  readonly origins: Path[];
}

export function toRecords(file: PolicyFile): PlacedRecords {
  const records: EntityRecord[] = [];
  const origins: Path[] = [];
  const add = (record: EntityRecord, origin: Path) => {
    records.push(record);
    origins.push(origin);
  };
  if (file.mode !== undefined) add({ kind: 'settings', mode: file.mode }, ['mode']);
  for (const [name, type] of Object.entries(file.types ?? {})) add(toType(name, type ?? {}), ['types', name]);
  for (const [name, attribute] of Object.entries(file.attributes ?? {})) {
    add(toAttribute(name, attribute), ['attributes', name]);
  }
  for (const [name, role] of Object.entries(file.roles ?? {})) add(toRole(name, role), ['roles', name]);
  const groups = Object.entries(file.groups ?? {});
  for (const [id, group] of groups) {
    const record = toGroup(id, group);
    if (record !== undefined) add(record, ['groups', id]);
  }
  for (const [id, group] of groups) {
    const base = Array.isArray(group) ? ['groups', id] : ['groups', id, 'members'];
    membersOf(group).forEach((member, i) => {
      add(toMember(id, member), [...base, i]);
    });
  }
  for (const [name, object] of Object.entries(file.objects ?? {})) add(toObject(name, object), ['objects', name]);
  file.bindings?.forEach((binding, i) => {
    add(toBinding(binding), ['bindings', i]);
  });
  for (const [type, grants] of Object.entries(file.hooks ?? {})) add(toHook(type, grants), ['hooks', type]);
  for (const [name, constraint] of Object.entries(file.constraints ?? {})) {
    add(toConstraint(name, constraint), ['constraints', name]);
  }
  return { records, origins };
}

function toType(name: string, { description, actions, parents }: NonNullable<Of<'types'>[string]>): TypeRecord {
  return {
    kind: 'type',
    name,
    ...(description ? { description } : {}),
    ...(actions === undefined ? {} : { actions }),
    ...(parents === undefined ? {} : { parents }),
  };
}

function toAttribute(name: string, attribute: Of<'attributes'>[string]): AttributeRecord {
  if (typeof attribute === 'string') return { kind: 'attribute', name, type: attribute };
  const { type, description } = attribute;
  return { kind: 'attribute', name, type, ...(description ? { description } : {}) };
}

function toRole(name: string, role: FileRole): RoleRecord {
  const { description, includes, permissions, except, grant_action: grantAction, system } = role;
  return {
    kind: 'role',
    name,
    ...(description ? { description } : {}),
    permissions: (permissions ?? []).map(toPermission),
    ...(except?.length ? { except } : {}),
    ...(includes?.length ? { includes } : {}),
    ...(system === true ? { system } : {}),
    ...(grantAction === undefined || grantAction === 'grant' ? {} : { grantAction }),
  };
}

function toPermission(input: PermissionInput): PermissionInput {
  return typeof input === 'string' ? input : { objects: shortestScope(input.objects), actions: input.actions };
}

function toGroup(id: string, group: FileGroup): GroupRecord | undefined {
  const description = group === null || Array.isArray(group) ? undefined : group.description;
  if (description) return { kind: 'group', group: `group:${id}`, description };
  return membersOf(group).length === 0 ? { kind: 'group', group: `group:${id}` } : undefined;
}

function membersOf(group: FileGroup): readonly FileMember[] {
  if (group === null) return [];
  return Array.isArray(group) ? group : (group.members ?? []);
}

function toMember(id: string, member: FileMember): MemberRecord {
  const group = `group:${id}`;
  if (typeof member === 'string') return { kind: 'member', group, member };
  return { kind: 'member', group, member: member.subject, ...expiry(member.expires_at) };
}

export function toObject(object: string, value: FileObject): ObjectRecord {
  const parents = typeof value === 'string' ? [value] : (value?.parents ?? []);
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

function toBinding(binding: FileBinding): BindingRecord {
  const { subject, role, scope, effect, name, expires_at, cascade, condition, locked, note } = binding;
  return {
    kind: 'binding',
    subject,
    role,
    scope: shortestScope(scope),
    ...(effect === 'deny' ? { effect } : {}),
    ...(name === undefined ? {} : { name }),
    ...expiry(expires_at),
    ...(cascade === false ? { cascade } : {}),
    ...(locked === true ? { locked } : {}),
    ...(condition === undefined ? {} : { condition }),
    ...(note ? { note } : {}),
  };
}

function toHook(type: string, grants: Of<'hooks'>[string]): HookRecord {
  return { kind: 'hook', type, grants: grants.map(toHookGrant) };
}

function toHookGrant(grant: Of<'hooks'>[string][number]): HookGrant {
  if ('group' in grant) return { group: grant.group, member: grant.member };
  const { role, subject, scope, cascade, locked, note } = grant;
  return {
    role,
    subject,
    ...(scope === undefined ? {} : { scope: shortestScope(scope) }),
    ...(cascade === false ? { cascade } : {}),
    ...(locked === true ? { locked } : {}),
    ...(note ? { note } : {}),
  };
}

function toConstraint(name: string, constraint: Of<'constraints'>[string]): ConstraintRecord {
  const { description, roles, cardinality, dynamic } = constraint;
  return {
    kind: 'constraint',
    name,
    ...(description ? { description } : {}),
    roles,
    ...(cardinality === undefined || cardinality === 2 ? {} : { cardinality }),
    ...(dynamic === true ? { dynamic } : {}),
  };
}

function expiry(text: string | undefined): { expiresAt?: number } {
  const expiresAt = text === undefined ? undefined : parseInstant(text);
  return expiresAt === undefined ? {} : { expiresAt };
}

/** Equal scopes must have equal identities; one that does not parse is left for validation to refuse. */
function shortestScope(input: ScopeInput): ScopeInput {
  if (typeof input === 'string') return input;
  try {
    return toScopeInput(parseScope(input));
  } catch {
    return input;
  }
}
