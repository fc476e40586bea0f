/** A row of a flat column as a chunked list: nothing is made of it before a chunk is asked for. */
import type { Chunked, Stretch } from '../chunked.ts';

// What a chunk holds that is between splitting and splitting again.
const stretchLength = 192;

/** Items by number, made when asked for. */
export class FlatStretch<T> implements Stretch<T> {
  readonly start: number;
  readonly end: number;
  readonly #make: (i: number) => T;

  constructor(start: number, end: number, make: (i: number) => T) {
    this.start = start;
    this.end = end;
    this.#make = make;
  }

  get length(): number {
    return this.end - this.start;
  }

  first(): T {
    return this.#make(this.start);
  }

  last(): T {
    return this.#make(this.end - 1);
  }

  toArray(): T[] {
    const items: T[] = [];
    for (let i = this.start; i < this.end; i++) items.push(this.#make(i));
    return items;
  }
}

/** @param make The item at a place between start and end. */
export function stretched<T>(start: number, end: number, make: (i: number) => T): Chunked<T> {
  const chunks: FlatStretch<T>[] = [];
  for (let from = start; from < end; from += stretchLength) {
    chunks.push(new FlatStretch(from, Math.min(end, from + stretchLength), make));
  }
  return { size: end - start, chunks };
}
