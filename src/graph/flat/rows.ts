/** Rows in order: the counting sorts that turn a list of pairs into compressed rows. Called by the builder. */
import { sharedInts } from './arrays.ts';

export interface Rows {
  /** By key, one more than there are keys: where its items begin in `order`. */
  readonly offsets: Int32Array;
  /** Positions in the list that was sorted; those of one key in the order in which they stood there. */
  readonly order: Int32Array;
}

/**
 * Sorts positions by key, and keeps the order of equal ones.
 * @param keys Each at least 0 and less than `count`; -1 leaves its position out.
 */
export function rowsBy(keys: Int32Array, count: number): Rows {
  const offsets = sharedInts(count + 1);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as number;
    if (key >= 0) (offsets[key + 1] as number)++;
  }
  for (let key = 0; key < count; key++) (offsets[key + 1] as number) += offsets[key] as number;
  const next = sharedInts(count);
  next.set(offsets.subarray(0, count));
  const order = sharedInts(offsets[count] as number);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as number;
    if (key >= 0) order[(next[key] as number)++] = i;
  }
  return { offsets, order };
}

/**
 * Sorts each row of positions by an order, and leaves of equal ones only the last: a later put replaces an earlier one.
 * @param compare Orders two positions; 0 where both are the same thing.
 */
export function sortedRows({ offsets, order }: Rows, compare: (a: number, b: number) => number): Rows {
  const kept = sharedInts(offsets.length);
  let length = 0;
  for (let key = 0; key + 1 < offsets.length; key++) {
    const start = offsets[key] as number;
    const end = offsets[key + 1] as number;
    sortRange(order, start, end, compare);
    for (let i = start; i < end; i++) {
      const isReplaced = i + 1 < end && compare(order[i] as number, order[i + 1] as number) === 0;
      if (!isReplaced) order[length++] = order[i] as number;
    }
    kept[key + 1] = length;
  }
  return { offsets: kept, order: order.subarray(0, length) };
}

/** A stable sort in place. */
function sortRange(order: Int32Array, start: number, end: number, compare: (a: number, b: number) => number): void {
  // Most rows have a few items; insertion is the cheapest there.
  if (end - start > 16) {
    const row = order.subarray(start, end);
    row.sort((a, b) => compare(a, b) || a - b);
    return;
  }
  for (let i = start + 1; i < end; i++) {
    const item = order[i] as number;
    let j = i - 1;
    for (; j >= start && compare(order[j] as number, item) > 0; j--) order[j + 1] = order[j] as number;
    order[j + 1] = item;
  }
}

/** The values at these positions, in their order. */
export function picked(values: Int32Array, order: Int32Array): Int32Array {
  const found = sharedInts(order.length);
  for (let i = 0; i < order.length; i++) found[i] = values[order[i] as number] as number;
  return found;
}
