/**
 * Finds the paths of sampled decisions in the turns that follow, a millisecond
 * in each. Without it a record that waits for its sink would hold the snapshot
 * that it was decided on, and with the sink away for an hour the graphs of an
 * hour would be held. Fed by the log for what is recorded.
 */
import type { DecidingPath } from './deciding-path.ts';

/** How long one turn may hold the event loop, in milliseconds. */
const turnMs = 1;

export class PathTurns {
  #waiting: DecidingPath[] = [];
  #next = 0;

  add(path: DecidingPath): void {
    if (!path.isPending) return;
    if (this.#waiting.push(path) === 1) setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const endAt = performance.now() + turnMs;
    do {
      (this.#waiting[this.#next++] as DecidingPath).resolve();
    } while (this.#next < this.#waiting.length && performance.now() < endAt);
    if (this.#next < this.#waiting.length) {
      setImmediate(this.#turn);
      return;
    }
    this.#waiting = [];
    this.#next = 0;
  };
}
