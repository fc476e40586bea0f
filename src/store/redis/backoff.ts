/**
 * How connections that were lost spread over time. A Redis that is restarted loses all of its followers in the same
 * moment, and they must not all come back in the same moment. Called for connections of every kind.
 */

const firstBoundMs = 1000;
const lastBoundMs = 5000;

/**
 * How long to wait before the given attempt, 1 for the first: anything up to a doubling bound. Of a thousand, about a
 * hundred come back in each tenth of a second; one alone is back after half a second.
 * @param random Gives a number from 0 up to 1.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(lastBoundMs, firstBoundMs * 2 ** Math.min(attempt - 1, 10));
}
