/**
 * Long work in slices, so that questions are answered in between. Whoever reads or applies much at once asks it for a
 * pause between the parts; one for each piece of work.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a slice lasts, in milliseconds. */
const sliceMs = 4;

export class TimeSlice {
  #beganMs = performance.now();

  /** Resolves at once within a slice, and after everything that waits at its end. */
  async pause(): Promise<void> {
    if (performance.now() - this.#beganMs < sliceMs) return;
    await nextTurn();
    this.#beganMs = performance.now();
  }
}
