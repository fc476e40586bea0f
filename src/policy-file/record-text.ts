/**
 * Records of a role graph, and what changes in them, in the words of the policy file, a line each. Pure text; called
 * by diff-text.ts. What decides who may do what is always said; a line is cut in its lists alone, and says so.
 */
import { sameData } from '../graph/diff.ts';
import {
  type BindingRecord,
  type EntityRecord,
  entityKey,
  type HookGrant,
  type HookRecord,
  type MemberRecord,
  type ObjectRecord,
  type ParentEdge,
  type RoleRecord,
  type TypeRecord,
} from '../model/entity.ts';
import type { PermissionInput } from '../model/permission.ts';
import { formatInstant } from './instant.ts';

/** The most of a line's characters that its lists fill, together; each one has at least `leastOfList`. */
const maxOfLists = 140;
const leastOfList = 40;
/** The most that is shown of one text, such as a condition. */
const maxOfText = 120;

/** What a record is. */
export function nameRecord(record: EntityRecord): string {
  switch (record.kind) {
    case 'settings':
      return 'mode';
    case 'member':
      return `member ${visible(record.member)} of ${visible(record.group)}`;
    case 'binding':
      return nameBinding(record);
    case 'group':
      return visible(record.group);
    default:
      return `${record.kind} ${visible(entityKey(record))}`;
  }
}

function nameBinding({ subject, role, scope, effect, name }: BindingRecord): string {
  const prefix = effect === 'deny' ? 'deny binding' : 'binding';
  const named = name === undefined ? '' : ` (${visible(name)})`;
  return `${prefix} ${visible(subject)} ${visible(role)} on ${showScope(scope)}${named}`;
}

/** A record that comes: what it is, and all of it that counts. */
export function describeRecord(record: EntityRecord): string {
  if (record.kind === 'settings') return `mode ${record.mode}`;
  return [nameRecord(record), ...extrasOf(record)].join(', ');
}

/** A record that goes: what it is, and under which limits it held. */
export function describeRemoved(record: EntityRecord): string {
  const limits = record.kind === 'binding' || record.kind === 'member' ? extrasOf(record) : [];
  return [nameRecord(record), ...limits].join(', ');
}

function extrasOf(record: EntityRecord): string[] {
  switch (record.kind) {
    case 'binding':
      return [
        ...describeExpiry(record),
        ...(record.cascade === false ? ['that object only'] : []),
        ...(record.locked === true ? ['locked'] : []),
        // Last: nothing that it holds can pass for one of the others.
        ...(record.condition === undefined ? [] : [`if ${cut(onOneLine(record.condition))}`]),
      ];
    case 'member':
      return describeExpiry(record);
    case 'attribute':
      return [visible(record.type)];
    case 'type':
      return listsOf(record, ['actions', 'parents']);
    case 'role':
      return [
        ...(record.system === true ? ['system'] : []),
        ...(record.grantAction === undefined ? [] : [`grant_action ${visible(record.grantAction)}`]),
        ...listsOf(record, ['permissions', 'includes', 'except']),
      ];
    case 'object':
      return listsOf(record, ['parents']);
    case 'hook':
      return listsOf(record, ['grants']);
    case 'constraint': {
      const most = `${record.cardinality ?? 2} of ${joined(record.roles.map(visible), maxOfLists)}`;
      return [most, ...(record.dynamic === true ? ['dynamic'] : [])];
    }
    default:
      return [];
  }
}

type Listing = TypeRecord | RoleRecord | ObjectRecord | HookRecord;

/** "permissions doc:read doc:write", for each list that is there. */
function listsOf(record: Listing, fields: readonly string[]): string[] {
  const lists = fields.flatMap((field) => {
    const items = (record as unknown as Fields)[field];
    return Array.isArray(items) ? [[field, items.map(showItem)] as const] : [];
  });
  const filled = lists.filter(([, items]) => items.length > 0).length;
  // What is declared and empty forbids; in a role, it is a role that grants nothing by itself.
  return lists.map(([field, items]) =>
    items.length === 0 ? `no ${field}` : `${field} ${joined(items, maxOfLists / filled)}`,
  );
}

function describeExpiry({ expiresAt }: BindingRecord | MemberRecord): string[] {
  return expiresAt === undefined ? [] : [`until ${formatInstant(expiresAt)}`];
}

type Fields = Readonly<Record<string, unknown>>;

/** What the policy file calls a field, where that is not what the record calls it. */
const fileNames: Readonly<Record<string, string>> = { expiresAt: 'expires_at', grantAction: 'grant_action' };

/** What a field means where it is left out, by "kind.field"; "none" for all others. */
const defaults: Readonly<Record<string, string>> = {
  'binding.cascade': 'true',
  'binding.locked': 'false',
  'role.grantAction': 'grant',
  'constraint.cardinality': '2',
  'constraint.dynamic': 'false',
  'type.actions': 'open',
  'type.parents': 'open',
};

/** "permissions +doc:list -doc:peek; expires_at none -> 2027-01-01T00:00:00Z". */
export function describeFields(was: EntityRecord, record: EntityRecord): string {
  const before = was as unknown as Fields;
  const after = record as unknown as Fields;
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => !sameData(before[field], after[field]))
    .sort();
  if (record.kind === 'settings') return `${show(before.mode, '')} -> ${show(after.mode, '')}`;
  return fields
    .map((field) => {
      const byDefault = defaults[`${record.kind}.${field}`] ?? 'none';
      const change = describeField(before[field], after[field], byDefault, maxOfLists / fields.length, field);
      return `${fileNames[field] ?? field} ${change}`;
    })
    .join('; ');
}

function describeField(before: unknown, after: unknown, byDefault: string, room: number, field: string): string {
  const isList = Array.isArray(before ?? []) && Array.isArray(after ?? []);
  if (isList && byDefault === 'open' && (before === undefined || after === undefined)) {
    const words = (list: unknown) =>
      list === undefined ? 'open' : joined((list as unknown[]).map(showItem), room) || 'none';
    return `${words(before)} -> ${words(after)}`;
  }
  if (!isList) {
    const value = field === 'expiresAt' ? showInstant : (one: unknown) => show(one, byDefault);
    return `${value(before)} -> ${value(after)}`;
  }
  const olds = new Set(((before ?? []) as unknown[]).map(showItem));
  const news = new Set(((after ?? []) as unknown[]).map(showItem));
  const added = [...news].filter((item) => !olds.has(item)).map((item) => `+${item}`);
  const gone = [...olds].filter((item) => !news.has(item)).map((item) => `-${item}`);
  if (added.length === 0 && gone.length === 0) return 'in another order';
  // Each by itself: what comes must not push what goes out of sight.
  return [added, gone]
    .filter((items) => items.length > 0)
    .map((items) => joined(items, room / 2))
    .join(' ');
}

/** An element of any of the lists that records hold. */
function showItem(item: unknown): string {
  if (typeof item === 'string') return visible(item);
  const value = item as PermissionInput | ParentEdge | HookGrant;
  if (typeof value === 'string') return visible(value);
  if ('actions' in value) return `"${value.actions.map(visible).join(' ')} on ${showScope(value.objects)}"`;
  if ('group' in value) return `${visible(value.member)} in ${visible(value.group)};`;
  if ('object' in value) return `${visible(value.object)}${value.inherit === false ? ' (no inherit)' : ''}`;
  const marks = [
    ...(value.cascade === false ? ['that object only'] : []),
    ...(value.locked === true ? ['locked'] : []),
    ...(value.note === undefined ? [] : [`note ${visible(value.note)}`]),
  ];
  const where = value.scope === undefined ? '' : ` on ${showScope(value.scope)}`;
  const marked = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
  return `${visible(value.role)} for ${visible(value.subject)}${where}${marked};`;
}

/** Separated by spaces, as many as there is room for, and at least one: "doc:a doc:b ... and 12 more". */
function joined(items: readonly string[], room: number): string {
  const most = Math.max(room, leastOfList);
  let length = 0;
  let shown = 0;
  for (const item of items) {
    length += item.length + 1;
    if (shown > 0 && length > most) break;
    shown++;
  }
  const rest = items.length - shown;
  // To leave out one would take as much room as to show it.
  const end = rest <= 1 ? items.slice(shown) : [`... and ${rest} more`];
  return [...items.slice(0, shown), ...end].join(' ').replace(/;$/, '');
}

function showInstant(value: unknown): string {
  return typeof value === 'number' ? formatInstant(value) : 'none';
}

function show(value: unknown, byDefault: string): string {
  if (value === undefined) return byDefault;
  return typeof value === 'string' ? visible(cut(value)) : JSON.stringify(value);
}

function showScope(scope: BindingRecord['scope']): string {
  return typeof scope === 'string' ? visible(scope) : JSON.stringify(scope);
}

function onOneLine(text: string): string {
  return text.replace(/[\s\p{C}]+/gu, ' ').trim();
}

function cut(text: string): string {
  const characters = [...text];
  const rest = characters.length - maxOfText;
  return rest <= 20 ? text : `${characters.slice(0, maxOfText).join('')}... and ${rest} more characters`;
}

/** As it is where no reader can mistake its end, else in quotes. */
function visible(text: string): string {
  if (/^[^\s\p{C}",]+$/u.test(text)) return text;
  return /^[^\p{C}'\\]*$/u.test(text) && text.includes('"') ? `'${text}'` : JSON.stringify(text);
}
