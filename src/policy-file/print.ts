/**
 * Records as a policy file, for `postern export`: the inverse of parse.ts. The text depends on the records only,
 * not on their order, so that two exports differ where the graphs differ. Short forms are used where they say all.
 */
import {
  type AttributeRecord,
  type BindingRecord,
  type ConstraintRecord,
  type EntityKind,
  type EntityRecord,
  entityKey,
  type GroupRecord,
  type HookGrant,
  type HookRecord,
  type MemberRecord,
  type ObjectRecord,
  type ParentEdge,
  type RoleRecord,
  type TypeRecord,
} from '../model/entity.ts';
import type { PermissionInput } from '../model/permission.ts';
import type { ScopeInput } from '../model/scope.ts';
import { formatInstant } from './instant.ts';
import { printFields, printList, printText } from './yaml-text.ts';

const heading = 'version: 1\n';

/** The policy file of a graph, as lines to be written one after the other. A record that comes twice is printed once. */
export function* printPolicy(records: Iterable<EntityRecord>): Generator<string, void> {
  const sorted = sortRecords(records);
  yield heading;
  for (const { mode } of sorted.settings) yield `mode: ${mode}\n`;
  yield* printSection('types', sorted.type, printType);
  yield* printSection('attributes', sorted.attribute, printAttribute);
  yield* printSection('roles', sorted.role, printRole);
  yield* printSection('groups', gatherGroups(sorted.group, sorted.member), printGroup);
  yield* printSection('objects', sorted.object, printObject);
  yield* printSection('bindings', sorted.binding, printBinding);
  yield* printSection('hooks', sorted.hook, printHook);
  yield* printSection('constraints', sorted.constraint, printConstraint);
}

/** The whole text at once. */
export function formatPolicy(records: Iterable<EntityRecord>): string {
  return [...printPolicy(records)].join('');
}

type Sorted = { readonly [K in EntityKind]: readonly Extract<EntityRecord, { kind: K }>[] };

function sortRecords(records: Iterable<EntityRecord>): Sorted {
  const maps: { [K in EntityKind]: Map<string, EntityRecord> } = {
    settings: new Map(),
    type: new Map(),
    attribute: new Map(),
    role: new Map(),
    group: new Map(),
    member: new Map(),
    object: new Map(),
    binding: new Map(),
    hook: new Map(),
    constraint: new Map(),
  };
  for (const record of records) maps[record.kind].set(entityKey(record), record);
  const entries = Object.entries(maps).map(([kind, map]) => [kind, inOrder(map)]);
  return Object.fromEntries(entries) as Sorted;
}

function inOrder<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function* printSection<T>(name: string, items: readonly T[], print: (item: T) => string): Generator<string, void> {
  if (items.length === 0) return;
  yield `\n${name}:\n`;
  for (const item of items) yield print(item);
}

function printType({ name, description, actions, parents }: TypeRecord): string {
  const fields = [
    description && `    description: ${printText(description)}\n`,
    actions && `    actions:${printList(actions.map(printText), 4)}\n`,
    parents && `    parents:${printList(parents.map(printText), 4)}\n`,
  ];
  return printEntry(name, fields.filter(isText));
}

function printAttribute({ name, type, description }: AttributeRecord): string {
  if (!description) return `  ${printText(name)}: ${printText(type)}\n`;
  return printEntry(name, [`    type: ${printText(type)}\n`, `    description: ${printText(description)}\n`]);
}

function printRole(role: RoleRecord): string {
  const { name, description, includes, permissions, except, grantAction, system } = role;
  const fields = [
    description && `    description: ${printText(description)}\n`,
    includes?.length && `    includes:${printList(includes.map(printText), 4)}\n`,
    permissions.length > 0 && `    permissions:${printList(permissions.map(printPermission), 4)}\n`,
    except?.length && `    except:${printList(except.map(printText), 4)}\n`,
    grantAction && `    grant_action: ${printText(grantAction)}\n`,
    system && '    system: true\n',
  ];
  return printEntry(name, fields.filter(isText));
}

interface Group {
  readonly id: string;
  description?: string;
  readonly members: MemberRecord[];
}

function gatherGroups(records: readonly GroupRecord[], members: readonly MemberRecord[]): readonly Group[] {
  const groups = new Map<string, Group>();
  const groupOf = (name: string) => {
    let group = groups.get(name);
    if (group === undefined) {
      group = { id: name.slice('group:'.length), members: [] };
      groups.set(name, group);
    }
    return group;
  };
  for (const { group, description } of records) {
    const printed = groupOf(group);
    if (description) printed.description = description;
  }
  for (const member of members) groupOf(member.group).members.push(member);
  return inOrder(groups);
}

function printGroup({ id, description, members }: Group): string {
  const items = members.map(printMember);
  if (description === undefined) return `  ${printText(id)}:${printList(items, 2)}\n`;
  const list = items.length === 0 ? '' : `    members:${printList(items, 4)}\n`;
  return `  ${printText(id)}:\n    description: ${printText(description)}\n${list}`;
}

function printMember({ member, expiresAt }: MemberRecord): string {
  if (expiresAt === undefined) return printText(member);
  return printFields([
    ['subject', printText(member)],
    ['expires_at', formatInstant(expiresAt)],
  ]);
}

function printObject({ object, parents = [] }: ObjectRecord): string {
  const [first] = parents;
  if (first === undefined) return `  ${printText(object)}: {}\n`;
  if (parents.length === 1 && first.inherit !== false) return `  ${printText(object)}: ${printText(first.object)}\n`;
  return `  ${printText(object)}: { parents: [${parents.map(printParent).join(', ')}] }\n`;
}

function printParent({ object, inherit }: ParentEdge): string {
  if (inherit !== false) return printText(object);
  return printFields([
    ['object', printText(object)],
    ['inherit', 'false'],
  ]);
}

function printBinding(binding: BindingRecord): string {
  const { subject, role, scope, effect, name, expiresAt, cascade, condition, locked, note } = binding;
  const fields = printFields([
    ['subject', printText(subject)],
    ['role', printText(role)],
    ['scope', printScope(scope)],
    ['effect', effect],
    ['name', name === undefined ? undefined : printText(name)],
    ['expires_at', expiresAt === undefined ? undefined : formatInstant(expiresAt)],
    ['cascade', cascade === false ? 'false' : undefined],
    ['locked', locked === true ? 'true' : undefined],
    ['condition', condition === undefined ? undefined : printText(condition)],
    ['note', note ? printText(note) : undefined],
  ]);
  return `  - ${fields}\n`;
}

function printHook({ type, grants }: HookRecord): string {
  return `  ${printText(type)}:${printList(grants.map(printGrant), 2)}\n`;
}

function printGrant(grant: HookGrant): string {
  if ('group' in grant) {
    return printFields([
      ['group', printText(grant.group)],
      ['member', printText(grant.member)],
    ]);
  }
  const { role, subject, scope, cascade, locked, note } = grant;
  return printFields([
    ['role', printText(role)],
    ['subject', printText(subject)],
    ['scope', scope === undefined ? undefined : printScope(scope)],
    ['cascade', cascade === false ? 'false' : undefined],
    ['locked', locked === true ? 'true' : undefined],
    ['note', note ? printText(note) : undefined],
  ]);
}

function printConstraint({ name, description, roles, cardinality, dynamic }: ConstraintRecord): string {
  const fields = [
    description && `    description: ${printText(description)}\n`,
    `    roles:${printList(roles.map(printText), 4)}\n`,
    cardinality !== undefined && `    cardinality: ${cardinality}\n`,
    dynamic && '    dynamic: true\n',
  ];
  return printEntry(name, fields.filter(isText));
}

function printPermission(permission: PermissionInput): string {
  if (typeof permission === 'string') return printText(permission);
  return printFields([
    ['objects', printScope(permission.objects)],
    ['actions', `[${permission.actions.map(printText).join(', ')}]`],
  ]);
}

function printScope(scope: ScopeInput): string {
  if (typeof scope === 'string') return printText(scope);
  if ('object' in scope) return printFields([['object', printText(scope.object)]]);
  return printFields([
    ['type', printText(scope.type)],
    ['regex', printText(scope.regex)],
  ]);
}

function printEntry(name: string, fields: readonly string[]): string {
  return fields.length === 0 ? `  ${printText(name)}: {}\n` : `  ${printText(name)}:\n${fields.join('')}`;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
