/**
 * The plain data of a flat graph: typed arrays that one thread builds, another one reads, and a file keeps as they
 * are. Owns how they are allocated and how they grow; knows nothing of what is in them.
 */
import { PosternError } from '../../model/errors.ts';

/** From this size on, memory is mapped: below, the maps of many small graphs would be too many for the system. */
const leastMappedBytes = 1024 * 1024;

/**
 * Memory that threads share: handing a graph of a million bindings from one to another copies nothing.
 *
 * One that could grow is mapped, and goes back to the system when it is let go. Other memory comes from malloc, which
 * keeps what the ended thread of a load gave back: measured, 270 MB after two loads of a million bindings.
 * Views of it need their length: without one they would follow its growth, and be slower to read.
 */
export function sharedBytes(length: number): ArrayBufferLike {
  return length < leastMappedBytes
    ? new SharedArrayBuffer(length)
    : new SharedArrayBuffer(length, { maxByteLength: length });
}

const firstCapacity = 1024;
/** Where something ends in bytes is a number of 32 bits. */
const mostBytes = 2 ** 31 - 1;

/** A list of whole numbers that grows, and ends as an exact, shared array. */
export class GrowingInts {
  #array = sharedInts(firstCapacity);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#array.length) {
      const grown = sharedInts(this.#array.length * 2);
      grown.set(this.#array);
      this.#array = grown;
    }
    this.#array[this.#length++] = value;
  }

  at(index: number): number {
    return this.#array[index] as number;
  }

  set(index: number, value: number): void {
    this.#array[index] = value;
  }

  /** What it holds now, without a copy: valid until the next push. */
  view(): Int32Array {
    return this.#array.subarray(0, this.#length);
  }
}

/** Times, of which most are 0: no memory is taken before the first that is not. */
export class GrowingTimes {
  #array: Float64Array | undefined;
  #length = 0;

  push(value: number): void {
    if (value !== 0 || this.#array !== undefined) {
      if (this.#array === undefined || this.#length >= this.#array.length) {
        const grown = sharedTimes(Math.max(firstCapacity, this.#length * 2));
        if (this.#array !== undefined) grown.set(this.#array);
        this.#array = grown;
      }
      this.#array[this.#length] = value;
    }
    this.#length++;
  }

  /** Undefined where every one is 0. */
  view(): Float64Array | undefined {
    return this.#array?.subarray(0, this.#length);
  }
}

/** Bytes one after another. */
export class GrowingBytes {
  bytes = sharedOctets(firstCapacity);
  length = 0;

  /** Makes room for this many more. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    if (this.length + more > mostBytes)
      throw new PosternError(
        'LIMIT_EXCEEDED',
        'the names of a policy, or its notes and conditions, take 2 GiB or more',
      );
    const grown = sharedOctets(Math.min(mostBytes, Math.max(this.bytes.length * 2, this.length + more)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  append(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    // Names are short: a loop is faster than the call of set() on a subarray.
    for (let i = start; i < end; i++) this.bytes[this.length++] = from[i] as number;
  }
}

export function sharedInts(length: number): Int32Array {
  return new Int32Array(sharedBytes(length * 4), 0, length);
}

export function sharedTimes(length: number): Float64Array {
  return new Float64Array(sharedBytes(length * 8), 0, length);
}

export function sharedOctets(length: number): Uint8Array {
  return new Uint8Array(sharedBytes(length), 0, length);
}

export function toShared(bytes: Uint8Array): Uint8Array {
  const shared = sharedOctets(bytes.length);
  shared.set(bytes);
  return shared;
}
