/** Records to messages: every default is written as the wire writes it. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  AttributeSchema,
  BindingSchema,
  ConstraintSchema,
  GroupSchema,
  HookGrantSchema,
  HookSchema,
  MemberSchema,
  ObjectSchema,
  PermissionSchema,
  RecordSchema,
  RoleSchema,
  TypeSchema,
} from '../../gen/postern/v1/policy_pb.ts';
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
} from '../../model/entity.ts';
import type { PermissionInput } from '../../model/permission.ts';
import { modeNumbers } from '../wire/enums.ts';
import { fromInstant } from './instants.ts';
import { fromScope } from './scopes.ts';

const maxUint32 = 0xffff_ffff;

export function fromRecord(record: EntityRecord): MessageInitShape<typeof RecordSchema> {
  switch (record.kind) {
    case 'settings':
      return { record: { case: 'settings', value: { mode: modeNumbers[record.mode] } } };
    case 'type':
      return { record: { case: 'type', value: fromType(record) } };
    case 'attribute':
      return { record: { case: 'attribute', value: fromAttribute(record) } };
    case 'role':
      return { record: { case: 'role', value: fromRole(record) } };
    case 'group':
      return { record: { case: 'group', value: fromGroup(record) } };
    case 'member':
      return { record: { case: 'member', value: fromMember(record) } };
    case 'object':
      return { record: { case: 'object', value: fromObject(record) } };
    case 'binding':
      return { record: { case: 'binding', value: fromBinding(record) } };
    case 'hook':
      return { record: { case: 'hook', value: fromHook(record) } };
    case 'constraint':
      return { record: { case: 'constraint', value: fromConstraint(record) } };
  }
}

export function fromType({
  name,
  description = '',
  actions,
  parents,
}: TypeRecord): MessageInitShape<typeof TypeSchema> {
  return {
    name,
    description,
    ...(actions === undefined ? {} : { actions: { names: [...actions] } }),
    ...(parents === undefined ? {} : { parents: { names: [...parents] } }),
  };
}

export function fromAttribute(record: AttributeRecord): MessageInitShape<typeof AttributeSchema> {
  const { name, type, description = '' } = record;
  return { name, type, description };
}

export function fromRole(record: RoleRecord): MessageInitShape<typeof RoleSchema> {
  const { name, description = '', permissions, except = [], includes = [], system = false, grantAction = '' } = record;
  return {
    name,
    description,
    permissions: permissions.map(fromPermission),
    except: [...except],
    includes: [...includes],
    system,
    grantAction,
  };
}

function fromPermission(permission: PermissionInput): MessageInitShape<typeof PermissionSchema> {
  if (typeof permission === 'string') return { short: permission };
  return { objects: fromScope(permission.objects), actions: [...permission.actions] };
}

export function fromGroup({ group, description = '' }: GroupRecord): MessageInitShape<typeof GroupSchema> {
  return { group, description };
}

export function fromMember({ group, member, expiresAt }: MemberRecord): MessageInitShape<typeof MemberSchema> {
  return { group, member, ...fromExpiry(expiresAt) };
}

export function fromObject({ object, parents = [] }: ObjectRecord): MessageInitShape<typeof ObjectSchema> {
  return { object, parents: parents.map((edge) => ({ object: edge.object, noInherit: edge.inherit === false })) };
}

export function fromBinding(record: BindingRecord): MessageInitShape<typeof BindingSchema> {
  const { subject, role, scope, name = '', condition = '', locked = false, note = '' } = record;
  return {
    subject,
    role,
    scope: fromScope(scope),
    effect: record.effect === 'deny' ? 2 : 1,
    name,
    ...fromExpiry(record.expiresAt),
    noCascade: record.cascade === false,
    condition,
    locked,
    note,
  };
}

export function fromHook({ type, grants }: HookRecord): MessageInitShape<typeof HookSchema> {
  return { type, grants: grants.map(fromGrant) };
}

function fromGrant(grant: HookGrant): MessageInitShape<typeof HookGrantSchema> {
  if ('group' in grant) return { group: grant.group, member: grant.member };
  const { role, subject, scope, cascade, locked = false, note = '' } = grant;
  return {
    role,
    subject,
    scope: scope === undefined ? '' : fromScope(scope),
    noCascade: cascade === false,
    locked,
    note,
  };
}

export function fromConstraint(record: ConstraintRecord): MessageInitShape<typeof ConstraintSchema> {
  const { name, description = '', roles, cardinality = 2, dynamic = false } = record;
  // No constraint has so many roles that more would mean anything else.
  return { name, description, roles: [...roles], cardinality: Math.min(cardinality, maxUint32), dynamic };
}

function fromExpiry(expiresAt: number | undefined) {
  return expiresAt === undefined ? {} : { expiresAt: fromInstant(expiresAt) };
}
