/** Those who wait for a revision. Nothing polls: each is told when its revision is there. */
import { formatRevision, type Revision } from '../model/change.ts';
import { PosternError } from '../model/errors.ts';

interface Waiter {
  readonly revision: Revision;
  readonly resolve: () => void;
  readonly reject: (error: PosternError) => void;
}

export class RevisionWaiters {
  readonly #waiting = new Set<Waiter>();
  #abandoned = false;

  /** @throws PosternError REVISION_NOT_REACHED when the signal ends the wait, REVISION_OF_OTHER_EPOCH */
  wait(revision: Revision, current: Revision | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (current !== undefined && current.epoch !== revision.epoch) return Promise.reject(otherEpoch(revision, current));
    if (current !== undefined && current.number >= revision.number) return Promise.resolve();
    if (this.#abandoned) return Promise.reject(shuttingDown(revision));
    if (signal?.aborted === true) return Promise.reject(notReached(revision));
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiter);
        reject(notReached(revision));
      };
      const settle = () => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        revision,
        resolve: () => {
          settle();
          resolve();
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** A snapshot at this revision is in force. */
  reached(current: Revision): void {
    for (const waiter of this.#waiting) {
      const sameEpoch = waiter.revision.epoch === current.epoch;
      if (sameEpoch && waiter.revision.number > current.number) continue;
      this.#waiting.delete(waiter);
      if (sameEpoch) waiter.resolve();
      else waiter.reject(otherEpoch(waiter.revision, current));
    }
  }

  /** Nobody can wait any more: those who do are told to ask elsewhere. Idempotent. */
  abandon(): void {
    this.#abandoned = true;
    for (const waiter of this.#waiting) waiter.reject(shuttingDown(waiter.revision));
    this.#waiting.clear();
  }
}

function notReached(revision: Revision): PosternError {
  return new PosternError(
    'REVISION_NOT_REACHED',
    `this sidecar has not seen revision ${formatRevision(revision)} within the deadline; try again, or allow more time`,
    { field: 'at_least' },
  );
}

function shuttingDown(revision: Revision): PosternError {
  return new PosternError(
    'REVISION_NOT_REACHED',
    `this sidecar is shutting down, and has not seen revision ${formatRevision(revision)}; try again on another connection`,
    { field: 'at_least' },
  );
}

function otherEpoch(revision: Revision, current: Revision): PosternError {
  return new PosternError(
    'REVISION_OF_OTHER_EPOCH',
    `revision ${formatRevision(revision)} is of another history than ${formatRevision(current)}: the store was restored or replaced; drop the token`,
    { field: 'at_least' },
  );
}
