/**
 * History: who changed what, when and why. Read from the store, newest first, from the snapshot that answers on
 * backwards, so that a page never tells of what this sidecar has not put in force.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ChangeSet, formatRevision, type Revision } from '../../model/change.ts';
import type { Store } from '../../store/store.ts';
import type { ChangeSetFilter, Listed, Page } from '../api.ts';
import type { ReadGate } from './gate.ts';
import { assertGoesOn, sizeOf } from './page.ts';
import { formatPageToken, listChanged, parsePageToken, type Question } from './page-token.ts';
import { matchesFilter } from './touches.ts';

/** Most change sets that one page looks at: where few match, it is short, and its token goes on. */
const mostLookedAt = 5_000;
/** Changes after which a page ends, so that it fits into a message; one change set may hold more. */
const mostChanges = 10_000;
/** Change sets read from the store in one go. */
const batchSize = 500;

export interface ChangeSetPage extends Listed<ChangeSet> {
  /** On the last page: there were older change sets, which are not kept any more. */
  readonly trimmed: boolean;
}

/**
 * A page may be short, even empty, and still have a next one: it ends after 5,000 change sets or 10,000 changes.
 * @throws PosternError NOT_PERMITTED, LIMIT_EXCEEDED, INVALID_PAGE_TOKEN, LIST_CHANGED (the history began anew),
 * CANCELLED, STORE_UNAVAILABLE, STORE_CORRUPT
 */
export async function listChangeSets(
  gate: ReadGate,
  store: Store,
  filter: ChangeSetFilter,
  page: Page,
  signal?: AbortSignal,
): Promise<ChangeSetPage> {
  gate.tenantRead();
  const size = sizeOf(page);
  const { tenant, snapshot } = gate;
  const question: Question = {
    asked: [tenant, 'change sets', filter.by, filter.subject, filter.role, filter.object],
    shape: ['string', 'number'],
    names: undefined,
  };
  const revision = formatRevision(snapshot.revision);
  const position = parsePageToken(question, page.token) as readonly [string, number] | undefined;
  let before: Revision =
    position === undefined
      ? { ...snapshot.revision, number: snapshot.revision.number + 1 }
      : { epoch: position[0], number: position[1] };
  const items: ChangeSet[] = [];
  let looked = 0;
  let changes = 0;
  while (before.number > 1) {
    const batch = await store.changesBefore(tenant, before, Math.min(batchSize, mostLookedAt - looked));
    assertGoesOn(signal);
    if (batch.length === 0) {
      await assertSameHistory(store, tenant, before);
      return { items, nextPageToken: '', revision, trimmed: true };
    }
    for (const changeSet of batch) {
      const matches = matchesFilter(changeSet, filter);
      if (matches && items.length > 0 && changes + changeSet.changes.length > mostChanges) {
        return { items, nextPageToken: toToken(before), revision, trimmed: false };
      }
      if (matches) {
        items.push(changeSet);
        changes += changeSet.changes.length;
      }
      looked++;
      before = changeSet.revision;
      const isFull = items.length === size || looked === mostLookedAt;
      if (isFull && before.number > 1) return { items, nextPageToken: toToken(before), revision, trimmed: false };
    }
    await nextTurn();
  }
  return { items, nextPageToken: '', revision, trimmed: false };

  function toToken({ epoch, number }: Revision): string {
    return formatPageToken(question, [epoch, number]);
  }
}

/** Nothing before a revision is either the end of what is kept, or another history altogether. */
async function assertSameHistory(store: Store, tenant: string, before: Revision): Promise<void> {
  const head = await store.head(tenant);
  if (head === undefined || head.epoch !== before.epoch) throw listChanged('the history of the tenant began anew');
}
