/**
 * One page of a list. A list is a scan over one snapshot, in an order that does not depend on the page; the page takes
 * from it what was asked for, and lets other work run meanwhile. Called by the lists beside it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatRevision } from '../../model/change.ts';
import { PosternError } from '../../model/errors.ts';
import { defaultPageSize, maxPageSize } from '../../model/limits.ts';
import type { Listed, Page } from '../api.ts';
import type { ReadView } from './gate.ts';
import { formatPageToken, type Position, parsePageToken, type Question } from './page-token.ts';

/** Elements in order; undefined where none was found for a while, so that others get their turn. */
export type Scan<T> = Iterable<T | undefined>;

export interface Listing<T, R> extends Question {
  /** The elements after a position. What is shared with others is read before the first element only. */
  scan(after: Position | undefined): Scan<T>;
  positionOf(element: T): Position;
  toRecord(element: T): R;
}

/** How many elements a scan may look at without a pause: well under 5 ms, even where each is a miss of every cache. */
export const lookedAtInTurn = 20_000;
/** How many records a page makes without a pause. */
const madeInTurn = 2_000;

/** @throws PosternError LIMIT_EXCEEDED */
export function sizeOf(page: Page): number {
  if (page.size <= maxPageSize) return page.size === 0 ? defaultPageSize : page.size;
  throw new PosternError(
    'LIMIT_EXCEEDED',
    `page_size is ${page.size}; the most is ${maxPageSize}, ask for more by pages`,
    { field: 'page_size', limit: String(maxPageSize) },
  );
}

/**
 * Reads on until the page is full and it is known whether there is more, so that only a last page can be empty.
 * @throws PosternError LIMIT_EXCEEDED, INVALID_PAGE_TOKEN, LIST_CHANGED, CANCELLED
 */
export async function readPage<T, R>(
  view: ReadView,
  listing: Listing<T, R>,
  page: Page,
  signal: AbortSignal | undefined,
): Promise<Listed<R>> {
  const size = sizeOf(page);
  const question = { ...listing, asked: [view.tenant, listing.asked] };
  const items: R[] = [];
  let last: T | undefined;
  let nextPageToken = '';
  for (const element of listing.scan(parsePageToken(question, page.token))) {
    if (element === undefined) {
      await pause(signal);
    } else if (items.length === size) {
      nextPageToken = formatPageToken(question, listing.positionOf(last as T));
      break;
    } else {
      items.push(listing.toRecord(element));
      last = element;
      if (items.length % madeInTurn === 0) await pause(signal);
    }
  }
  return { items, nextPageToken, revision: formatRevision(view.snapshot.revision) };
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn();
  assertGoesOn(signal);
}

/** @throws PosternError CANCELLED where nobody waits for the answer any more */
export function assertGoesOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new PosternError('CANCELLED', 'the call was cancelled, or its deadline passed');
}
