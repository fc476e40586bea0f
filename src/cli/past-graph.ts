/**
 * Brings the graph of a tenant back as it was at an earlier revision: loads it as it is, and takes back what history
 * says was done since. Called by `postern audit explain`. It must never return a graph of which it is not said how
 * sure it is.
 */
import { createUndo, type Undoing } from '../graph/undo.ts';
import { type ChangeSet, formatRevision, isSameRevision, type Revision } from '../model/change.ts';
import type { EntityRecord } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import type { Store } from '../store/store.ts';
import { describeRevision, loadTenant } from './graph-source.ts';
import { count } from './output.ts';

export interface PastGraph {
  readonly records: readonly EntityRecord[];
  /** Change sets that were taken back. */
  readonly undone: number;
  /** Records that were made since, as far as history says: it does not reach back to where that would be certain. */
  readonly takenForNew: number;
}

/** Change sets in one read; the store gives fewer where they are large. */
const changeSetsPerRead = 200;
const wayOut = 'name the policy of that time with --policy';

/**
 * @param at As a record has it: with its nonce, where it has one.
 * @throws PosternError REVISION_OF_OTHER_EPOCH, REVISION_LOST (another commit has that number, or none has it any
 * more), NOT_FOUND (history was trimmed, or does not say enough), STORE_UNAVAILABLE, STORE_CORRUPT
 */
export async function graphAt(store: Store, tenant: string, at: Revision): Promise<PastGraph> {
  // The number 0 is the empty graph in every epoch.
  if (at.number === 0) return { records: [], undone: 0, takenForNew: 0 };
  const now = await loadTenant(store, tenant);
  checkReach(now.revision, at, now.description);
  const undoing = createUndo(now.records);
  const { reached, undone, oldest } = await walkBack(store, tenant, undoing, now.revision, at);
  if (reached.number > at.number) {
    const message = `the history of ${now.description} reaches back to revision ${formatRevision(reached)} only, and not to ${formatRevision(at)}; ${wayOut}`;
    throw new PosternError('NOT_FOUND', message);
  }
  if (!isSameRevision(reached, at)) throw lost(at, now.description);
  if (oldest === 1) undoing.settleAll();
  const { puts, deletes } = undoing.unsure;
  if (deletes > 0) {
    const message = `history does not say what ${count(deletes, 'deleted record')} of ${now.description} held at revision ${formatRevision(at)}; ${wayOut}`;
    throw new PosternError('NOT_FOUND', message);
  }
  return { records: undoing.records(), undone, takenForNew: puts };
}

function checkReach(now: Revision, at: Revision, description: string): void {
  if (now.number > 0 && now.epoch === at.epoch && now.number >= at.number) return;
  const is = `${description} ${describeRevision(now)}`;
  if (now.number > 0 && now.epoch === at.epoch) throw lost(at, description);
  const message = `revision ${formatRevision(at)} is of another history: ${is}; ${wayOut}`;
  throw new PosternError('REVISION_OF_OTHER_EPOCH', message);
}

interface Walked {
  /** The revision that `undoing` is at; with the nonce that the change set after it names. */
  readonly reached: Revision;
  readonly undone: number;
  /** The number of the oldest change set that was read. */
  readonly oldest: number;
}

async function walkBack(store: Store, tenant: string, undoing: Undoing, now: Revision, at: Revision): Promise<Walked> {
  let reached = now;
  let undone = 0;
  let oldest = now.number + 1;
  for await (const { revision, after, changes } of changeSetsBefore(store, tenant, oldest, now.epoch)) {
    oldest = revision.number;
    if (revision.number > at.number) {
      // A failover may have put another history in the place of the one that was loaded.
      if (!isSameRevision(revision, reached)) throw lost(reached, `tenant ${tenant}`);
      undoing.undo(changes);
      undone++;
      reached = { epoch: now.epoch, number: revision.number - 1, ...(after === undefined ? {} : { nonce: after }) };
      continue;
    }
    if (revision.number === at.number && !isSameRevision(revision, at)) throw lost(at, `tenant ${tenant}`);
    const { puts, deletes } = undoing.unsure;
    if (puts + deletes === 0) break;
    undoing.settle(changes);
  }
  return { reached, undone, oldest };
}

async function* changeSetsBefore(
  store: Store,
  tenant: string,
  number: number,
  epoch: string,
): AsyncGenerator<ChangeSet, void> {
  let before: Revision = { epoch, number };
  for (;;) {
    const read = await store.changesBefore(tenant, before, changeSetsPerRead);
    yield* read;
    const last = read.at(-1);
    if (last === undefined) return;
    before = last.revision;
  }
}

function lost(at: Revision, description: string): PosternError {
  const message = `revision ${formatRevision(at)} is not in the history of ${description}: a failover, or a restored backup, lost that commit; ${wayOut}`;
  return new PosternError('REVISION_LOST', message);
}
