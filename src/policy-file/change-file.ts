/**
 * A file of changes to changes, each with its place, or everything that is wrong with it, with line and column.
 * Called by `postern commit`. It judges the form; whether the graph will be valid is for the sidecar to say.
 */
import type { EntityRecord, ParentEdge } from '../model/entity.ts';
import { messageOf } from '../model/errors.ts';
import { parseScope, type ScopeInput, toScopeInput } from '../model/scope.ts';
import { type ChangeItem, changeFileSchema, changeKeys } from './change-schema.ts';
import { type Finding, parseDocumentOf } from './document.ts';
import type { Path, Rejected } from './problem.ts';
import { toObject, toRecords } from './to-records.ts';
import { parseUntil } from './until.ts';

export type FileChange =
  | { readonly op: 'put'; readonly record: EntityRecord }
  /** What is said of the record beyond its identity does not count. */
  | { readonly op: 'delete'; readonly record: EntityRecord }
  | {
      readonly op: 'create';
      readonly object: string;
      readonly parents: readonly ParentEdge[];
      readonly description: string;
    }
  | { readonly op: 'remove'; readonly object: string };

export interface PlacedChange {
  readonly change: FileChange;
  /** [3, "grant"], or the place of the record in a section: [3, "put", "roles", "editor"]. */
  readonly origin: Path;
  /** Whether what it changes has to be there already. */
  readonly moves?: true;
}

export interface ParsedChanges {
  readonly ok: true;
  readonly changes: readonly PlacedChange[];
  /** The place of a field of a change: [3, "grant", "on"]. */
  readonly positionOf: (path: Path) => { readonly line: number; readonly column: number };
}

const kinds = Object.keys(changeKeys).join(', ');

/** @param nowMs What "8h" begins at; milliseconds since 1970. */
export function parseChanges(text: string, file: string, nowMs: number): ParsedChanges | Rejected {
  const beginning = 'a list of changes, such as "- grant: { subject: user:bob, role: viewer, on: doc:42 }"';
  const document = parseDocumentOf(changeFileSchema, text, file, beginning);
  if (!document.ok) return document;
  const findings: Finding[] = [];
  const tell = (path: Path, message: string) => findings.push({ path, part: 'value', message });
  if (document.data.length === 0) tell([], `the file holds no change; write ${beginning}`);
  const changes = document.data.flatMap((item, i) => {
    const keys = Object.keys(item);
    if (keys.length === 1) return toChanges(item, i, { nowMs, tell });
    tell([i], `a change is one of ${kinds}; ${keys.length === 0 ? 'none is here' : `here are ${keys.join(' and ')}`}`);
    return [];
  });
  if (findings.length > 0) return document.reject(findings);
  return { ok: true, changes, positionOf: (path) => document.positionOf({ path, part: 'value' }) };
}

interface Reading {
  readonly nowMs: number;
  tell(path: Path, message: string): void;
}

function toChanges(item: ChangeItem, i: number, reading: Reading): PlacedChange[] {
  const { grant, revoke, create, move, add, remove, put } = item;
  const [key = ''] = Object.keys(item);
  const origin: Path = [i, key];
  if (grant !== undefined) return [{ origin, change: { op: 'put', record: toBinding(grant, origin, reading) } }];
  if (revoke !== undefined) return [{ origin, change: { op: 'delete', record: toBinding(revoke, origin, reading) } }];
  if (create !== undefined) {
    const { parents = [] } = toObject(create.object, { parents: create.parents ?? [] });
    return [
      { origin, change: { op: 'create', object: create.object, parents, description: create.description ?? '' } },
    ];
  }
  if (move !== undefined) return [{ origin, moves: true, change: { op: 'put', record: toObject(move.object, move) } }];
  if (add !== undefined) {
    const { group, member, until } = add;
    const record = { kind: 'member' as const, group, member, ...toExpiry(until, origin, reading) };
    return [{ origin, change: { op: 'put', record } }];
  }
  if (remove !== undefined) return [{ origin, change: { op: 'delete', record: { kind: 'member', ...remove } } }];
  if (put !== undefined) return toPuts(put, origin, reading);
  return toDelete(item.delete, origin, reading);
}

function toBinding(
  grant: NonNullable<ChangeItem['grant']> | NonNullable<ChangeItem['revoke']>,
  origin: Path,
  reading: Reading,
): EntityRecord {
  const { subject, role, on, deny, name } = grant;
  const own = 'until' in grant || 'if' in grant || 'note' in grant || 'this_only' in grant || 'locked' in grant;
  const more = own ? (grant as NonNullable<ChangeItem['grant']>) : undefined;
  return {
    kind: 'binding',
    subject,
    role,
    scope: toScope(on, [...origin, 'on'], reading),
    ...(deny === true ? { effect: 'deny' } : {}),
    ...(name === undefined ? {} : { name }),
    ...toExpiry(more?.until, origin, reading),
    ...(more?.this_only === true ? { cascade: false } : {}),
    ...(more?.locked === true ? { locked: true } : {}),
    ...(more?.if === undefined ? {} : { condition: more.if }),
    ...(more?.note ? { note: more.note } : {}),
  };
}

function toScope(on: ScopeInput, path: Path, { tell }: Reading): ScopeInput {
  if (typeof on === 'string') return on;
  try {
    return toScopeInput(parseScope(on));
  } catch (error) {
    tell(path, messageOf(error));
    return on;
  }
}

function toExpiry(until: string | undefined, origin: Path, { nowMs, tell }: Reading): { expiresAt?: number } {
  if (until === undefined) return {};
  const at = parseUntil(until, nowMs);
  if (typeof at === 'number') return { expiresAt: at };
  tell([...origin, 'until'], `"until" ${JSON.stringify(until)} ${at}`);
  return {};
}

/** A section of a policy file, record by record. */
function toPuts(put: NonNullable<ChangeItem['put']>, origin: Path, { tell }: Reading): PlacedChange[] {
  const { records, origins } = toRecords({ ...put, version: 1 });
  if (records.length === 0) tell(origin, '"put" holds no record; write a part of a policy file, such as roles');
  return records.map((record, i) => ({ change: { op: 'put', record }, origin: [...origin, ...(origins[i] ?? [])] }));
}

function toDelete(what: ChangeItem['delete'], origin: Path, { tell }: Reading): PlacedChange[] {
  if (typeof what === 'string') return [{ origin, change: { op: 'remove', object: what } }];
  const records: EntityRecord[] = [];
  if (what?.role !== undefined) records.push({ kind: 'role', name: what.role, permissions: [] });
  if (what?.hook !== undefined) records.push({ kind: 'hook', type: what.hook, grants: [] });
  if (what?.constraint !== undefined) records.push({ kind: 'constraint', name: what.constraint, roles: [] });
  if (what?.type !== undefined) records.push({ kind: 'type', name: what.type });
  if (what?.attribute !== undefined) records.push({ kind: 'attribute', name: what.attribute, type: 'dyn' });
  if (records.length === 0)
    tell(origin, '"delete" is empty; write an object, or role, hook, constraint, type or attribute');
  return records.map((record) => ({ origin: [...origin, record.kind], change: { op: 'delete', record } }));
}
