/**
 * Reads the head and the change stream of a tenant, forwards (history-before.ts reads it backwards). A change set is one or more
 * neighbouring stream entries with the ids <revision>-0, <revision>-1, ...; the
 * first says how many. It must never return a history with a gap, or a change
 * set of which a part was trimmed.
 */
import { type Change, type ChangeSet, isNextOf, isSameRevision, type Revision } from '../../model/change.ts';
import { TimeSlice } from '../time-slice.ts';
import type { RedisClient } from './connection.ts';
import {
  type EntryHead,
  headFields,
  parseEntry,
  parseFirstEntry,
  parseHead,
  parseRevisionOf,
  toChangeSet,
} from './decode.ts';
import type { TenantKeys } from './keys.ts';

/** Entries in one reply: each is at most about 256 KiB. */
export const pageEntries = 32;
/** Where the next ones are for a follower: a reply is parsed as it comes, and some 8,000 fields take 6 milliseconds. */
const fewestEntries = 4;
const mostEntries = 500;
const fieldsPerPage = 8_000;
/** A read ends early with the change set that passes this many changes. */
export const maxChangesPerRead = 100_000;

/** A change set whose entries are not all read yet. */
interface Unfinished {
  readonly number: number;
  readonly head: EntryHead;
  readonly changes: Change[];
  parts: number;
}

/** The revision of a tenant, or undefined. @throws what the client throws; PosternError STORE_CORRUPT */
export async function readHead(client: RedisClient, keys: TenantKeys): Promise<Revision | undefined> {
  return parseHead(await client.hmget(keys.head, ...headFields), `key ${keys.head}`);
}

/** What Store.changesSince promises. @throws what the client throws; PosternError STORE_CORRUPT */
export async function readChangesSince(
  client: RedisClient,
  keys: TenantKeys,
  since: Revision,
  limit: number,
): Promise<readonly ChangeSet[] | undefined> {
  // The head first: entries that are added after it was read can only be more than it promises.
  const head = await readHead(client, keys);
  if (head === undefined) return since.number === 0 ? [] : undefined;
  if (since.number > head.number || (since.number > 0 && since.epoch !== head.epoch)) return undefined;
  if (since.number === head.number) return isSameRevision(since, head) ? [] : undefined;
  if (limit < 1) return [];
  return readAfter(client, keys, since, head.epoch, limit);
}

async function readAfter(
  client: RedisClient,
  keys: TenantKeys,
  since: Revision,
  epoch: string,
  limit: number,
): Promise<readonly ChangeSet[] | undefined> {
  const first = since.number + 1;
  const found: ChangeSet[] = [];
  let at = since;
  let changes = 0;
  let unfinished: Unfinished | undefined;
  const slice = new TimeSlice();
  let count = fewestEntries;
  for (let start = `${first}-0`; ; ) {
    const page = await client.xrange(keys.changes, start, '+', 'COUNT', count);
    for (const [id, fields] of page) {
      // Each is up to 256 KiB to parse, which takes milliseconds.
      await slice.pause();
      const where = `key ${keys.changes} entry ${id}`;
      if (unfinished === undefined) {
        // Anything but the beginning of the next revision means that entries before it are gone.
        if (id !== `${first + found.length}-0`) return found.length === 0 ? undefined : found;
        const begun = parseFirstEntry(fields, where);
        unfinished = { number: first + found.length, head: begun.head, changes: begun.changes, parts: 1 };
      } else {
        if (id !== `${unfinished.number}-${unfinished.parts}`) return found.length === 0 ? undefined : found;
        for (const change of parseEntry(fields, where)) unfinished.changes.push(change);
        unfinished.parts++;
      }
      if (unfinished.parts < unfinished.head.parts) continue;
      const changeSet = finish(unfinished, where);
      // The tenant was emptied, and began anew, between the two reads.
      if (changeSet.revision.epoch !== epoch) return undefined;
      // It was made on another commit of that number, which took the place of one that a failover lost.
      if (!isNextOf(at, changeSet)) return found.length === 0 ? undefined : found;
      found.push(changeSet);
      at = changeSet.revision;
      changes += changeSet.changes.length;
      unfinished = undefined;
      if (found.length >= limit || changes >= maxChangesPerRead) return found;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < count) break;
    count = nextCount(page);
    start = `(${last[0]}`;
  }
  return found.length === 0 ? undefined : found;
}

/** How many entries are read next: those of large change sets hold 2,000 fields each, others a handful. */
function nextCount(page: readonly (readonly [string, readonly string[]])[]): number {
  const fields = page.reduce((sum, [, { length }]) => sum + length, 0);
  const fitting = Math.floor((fieldsPerPage * page.length) / Math.max(1, fields));
  return Math.min(Math.max(fewestEntries, fitting), 2 * page.length, mostEntries);
}

/** The change set of which all entries were read. @throws PosternError STORE_CORRUPT */
export function finish({ number, head, changes }: Omit<Unfinished, 'parts'>, where: string): ChangeSet {
  return toChangeSet(parseRevisionOf(head.epoch, number, head.nonce, where), head, changes, where);
}
