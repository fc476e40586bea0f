/** Reading an ordered list from the middle. Called by lists and by the judges of administration; never writes. */
import { type Chunk, type Chunked, lastOf, toArray } from './chunked.ts';
import type { NodeList } from './names.ts';

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
  const first = firstNot(chunks, (chunk) => isBefore(lastOf(chunk)));
  for (let i = first; i < chunks.length; i++) {
    const chunk = toArray(chunks[i] as Chunk<T>);
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

/** The index of the first node above another one; the length where there is none. */
export function firstAfter(nodes: NodeList, node: number): number {
  let low = 0;
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (nodes.at(middle) <= node) low = middle + 1;
    else high = middle;
  }
  return low;
}
