/**
 * Decision ids: ULIDs that only ever go up within one process. The PDP takes
 * one per decision, on the hot path. Time and randomness come from the ulid
 * package, once a millisecond; in between the last four characters count up,
 * because a call of the package costs more than a whole decision. An id must
 * never repeat, whatever the clock does.
 */
import { randomFillSync } from 'node:crypto';
import { ulid } from 'ulid';

/** Gives an id greater than all before it. `nowMs`: whole milliseconds since 1970. */
export type NextId = (nowMs: number) => string;

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** All pairs of characters in order: two of them are the 2^20 values of the last four characters. */
const pairs: readonly string[] = Array.from({ length: 1024 }, (_, i) => `${alphabet[i >> 5]}${alphabet[i & 31]}`);

/** @param random Fractions from 0 to less than 1; the default draws from the system's generator in bulk. */
export function createIds(random: () => number = createRandom()): NextId {
  let lastMs = -1;
  let head = '';
  let high = 0;
  let low = 0;
  let middle = '';

  const begin = (ms: number) => {
    const fresh = ulid(ms, random);
    lastMs = ms;
    head = fresh.slice(0, 22);
    // The lower half of the range, so that at least 2^19 ids fit into each millisecond.
    high = pairs.indexOf(fresh.slice(22, 24)) & 511;
    low = pairs.indexOf(fresh.slice(24));
    middle = head + pairs[high];
  };
  const carry = () => {
    low = 0;
    high++;
    if (high < pairs.length) middle = head + pairs[high];
    // The clock stands still or went back for very long: borrow the next millisecond rather than repeat an id.
    else begin(lastMs + 1);
  };

  return (nowMs) => {
    if (nowMs > lastMs) begin(nowMs);
    else if (low === pairs.length) carry();
    return middle + pairs[low++];
  };
}

/** When an id was made, in milliseconds since 1970; 0 where the text is none. */
export function timeOfId(id: string): number {
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)) return 0;
  let ms = 0;
  for (const digit of id.slice(0, 10)) ms = ms * 32 + alphabet.indexOf(digit);
  return ms;
}

/** The package asks the system for every single character otherwise, which is what makes it slow. */
function createRandom(): () => number {
  const pool = new Uint8Array(4096);
  let next = pool.length;
  return () => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    return (pool[next++] as number) / 256;
  };
}
