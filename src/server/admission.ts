/**
 * What is let in, and what is refused because there is more than this process can do. Both transports ask one of
 * these before they read a question; health, reflection, probes and metrics never ask.
 *
 * Three signs of too much, each of which a single thread can tell at no cost: requests in progress (those that wait
 * for a revision, that take long, that stream, or whose answer nobody reads) by their number and by what they hold;
 * long work that has not had its turn; and turns of the event loop that have been too long for a while, whose late
 * requests have waited as long. A burst, or one pause of the process, refuses nothing.
 */
import { PosternError } from '../model/errors.ts';
import type { Clock } from './clock.ts';
import type { LongWork } from './long-work.ts';

export interface AdmissionLimits {
  /** How long what comes in may wait for its turn, in milliseconds; Infinity refuses nothing for that. */
  readonly maxQueueDelayMs: number;
  /** Requests in progress. */
  readonly maxInFlight: number;
  /** What they hold, by the size of what was sent, in bytes. */
  readonly maxHeldBytes: number;
}

/** Why something is refused, for metrics. */
export const shedReasons = ['queue_delay', 'in_flight', 'held_bytes'] as const;
export type ShedReason = (typeof shedReasons)[number];

/** What is charged for a stream, whose questions come later: about what its buffers hold. */
export const streamBytes = 65_536;
/** What is charged for a list: its marks are a byte for each name of the graph, and two of its parts may be on their way. */
export const listBytes = 1_048_576;

/** How long turns have to be too long, one after another, before anything is refused. */
const patienceMs = 200;
/** Calls that may take long are let in up to this many, however long they take: something has to be done. */
const leastExpected = 4;
/** The least between two lines of the log about it. */
const logEveryMs = 60_000;

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #longWork: Pick<LongWork, 'delayMs' | 'meanMs'>;
  readonly #onOverload: (reason: ShedReason, shed: number) => void;
  #inFlight = 0;
  #heldBytes = 0;
  /** Calls that may take long, and have no answer yet. */
  #expected = 0;
  #turnBegan = false;
  #turnBeganMs = 0;
  #turnEndedMs = 0;
  /** When the first of the turns began that have been too long since; Infinity while the last was not. */
  #lateSinceMs = Number.POSITIVE_INFINITY;
  #overloaded = false;
  readonly #shed: Record<ShedReason, number> = { queue_delay: 0, in_flight: 0, held_bytes: 0 };
  #loggedMs = Number.NEGATIVE_INFINITY;

  /** @param onOverload Told of the first refusal and from then at most once a minute, with how many there were in all. */
  constructor(
    limits: AdmissionLimits,
    clock: Clock,
    longWork: Pick<LongWork, 'delayMs' | 'meanMs'>,
    onOverload: (reason: ShedReason, shed: number) => void,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#longWork = longWork;
    this.#onOverload = onOverload;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Refusals since the start. */
  get shed(): Readonly<Record<ShedReason, number>> {
    return this.#shed;
  }

  /** For every request: a test of a flag or two while there is no overload. @throws PosternError OVERLOADED */
  enter(): void {
    if (!this.#turnBegan) this.#beginTurn();
    if (this.#overloaded && this.#clock.now() - this.#turnBeganMs > this.#limits.maxQueueDelayMs) {
      throw this.#refuse('queue_delay');
    }
  }

  /** For long work, beside enter(). @throws PosternError OVERLOADED */
  enterLongWork(): void {
    if (this.#longWork.delayMs > this.#limits.maxQueueDelayMs) throw this.#refuse('queue_delay');
  }

  /**
   * For a call that may take long, when its headers are there: to read a large message and then refuse it would cost
   * what is to be saved, and keep others from sending theirs.
   * @returns Tells that there is an answer, or nobody who waits for it; idempotent.
   * @throws PosternError OVERLOADED where those before it will take too long
   */
  expectLongWork(): () => void {
    const waitMs = this.#expected * this.#longWork.meanMs;
    if (this.#expected >= leastExpected && waitMs > this.#limits.maxQueueDelayMs) throw this.#refuse('queue_delay');
    this.#expected++;
    let expected = true;
    return () => {
      if (expected) this.#expected--;
      expected = false;
    };
  }

  /**
   * For a request that stays in progress, beside enter().
   * @param bytes What was sent, or streamBytes or listBytes.
   * @returns Lets go of it; idempotent.
   * @throws PosternError OVERLOADED
   */
  hold(bytes: number): () => void {
    if (this.#inFlight >= this.#limits.maxInFlight) throw this.#refuse('in_flight');
    // One alone is let in whatever its size: the largest message has a limit of its own.
    if (this.#inFlight > 0 && this.#heldBytes + bytes > this.#limits.maxHeldBytes) throw this.#refuse('held_bytes');
    this.#inFlight++;
    this.#heldBytes += bytes;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#inFlight--;
      this.#heldBytes -= bytes;
    };
  }

  #beginTurn(): void {
    this.#turnBegan = true;
    this.#turnBeganMs = this.#clock.now();
    this.#clock.nextTurn(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#turnBegan = false;
    const { maxQueueDelayMs } = this.#limits;
    const nowMs = this.#clock.now();
    // Where nothing came for a while, nothing waited.
    if (this.#turnBeganMs - this.#turnEndedMs > maxQueueDelayMs) this.#lateSinceMs = Number.POSITIVE_INFINITY;
    this.#turnEndedMs = nowMs;
    if (nowMs - this.#turnBeganMs > maxQueueDelayMs) {
      // One turn alone, however long, is a pause and no overload.
      this.#overloaded = nowMs - this.#lateSinceMs >= patienceMs;
      this.#lateSinceMs = Math.min(this.#lateSinceMs, this.#turnBeganMs);
    } else {
      this.#overloaded = false;
      this.#lateSinceMs = Number.POSITIVE_INFINITY;
    }
  };

  #refuse(reason: ShedReason): PosternError {
    this.#shed[reason]++;
    const nowMs = this.#clock.now();
    if (nowMs - this.#loggedMs >= logEveryMs) {
      this.#loggedMs = nowMs;
      this.#onOverload(
        reason,
        shedReasons.reduce((sum, one) => sum + this.#shed[one], 0),
      );
    }
    return refusals[reason];
  }
}

const tryAgain = 'try again later, or ask another sidecar';

/** Made once: when there is too much to do, refusing has to cost as little as it can. */
const refusals: Readonly<Record<ShedReason, PosternError>> = {
  queue_delay: refusalOf('max-queue-delay', `requests wait too long for their turn; ${tryAgain}`),
  in_flight: refusalOf('max-in-flight', `too many requests are in progress; ${tryAgain}`),
  held_bytes: refusalOf('max-held-bytes', `the requests in progress hold too much memory; ${tryAgain}`),
};

function refusalOf(limit: string, message: string): PosternError {
  return new PosternError('OVERLOADED', message, { limit });
}
