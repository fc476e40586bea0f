/**
 * Numbers names while a flat graph is built: bytes of UTF-8 in, the same number for the same bytes out. It never makes
 * a string, so a load of a million names leaves next to nothing for the garbage collector. Read as FlatNames when done.
 */
import { GrowingBytes, GrowingInts, sharedInts } from './arrays.ts';
import { hashOfBytes } from './name-hash.ts';

const encoder = new TextEncoder();
/** How many names wait for each other. More overlap no more, and fewer do less. */
const mostWaiting = 64;

export class NameTable {
  readonly #seed: number;
  readonly #bytes = new GrowingBytes();
  readonly #ends = new GrowingInts();
  /** Two numbers a slot: the id plus 1 (0 where the slot is free), and the hash. */
  #slots = sharedInts(2 * 1024);
  readonly #scratch = new Uint8Array(16 * 1024);
  /** Names that wait for settle(), by place: their bytes, their hashes, and where their numbers go. */
  #waiting = 0;
  readonly #held = new GrowingBytes();
  readonly #heldEnds = new Int32Array(mostWaiting);
  readonly #hashes = new Int32Array(mostWaiting);
  readonly #columns: GrowingInts[] = [];
  readonly #places = new Int32Array(mostWaiting);
  readonly #touched = new Int32Array(mostWaiting);

  constructor(seed: number) {
    this.#seed = seed;
  }

  get count(): number {
    return this.#ends.length;
  }

  /** The number of the name that these bytes spell: 0, 1, 2 and so on, in the order in which names come. */
  intern(from: Uint8Array, start: number, end: number): number {
    return this.#intern(from, start, end, hashOfBytes(from, start, end, this.#seed));
  }

  /**
   * Adds the number of a name to a column, if not now, then with settle(). In a table of a million names each look is
   * a wait for memory, three times over; the looks of many names wait together, which takes less than half.
   */
  internLater(from: Uint8Array, start: number, end: number, column: GrowingInts): void {
    const at = this.#waiting++;
    this.#held.append(from, start, end);
    this.#heldEnds[at] = this.#held.length;
    this.#hashes[at] = hashOfBytes(from, start, end, this.#seed);
    this.#columns[at] = column;
    this.#places[at] = column.length;
    column.push(0);
    if (this.#waiting === mostWaiting) this.settle();
  }

  /** Puts every number that is still owed in its column. */
  settle(): void {
    const count = this.#waiting;
    this.#touch(count);
    let start = 0;
    for (let i = 0; i < count; i++) {
      const end = this.#heldEnds[i] as number;
      const id = this.#intern(this.#held.bytes, start, end, this.#hashes[i] as number);
      (this.#columns[i] as GrowingInts).set(this.#places[i] as number, id);
      start = end;
    }
    this.#waiting = 0;
    this.#held.length = 0;
  }

  /** Reads what settle() will read, in short loops whose reads do not depend on each other. */
  #touch(count: number): void {
    const touched = this.#touched;
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let i = 0; i < count; i++) touched[i] = slots[((this.#hashes[i] as number) & mask) * 2] as number;
    for (let i = 0; i < count; i++) {
      const id = (touched[i] as number) - 1;
      touched[i] = id > 0 ? this.#ends.at(id - 1) : 0;
    }
    const { bytes } = this.#bytes;
    for (let i = 0; i < count; i++) touched[i] = bytes[touched[i] as number] as number;
  }

  #intern(from: Uint8Array, start: number, end: number, hash: number): number {
    const mask = this.#slots.length / 2 - 1;
    let slot = hash & mask;
    for (;;) {
      const found = this.#slots[slot * 2] as number;
      if (found === 0) break;
      if (this.#slots[slot * 2 + 1] === hash && this.#isAt(found - 1, from, start, end)) return found - 1;
      slot = (slot + 1) & mask;
    }
    const id = this.#ends.length;
    this.#bytes.append(from, start, end);
    this.#ends.push(this.#bytes.length);
    this.#slots[slot * 2] = id + 1;
    this.#slots[slot * 2 + 1] = hash;
    if ((id + 1) * 4 > this.#slots.length) this.#grow();
    return id;
  }

  internText(name: string): number {
    const scratch = name.length * 3 <= this.#scratch.length ? this.#scratch : new Uint8Array(name.length * 3);
    const { written } = encoder.encodeInto(name, scratch);
    return this.intern(scratch, 0, written);
  }

  /** What FlatNames reads: the bytes of all names, where each ends, and the slots. */
  finish(): { readonly bytes: Uint8Array; readonly ends: Int32Array; readonly slots: Int32Array } {
    return { bytes: this.#bytes.bytes.subarray(0, this.#bytes.length), ends: this.#ends.view(), slots: this.#slots };
  }

  #isAt(id: number, from: Uint8Array, start: number, end: number): boolean {
    const begin = id === 0 ? 0 : this.#ends.at(id - 1);
    const { bytes } = this.#bytes;
    const length = end - start;
    if (this.#ends.at(id) - begin !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[begin + i] !== from[start + i]) return false;
    return true;
  }

  /** At most half of the slots are in use, so that a search looks at one or two. */
  #grow(): void {
    const old = this.#slots;
    const slots = sharedInts(old.length * 2);
    const mask = slots.length / 2 - 1;
    for (let i = 0; i < old.length; i += 2) {
      const found = old[i] as number;
      if (found === 0) continue;
      const hash = old[i + 1] as number;
      let slot = hash & mask;
      while (slots[slot * 2] !== 0) slot = (slot + 1) & mask;
      slots[slot * 2] = found;
      slots[slot * 2 + 1] = hash;
    }
    this.#slots = slots;
  }
}
