/**
 * The change set that leads from one graph to another. Called by `postern diff`
 * and `postern apply`, and by whoever keeps a store in step with a policy file.
 * It compares data only; whether the result is a valid graph is validate's.
 */
import type { Change } from '../model/change.ts';
import { type EntityKind, type EntityRecord, entityKey, entityKinds } from '../model/entity.ts';

type RecordsByKind = Map<EntityKind, Map<string, EntityRecord>>;

/**
 * Puts for what is new or differs, deletes for what is gone, each with the record that it replaces. Deletes come first, dependents before what
 * they depend on; then puts, in the order of entityKinds. Within a kind the order is that of the keys, so
 * the result depends on the two graphs alone. Where an identity comes twice, the last one counts.
 */
export function diff(from: Iterable<EntityRecord>, to: Iterable<EntityRecord>): Change[] {
  const before = byKind(from);
  const after = byKind(to);
  const changes: Change[] = [];
  for (const kind of entityKinds.toReversed()) {
    const kept = after.get(kind);
    const gone = [...(before.get(kind)?.keys() ?? [])].filter((key) => kept?.has(key) !== true);
    for (const key of gone.sort()) changes.push({ op: 'delete', kind, key, ...beforeOf(before.get(kind)?.get(key)) });
  }
  for (const kind of entityKinds) {
    const known = before.get(kind);
    const puts: [string, EntityRecord][] = [];
    for (const entry of after.get(kind) ?? []) {
      const old = known?.get(entry[0]);
      if (old === undefined || !sameData(old, entry[1])) puts.push(entry);
    }
    puts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    for (const [key, record] of puts) changes.push({ op: 'put', record, ...beforeOf(known?.get(key)) });
  }
  return changes;
}

/** Whether two pieces of JSON data are equal, whatever the order of their keys; an undefined field is an absent one. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  }
  const fields = definedFields(a);
  const others = b as Record<string, unknown>;
  return fields.length === definedFields(b).length && fields.every(([key, value]) => sameData(value, others[key]));
}

function beforeOf(before: EntityRecord | undefined): { readonly before?: EntityRecord } {
  return before === undefined ? {} : { before };
}

function definedFields(data: object): [string, unknown][] {
  return Object.entries(data).filter(([, value]) => value !== undefined);
}

function byKind(records: Iterable<EntityRecord>): RecordsByKind {
  const kinds: RecordsByKind = new Map();
  for (const record of records) {
    let ofKind = kinds.get(record.kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      kinds.set(record.kind, ofKind);
    }
    ofKind.set(entityKey(record), record);
  }
  return kinds;
}
