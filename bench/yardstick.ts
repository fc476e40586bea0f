/**
 * How fast the machine is at the moment: one fixed piece of pure work of the processor, of the kind that a decision is
 * made of. A virtual machine is not the same from one day to the next; every row of the table says how long this took,
 * so that figures of different days can be compared. Changing the work makes older figures worthless.
 */
import { median } from './measure.ts';

const rounds = 7;
const names = 20_000;
const passes = 12;

/** Milliseconds that the work takes; the median of some rounds, after one that warms up. */
export function yardstickMs(): number {
  work();
  return median(
    Array.from({ length: rounds }, () => {
      const beganMs = performance.now();
      work();
      return performance.now() - beganMs;
    }),
  );
}

/** Texts made and looked up, and numbers mixed and read from all over an array. */
function work(): void {
  const numbers = new Int32Array(1 << 18);
  const known = new Map<string, number>();
  for (let i = 0; i < names; i++) known.set(`user:u${i}`, i);
  let mixed = 1;
  let found = 0;
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < names; i++) {
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) + i;
      const place = mixed & (numbers.length - 1);
      numbers[place] = (numbers[place] as number) + i;
      found += (known.get(`user:u${(mixed >>> 8) % (2 * names)}`) ?? 0) + (numbers[(place * 7) & 0xffff] as number);
    }
  }
  // It is looked at, so that nothing of it can be left out.
  if (Number.isNaN(found)) throw new Error('the yardstick has no length');
}
