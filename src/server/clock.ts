/** Time and turns of the event loop, as admission and long work see them; tests have their own. */
export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Calls back at the end of this turn of the event loop, when what has come in was looked at. */
  nextTurn(callback: () => void): void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  nextTurn: (callback) => void setImmediate(callback),
};
