/**
 * Those who wait for a revision. Nothing polls: each is told when its revision is there, or when it never will be. A
 * revision whose number the snapshot has from another commit was lost, or this process holds what was lost: only the
 * store can tell, so it is compared before anybody is refused.
 */
import { formatRevision, type Revision } from '../model/change.ts';
import { PosternError } from '../model/errors.ts';
import { Lineage } from './lineage.ts';

interface Waiter {
  readonly revision: Revision;
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: PosternError) => void;
}

export class RevisionWaiters {
  readonly #waiting = new Set<Waiter>();
  readonly #lineage = new Lineage();
  readonly #compare: () => void;
  readonly #nowMs: () => number;
  #abandoned = false;

  /**
   * @param compare Has the snapshot compared with the store; `confirmed` is called where it is the store's newest.
   * @param nowMs By performance.now().
   */
  constructor(compare: () => void, nowMs: () => number) {
    this.#compare = compare;
    this.#nowMs = nowMs;
  }

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether the snapshot in force is at least at a revision. */
  has(revision: Revision): boolean {
    return this.#lineage.standingOf(revision) === 'held';
  }

  /** @throws PosternError REVISION_NOT_REACHED when the signal ends the wait, REVISION_OF_OTHER_EPOCH, REVISION_LOST */
  wait(revision: Revision, signal: AbortSignal | undefined): Promise<void> {
    const standing = this.#lineage.standingOf(revision);
    if (standing === 'held') return Promise.resolve();
    if (standing === 'elsewhere') return Promise.reject(otherEpoch(revision, this.#lineage.current as Revision));
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
        sinceMs: this.#nowMs(),
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
      if (standing === 'astray') this.#compare();
    });
  }

  /**
   * A snapshot at this revision is in force.
   * @param isNext Whether it was made from the last one by one change set.
   */
  reached(current: Revision, isNext: boolean): void {
    this.#lineage.note(current, isNext);
    let isAstray = false;
    for (const waiter of this.#waiting) {
      const standing = this.#lineage.standingOf(waiter.revision);
      if (standing === 'astray') isAstray = true;
      if (standing === 'astray' || standing === 'ahead') continue;
      this.#waiting.delete(waiter);
      if (standing === 'held') waiter.resolve();
      else waiter.reject(otherEpoch(waiter.revision, current));
    }
    if (isAstray) this.#compare();
  }

  /**
   * The snapshot in force is the store's newest: who waits for another commit of a number that it has, waits for nothing.
   * @param askedMs When the store was asked: it may have changed hands before somebody came who waits for that.
   */
  confirmed(askedMs: number): void {
    for (const waiter of this.#waiting) {
      if (waiter.sinceMs > askedMs || this.#lineage.standingOf(waiter.revision) !== 'astray') continue;
      this.#waiting.delete(waiter);
      waiter.reject(lost(waiter.revision));
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

function lost(revision: Revision): PosternError {
  return new PosternError(
    'REVISION_LOST',
    `revision ${formatRevision(revision)} was lost, and another commit has its number: the store failed over before it was copied; make the change again`,
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
