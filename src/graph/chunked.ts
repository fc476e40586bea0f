/**
 * A sorted list in chunks, so that one insertion into a list of a million
 * copies one chunk and the table of chunks, not the list. Items are ordered by
 * a total order in which two items are equal exactly when the later replaces
 * the earlier.
 */

// A chunk splits when it is full, so that a chunk holds 128 to 256 items.
const chunkCapacity = 256;

/** Items side by side in a flat column, which become an array where somebody asks for one. */
export interface Stretch<T> {
  readonly length: number;
  first(): T;
  last(): T;
  toArray(): T[];
}

export type Chunk<T> = readonly T[] | Stretch<T>;

export interface Chunked<T> {
  readonly size: number;
  /** Never holds an empty chunk. */
  readonly chunks: readonly Chunk<T>[];
}

/** The chunks of a list as arrays, one after another; none of no list. */
export function* chunksOf<T>(list: Chunked<T> | undefined): Generator<readonly T[], void> {
  if (list === undefined) return;
  for (let i = 0; i < list.chunks.length; i++) yield toArray(list.chunks[i] as Chunk<T>);
}

/** The first items of a list, at most so many. */
export function itemsOf<T>(list: Chunked<T> | undefined, most: number): readonly T[] {
  const items: T[] = [];
  for (const chunk of chunksOf(list)) {
    items.push(...chunk.slice(0, most - items.length));
    if (items.length === most) break;
  }
  return items;
}

/** The items of a chunk; an array that is the list's own must not be written. */
export function toArray<T>(chunk: Chunk<T>): readonly T[] {
  return isStretch(chunk) ? chunk.toArray() : chunk;
}

export function isStretch<T>(chunk: Chunk<T>): chunk is Stretch<T> {
  return !Array.isArray(chunk);
}

export function firstOf<T>(chunk: Chunk<T>): T {
  return isStretch(chunk) ? chunk.first() : (chunk[0] as T);
}

export function lastOf<T>(chunk: Chunk<T>): T {
  return isStretch(chunk) ? chunk.last() : (chunk[chunk.length - 1] as T);
}

/** Negative, zero or positive, as for Array.sort. */
export type Order<T> = (a: T, b: T) => number;

/**
 * The list with the item put in, replacing its equal.
 * @param inPlace The list was never published: write into it instead of copying.
 */
export function insert<T>(list: Chunked<T> | undefined, item: T, order: Order<T>, inPlace: boolean): Chunked<T> {
  if (list === undefined) return { size: 1, chunks: [[item]] };
  const chunkIndex = chunkFor(list.chunks, item, order);
  const chunk = list.chunks[chunkIndex] as Chunk<T>;
  const written = writable(chunk, inPlace);
  const position = lowerBound(written, item, order);
  const found = written[position];
  const replaces = found !== undefined && order(found, item) === 0;
  if (replaces) written[position] = item;
  else written.splice(position, 0, item);
  const size = replaces ? list.size : list.size + 1;
  const parts =
    written.length < chunkCapacity
      ? undefined
      : [written.slice(0, chunkCapacity / 2), written.slice(chunkCapacity / 2)];
  return rebuilt(list, chunkIndex, parts ?? [written], size, inPlace);
}

/** The list without the item equal to this one, or undefined when that leaves it empty. */
export function remove<T>(
  list: Chunked<T> | undefined,
  item: T,
  order: Order<T>,
  inPlace: boolean,
): Chunked<T> | undefined {
  if (list === undefined) return undefined;
  const chunkIndex = chunkFor(list.chunks, item, order);
  const written = writable(list.chunks[chunkIndex] as Chunk<T>, inPlace);
  const position = lowerBound(written, item, order);
  const found = written[position];
  if (found === undefined || order(found, item) !== 0) return list;
  if (list.size === 1) return undefined;
  written.splice(position, 1);
  return rebuilt(list, chunkIndex, written.length === 0 ? [] : [written], list.size - 1, inPlace);
}

/** The item equal to this one, or undefined. */
export function find<T>(list: Chunked<T> | undefined, item: T, order: Order<T>): T | undefined {
  if (list === undefined) return undefined;
  const chunk = toArray(list.chunks[chunkFor(list.chunks, item, order)] as Chunk<T>);
  const found = chunk[lowerBound(chunk, item, order)];
  return found !== undefined && order(found, item) === 0 ? found : undefined;
}

interface Writable<T> {
  size: number;
  chunks: Chunk<T>[];
}

/** The items of a chunk, in an array that may be written. */
function writable<T>(chunk: Chunk<T>, inPlace: boolean): T[] {
  if (isStretch(chunk)) return chunk.toArray();
  return inPlace ? (chunk as T[]) : chunk.slice();
}

function rebuilt<T>(list: Chunked<T>, index: number, parts: T[][], size: number, inPlace: boolean): Chunked<T> {
  const target: Writable<T> = inPlace ? (list as unknown as Writable<T>) : { size, chunks: list.chunks.slice() };
  target.size = size;
  if (parts.length === 1) target.chunks[index] = parts[0] as T[];
  else target.chunks.splice(index, 1, ...parts);
  return target;
}

/** The last chunk whose first item is not after the item; the first chunk otherwise. */
function chunkFor<T>(chunks: readonly Chunk<T>[], item: T, order: Order<T>): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (order(firstOf(chunks[middle] as Chunk<T>), item) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

function lowerBound<T>(chunk: readonly T[], item: T, order: Order<T>): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order(chunk[middle] as T, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
