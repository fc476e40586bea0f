/**
 * Commits of one tenant, one after the other: plans on the newest snapshot, writes at exactly its revision, and plans
 * anew where somebody else was faster. Called by administration.ts. What was judged is what is written, or nothing is.
 */
import type { Snapshot } from '../graph/snapshot.ts';
import { formatRevision, isSameRevision, parseRevision, type Revision } from '../model/change.ts';
import { PosternError } from '../model/errors.ts';
import type { Replica } from '../replica/replica.ts';
import { notReady } from '../replica/tenants.ts';
import { conflict, type Store } from '../store/store.ts';
import type { Actor } from './acting.ts';
import type { CommitRequest, CommitResult } from './api.ts';
import type { Plan } from './plan.ts';

export interface CommitDependencies {
  readonly store: Store;
  readonly replica: Replica;
}

/** What is done at each snapshot that is tried. */
export interface Attempt {
  /** @throws PosternError NOT_PERMITTED and what planChanges throws */
  readonly plan: (snapshot: Snapshot) => { readonly actor: Actor; readonly plan: Plan };
}

/**
 * Times that other writers may be faster. Each time somebody else's commit was made, so that there is no standstill;
 * a writer that never pauses may win many times in a row.
 */
const maxAttempts = 100;
/** How long a commit waits for its own replica: whoever asks the same sidecar next should see it. */
const settleMs = 1_000;

/** @throws PosternError what `attempt` throws, REVISION_CONFLICT, STORE_UNAVAILABLE, NOT_READY, CANCELLED */
export async function commitAt(
  { store, replica }: CommitDependencies,
  request: Pick<CommitRequest, 'expected' | 'why' | 'dryRun'>,
  attempt: Attempt,
  signal: AbortSignal | undefined,
): Promise<CommitResult> {
  const expected = request.expected === '' ? undefined : parseRevision(request.expected, 'expected');
  for (let tries = 1; ; tries++) {
    if (signal?.aborted === true)
      throw new PosternError('CANCELLED', 'the call was given up before anything was written');
    const snapshot = replica.current;
    if (snapshot === undefined) throw notReady(replica);
    if (expected !== undefined && !isSameRevision(expected, snapshot.revision)) {
      // Perhaps only this process has not heard of it yet.
      if (tries === 1 && isAhead(expected, snapshot.revision)) {
        await replica.waitFor(expected, signal ?? AbortSignal.timeout(settleMs));
        continue;
      }
      throw conflict(replica.tenant, expected, snapshot.revision);
    }
    const { actor, plan } = attempt.plan(snapshot);
    const described = plan.described;
    if (request.dryRun || plan.changes.length === 0) {
      return { revision: formatRevision(snapshot.revision), changes: described };
    }
    try {
      const revision = await store.commit(replica.tenant, plan.changes, {
        expected: snapshot.revision,
        by: actor.subject,
        ...(actor.via === undefined ? {} : { via: actor.via }),
        ...(request.why === '' ? {} : { why: request.why }),
      });
      await settle(replica, revision, signal);
      return { revision: formatRevision(revision), changes: described };
    } catch (error) {
      if (expected !== undefined || tries === maxAttempts || !isConflict(error)) throw error;
      await catchUp(replica, error, signal);
    }
  }
}

function isConflict(error: unknown): error is PosternError {
  return error instanceof PosternError && error.code === 'REVISION_CONFLICT';
}

function isAhead(expected: Revision, held: Revision): boolean {
  return expected.epoch === held.epoch && expected.number > held.number;
}

/** Waits for the revision that was in the way. */
async function catchUp(replica: Replica, { metadata }: PosternError, signal: AbortSignal | undefined): Promise<void> {
  const head = metadata.revision ?? '';
  if (head === '') throw new PosternError('NOT_READY', `tenant "${replica.tenant}" was emptied meanwhile; try again`);
  await replica.waitFor(parseRevision(head, 'expected'), signal ?? AbortSignal.timeout(settleMs * 10));
}

async function settle(replica: Replica, revision: Revision, signal: AbortSignal | undefined): Promise<void> {
  const patience = AbortSignal.timeout(settleMs);
  const either = signal === undefined ? patience : AbortSignal.any([patience, signal]);
  // The commit is made; that this process hears of it late is not its failure.
  await replica.waitFor(revision, either).catch(() => {});
}
