/** Reading a chunked list from the middle. Called by the lists of administration and by its judges; never writes. */
import type { Chunked } from './chunked.ts';

/**
 * The items from a place on, chunk by chunk.
 * @param isBefore True for the items before that place, false from there on.
 */
export function* chunksFrom<T>(
  list: Chunked<T> | undefined,
  isBefore: (item: T) => boolean,
): Generator<readonly T[], void> {
  if (list === undefined) return;
  const { chunks } = list;
  const first = firstNot(chunks, (chunk) => isBefore(chunk[chunk.length - 1] as T));
  for (let i = first; i < chunks.length; i++) {
    const chunk = chunks[i] as readonly T[];
    const start = i === first ? firstNot(chunk, isBefore) : 0;
    yield start === 0 ? chunk : chunk.slice(start);
  }
}

/** The index of the first item in an ascending list that is not before the place; its length where all are. */
export function firstNot<T>(ascending: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(ascending[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
