/**
 * Messages of records to the JSON that a store would hold, still untrusted: absence where the wire has a default.
 * Only what JSON cannot say is judged here; names, lengths and forms are judged by the parser of records.
 */
import type {
  Attribute,
  Binding,
  Constraint,
  Hook,
  HookGrant,
  Member,
  Object$ as ObjectMessage,
  Parent,
  Permission,
  Record as RecordMessage,
  Role,
  Settings,
  Type,
} from '../../gen/postern/v1/policy_pb.ts';
import type { EntityKind, Mode } from '../../model/entity.ts';
import type { Json } from '../../model/parse-fields.ts';
import { modeNumbers } from '../wire/enums.ts';
import { toInstant } from './instants.ts';
import type { Problems } from './problems.ts';
import { toScopeDraft } from './scopes.ts';

/** The value of the oneof of a Record that is set. */
export type RecordCase = Extract<RecordMessage['record'], { readonly case: EntityKind }>;

/** @param path Of the message in the request: "changes[3].put.binding". */
export function toDraft(record: RecordCase, path: string, problems: Problems): Json {
  switch (record.case) {
    case 'settings':
      return settingsDraft(record.value, path, problems);
    case 'type':
      return typeDraft(record.value);
    case 'attribute':
      return attributeDraft(record.value);
    case 'role':
      return roleDraft(record.value, path, problems);
    case 'group':
      return compact({ kind: 'group', group: record.value.group, description: optional(record.value.description) });
    case 'member':
      return memberDraft(record.value, path, problems);
    case 'object':
      return objectDraft(record.value);
    case 'binding':
      return bindingDraft(record.value, path, problems);
    case 'hook':
      return hookDraft(record.value, path, problems);
    case 'constraint':
      return constraintDraft(record.value);
  }
}

const modes = new Map(Object.entries(modeNumbers).map(([mode, number]) => [number as number, mode as Mode]));

function settingsDraft({ mode }: Settings, path: string, problems: Problems): Json {
  if (mode === 0) problems.add(`${path}.mode`, 'is not set; send MODE_ENFORCE, MODE_SHADOW or MODE_OFF');
  else if (!modes.has(mode)) problems.add(`${path}.mode`, unknownNumber(mode));
  return { kind: 'settings', mode: modes.get(mode) ?? 'enforce' };
}

function typeDraft({ name, description, actions, parents }: Type): Json {
  return compact({
    kind: 'type',
    name,
    description: optional(description),
    actions: actions?.names,
    parents: parents?.names,
  });
}

function attributeDraft({ name, type, description }: Attribute): Json {
  return compact({ kind: 'attribute', name, type, description: optional(description) });
}

function roleDraft(role: Role, path: string, problems: Problems): Json {
  const { name, description, permissions, except, includes, system, grantAction } = role;
  return compact({
    kind: 'role',
    name,
    description: optional(description),
    permissions: permissions.map((each, i) => permissionDraft(each, `${path}.permissions[${i}]`, problems)),
    except,
    includes,
    system,
    grantAction: optional(grantAction),
  });
}

function permissionDraft({ short, objects, actions }: Permission, path: string, problems: Problems): unknown {
  const long = objects !== '' || actions.length > 0;
  if (short !== '') {
    if (long) problems.add(path, 'has short and objects or actions; set one form only');
    return short;
  }
  if (!long) problems.add(path, 'is empty; set short, or objects and actions');
  else if (actions.length === 0) problems.add(`${path}.actions`, 'is empty; name an action, or "*" for all');
  else return { objects: toScopeDraft(objects, `${path}.objects`, problems) ?? '*', actions };
  return '*';
}

function memberDraft({ group, member, expiresAt }: Member, path: string, problems: Problems): Json {
  return compact({ kind: 'member', group, member, expiresAt: toInstant(expiresAt, `${path}.expires_at`, problems) });
}

function objectDraft({ object, parents }: ObjectMessage): Json {
  return { kind: 'object', object, parents: parentsDraft(parents) };
}

/** Edges as a record holds them, still untrusted. */
export function parentsDraft(parents: readonly Parent[]): readonly Json[] {
  return parents.map(({ object, noInherit }) => ({ object, inherit: !noInherit }));
}

function bindingDraft(binding: Binding, path: string, problems: Problems): Json {
  const { subject, role, scope, effect, name, expiresAt, noCascade, condition, locked, note } = binding;
  if (effect > 2 || effect < 0) problems.add(`${path}.effect`, unknownNumber(effect));
  return compact({
    kind: 'binding',
    subject,
    role,
    scope: toScopeDraft(scope, `${path}.scope`, problems) ?? '*',
    effect: effect === 2 ? 'deny' : undefined,
    name: optional(name),
    expiresAt: toInstant(expiresAt, `${path}.expires_at`, problems),
    cascade: !noCascade,
    condition: optional(condition),
    locked,
    note: optional(note),
  });
}

function hookDraft({ type, grants }: Hook, path: string, problems: Problems): Json {
  return { kind: 'hook', type, grants: grants.map((each, i) => grantDraft(each, `${path}.grants[${i}]`, problems)) };
}

function grantDraft(grant: HookGrant, path: string, problems: Problems): Json {
  const { role, subject, scope, noCascade, locked, note, group, member } = grant;
  const isMember = group !== '' || member !== '';
  if (isMember) {
    if (role !== '' || subject !== '' || scope !== '' || noCascade || locked || note !== '') {
      problems.add(path, 'has fields of a binding beside group and member; make two grants of it');
    }
    return { group, member };
  }
  return compact({
    role,
    subject,
    scope: scope === '' ? undefined : (toScopeDraft(scope, `${path}.scope`, problems) ?? '*'),
    cascade: !noCascade,
    locked,
    note: optional(note),
  });
}

function constraintDraft({ name, description, roles, cardinality, dynamic }: Constraint): Json {
  return compact({
    kind: 'constraint',
    name,
    description: optional(description),
    roles,
    cardinality: cardinality === 0 ? undefined : cardinality,
    dynamic,
  });
}

function unknownNumber(number: number): string {
  return `is ${number}, which this version does not know; send a value that its proto lists`;
}

/** The text, or absence where the wire has none. */
export function optional(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** Without the fields that are undefined. */
export function compact(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
