/**
 * Reads the change stream of a tenant from its end towards its beginning, for whoever shows what happened last. The
 * entries of a change set come last part first, so that it is whole when its first part was read. As history.ts, it
 * must never return a history with a gap, or a change set of which a part is missing.
 */
import type { Change, ChangeSet, Revision } from '../../model/change.ts';
import type { RedisClient } from './connection.ts';
import { parseEntry, parseFirstEntry } from './decode.ts';
import { finish, maxChangesPerRead, pageEntries, readHead } from './history.ts';
import type { TenantKeys } from './keys.ts';

/** The later parts of a change set whose first is not read yet. */
interface Unfinished {
  /** The changes of each part, last part first. */
  readonly parts: (readonly Change[])[];
  /** The number of the part that has to come next. */
  next: number;
}

/** What Store.changesBefore promises. @throws what the client throws; PosternError STORE_CORRUPT */
export async function readChangesBefore(
  client: RedisClient,
  keys: TenantKeys,
  before: Revision | undefined,
  limit: number,
): Promise<readonly ChangeSet[]> {
  const head = await readHead(client, keys);
  if (head === undefined || limit < 1 || (before !== undefined && before.epoch !== head.epoch)) return [];
  // What was committed after the head was read is beyond the list's beginning.
  const end = Math.min(before?.number ?? Number.POSITIVE_INFINITY, head.number + 1);
  // Nothing is before the first; and Redis refuses an interval that ends before the least id.
  if (end <= 1) return [];
  const found: ChangeSet[] = [];
  let changes = 0;
  let unfinished: Unfinished | undefined;
  for (let last = `${end}-0`; ; ) {
    const wanted = unfinished === undefined ? Math.min(limit - found.length, pageEntries) : pageEntries;
    const page = await client.xrevrange(keys.changes, `(${last}`, '-', 'COUNT', wanted);
    for (const [id, fields] of page) {
      const where = `key ${keys.changes} entry ${id}`;
      const number = end - 1 - found.length;
      const part = partOf(id, number);
      // Another revision, or another part, than the one that has to come: what lies between is gone.
      if (part === undefined || (unfinished !== undefined && part !== unfinished.next)) return found;
      unfinished ??= { parts: [], next: part };
      unfinished.next--;
      if (part > 0) {
        unfinished.parts.push(parseEntry(fields, where));
        continue;
      }
      const first = parseFirstEntry(fields, where);
      if (first.head.parts !== unfinished.parts.length + 1) return found;
      const all = [first.changes, ...unfinished.parts.reverse()].flat();
      const changeSet = finish({ number, head: first.head, changes: all }, where);
      // The tenant was emptied, and began anew, between the two reads.
      if (changeSet.revision.epoch !== head.epoch) return found;
      found.push(changeSet);
      changes += all.length;
      unfinished = undefined;
      if (found.length >= limit || changes >= maxChangesPerRead) return found;
    }
    const oldest = page.at(-1);
    if (oldest === undefined || page.length < wanted) return found;
    last = oldest[0];
  }
}

/** Which part of a revision an entry is, or undefined where it is of another one. */
function partOf(id: string, number: number): number | undefined {
  const prefix = `${number}-`;
  return id.startsWith(prefix) ? Number(id.slice(prefix.length)) : undefined;
}
