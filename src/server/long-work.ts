/**
 * Long work between short requests. A batch of 10,000 checks or a list over a large graph is done in steps; this
 * drives them, a few milliseconds in each turn of the event loop for all of them together, first come first served,
 * so that a check waits for one slice and not for all that is long. Both transports share one. It never looks at what
 * the work is.
 */
import type { Steps } from '../engine/steps.ts';
import { PosternError } from '../model/errors.ts';
import type { Clock } from './clock.ts';

/** For all long work together, in one turn of the event loop, in milliseconds. */
const sliceMs = 5;

/** Of what one advance took, what the mean takes over. */
const meanShare = 0.1;

/** Something that pauses by giving undefined. */
type Pausing<Item, Answer> = Iterator<Item | undefined, Answer, undefined>;

interface Job {
  /** When it began to wait; Infinity before. */
  sinceMs: number;
  /** Worked on it so far. */
  costMs: number;
  /** Works until the time is over; false where it is not done. */
  work(endMs: number): boolean;
}

export class LongWork {
  readonly #clock: Clock;
  readonly #waiting: Job[] = [];
  /** Of this turn's slice. */
  #spentMs = 0;
  #scheduled = false;
  #meanMs = 0;
  /** When the last one was done that had to wait, or when the first one came of those that wait. */
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the one has waited that has its turn next; 0 where none waits. */
  get delayMs(): number {
    const [next] = this.#waiting;
    return next === undefined ? 0 : this.#clock.now() - next.sinceMs;
  }

  /**
   * How long it has taken lately to go on to an item, or to the end; what was short counts as much as what was long.
   * While others wait, by the clock from one to the next: reading questions, refusing and answering take their part.
   */
  get meanMs(): number {
    return this.#meanMs;
  }

  /**
   * Goes on to the next item, or to the end. The first step is done at once, so that what is short never waits; the
   * rest when it is its turn.
   * @param gone Whether nobody waits for it any more; it is dropped then.
   * @throws PosternError CANCELLED where it was dropped; what the steps throw. From the promise, if there is one.
   */
  advance<Item, Answer>(
    steps: Pausing<Item, Answer>,
    gone: () => boolean,
  ): IteratorResult<Item, Answer> | Promise<IteratorResult<Item, Answer>> {
    const beganMs = this.#clock.now();
    const first = steps.next();
    const costMs = this.#clock.now() - beganMs;
    if (isResult(first)) {
      this.#note(costMs);
      return first;
    }
    return new Promise((resolve, reject) => {
      this.#start({
        sinceMs: Number.POSITIVE_INFINITY,
        costMs,
        work: (endMs) => {
          try {
            if (gone()) {
              steps.return?.();
              throw new PosternError('CANCELLED', 'nobody waits for the answer any more');
            }
            do {
              const next = steps.next();
              if (isResult(next)) {
                resolve(next);
                return true;
              }
            } while (this.#clock.now() < endMs);
            return false;
          } catch (error) {
            reject(error);
            return true;
          }
        },
      });
    });
  }

  /** The answer at the end of steps that give no items. */
  finish<Answer>(steps: Steps<Answer>, gone: () => boolean): Answer | Promise<Answer> {
    const result = this.advance<never, Answer>(steps, gone);
    return result instanceof Promise ? result.then(answerIn) : answerIn(result);
  }

  #start(job: Job): void {
    if (this.#waiting.length === 0) this.#lastMs = this.#clock.now();
    if (this.#waiting.length > 0 || this.#spentMs >= sliceMs || !this.#workOn(job)) this.#wait(job);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.nextTurn(this.#turn);
  }

  #wait(job: Job): void {
    job.sinceMs = this.#clock.now();
    this.#waiting.push(job);
  }

  #note(costMs: number): void {
    this.#meanMs += (costMs - this.#meanMs) * meanShare;
  }

  #noteDone({ sinceMs, costMs }: Job): void {
    if (sinceMs === Number.POSITIVE_INFINITY) {
      this.#note(costMs);
      return;
    }
    const nowMs = this.#clock.now();
    this.#note(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  /** Works on one job for what is left of the slice. */
  #workOn(job: Job): boolean {
    const beganMs = this.#clock.now();
    const done = job.work(beganMs + sliceMs - this.#spentMs);
    const costMs = this.#clock.now() - beganMs;
    this.#spentMs += costMs;
    job.costMs += costMs;
    if (done) this.#noteDone(job);
    return done;
  }

  readonly #turn = (): void => {
    this.#spentMs = 0;
    while (this.#spentMs < sliceMs) {
      const job = this.#waiting.shift();
      if (job === undefined) break;
      if (!this.#workOn(job)) this.#wait(job);
    }
    this.#scheduled = this.#spentMs > 0;
    if (this.#scheduled) this.#clock.nextTurn(this.#turn);
  };
}

function isResult<Item, Answer>(next: IteratorResult<Item | undefined, Answer>): next is IteratorResult<Item, Answer> {
  return next.done === true || next.value !== undefined;
}

function answerIn<Answer>(result: IteratorResult<never, Answer>): Answer {
  return result.value;
}
