/**
 * One order for everything that importers give, whatever the order of the
 * export: a database lists its documents as it likes, and two imports of the
 * same rules must be the same text. Called by the importers.
 */
import { type EntityRecord, entityKey, entityKinds } from '../model/entity.ts';
import type { Leftover } from './importer.ts';

/** Each record once, by kind and identity. Of two with one identity the first stays. */
export function recordsInOrder(records: Iterable<EntityRecord>): readonly EntityRecord[] {
  const byKind = new Map<string, Map<string, EntityRecord>>(entityKinds.map((kind) => [kind, new Map()]));
  for (const record of records) {
    const ofKind = byKind.get(record.kind);
    const key = entityKey(record);
    if (ofKind !== undefined && !ofKind.has(key)) ofKind.set(key, record);
  }
  return [...byKind.values()].flatMap((ofKind) => [...ofKind].sort(([a], [b]) => byText(a, b)).map(([, it]) => it));
}

/** By subject, then by what it was. */
export function leftoversInOrder(leftovers: readonly Leftover[]): readonly Leftover[] {
  return leftovers.toSorted((a, b) => byText(a.subject, b.subject) || byText(a.what, b.what));
}

/** Each text once, sorted. */
export function textsInOrder(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort(byText);
}

/** By code units, which depends on no language. */
export function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
