/**
 * The names of a flat graph, read-only: bytes of UTF-8 and a hash table over them. A name becomes a string when
 * somebody asks for it, and is found without becoming one. Called by ../names.ts alone.
 */
import { textOfBytes } from '../../model/utf8.ts';
import { mix } from './name-hash.ts';

/** As a NameTable makes them, and a file keeps them. */
export interface NameArrays {
  readonly bytes: Uint8Array;
  /** By node: where its name ends in `bytes`. */
  readonly ends: Int32Array;
  /** Two numbers a slot: the node plus 1, or 0; and the hash. A power of two of slots, at most half of them in use. */
  readonly slots: Int32Array;
  /** By node: the id of its type, or -1. */
  readonly types: Int32Array;
  /** Nodes by type, ascending within each; those without a type are not in it. */
  readonly byType: Int32Array;
  /** By type: where its nodes end in `byType`. */
  readonly typeEnds: Int32Array;
}

const encoder = new TextEncoder();
const nonAscii = 0x80;
/** String.fromCharCode takes this many arguments everywhere. */
const longestAtOnce = 4096;

export class FlatNames {
  readonly count: number;
  readonly typeCount: number;
  /** By node: the id of its type, or -1. */
  readonly types: Int32Array;
  readonly #arrays: NameArrays;
  readonly #seed: number;
  readonly #mask: number;

  constructor(arrays: NameArrays, seed: number) {
    this.count = arrays.ends.length;
    this.typeCount = arrays.typeEnds.length;
    this.types = arrays.types;
    this.#arrays = arrays;
    this.#seed = seed;
    this.#mask = arrays.slots.length / 2 - 1;
  }

  /** The node of a name, or -1. */
  find(name: string): number {
    let hash = this.#seed;
    for (let i = 0; i < name.length; i++) {
      const unit = name.charCodeAt(i);
      if (unit >= nonAscii) return this.#findEncoded(name);
      hash = mix(hash, unit);
    }
    const { slots } = this.#arrays;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = slots[slot * 2] as number;
      if (found === 0) return -1;
      if (slots[slot * 2 + 1] === hash && this.#isAscii(found - 1, name)) return found - 1;
    }
  }

  nameOf(node: number): string {
    const { bytes, ends } = this.#arrays;
    const start = node === 0 ? 0 : (ends[node - 1] as number);
    const end = ends[node] as number;
    let ored = end - start > longestAtOnce ? nonAscii : 0;
    for (let i = start; i < end; i++) ored |= bytes[i] as number;
    const part = bytes.subarray(start, end);
    // Twice as fast as a decoder on names of usual length. It takes anything array-like, which its type does not say.
    return ored < nonAscii ? String.fromCharCode.apply(null, part as unknown as number[]) : textOfBytes(part);
  }

  /** The nodes of a type, ascending. */
  ofType(type: number): Int32Array {
    const { byType, typeEnds } = this.#arrays;
    return byType.subarray(type === 0 ? 0 : typeEnds[type - 1], typeEnds[type]);
  }

  #isAscii(node: number, name: string): boolean {
    const { bytes, ends } = this.#arrays;
    const start = node === 0 ? 0 : (ends[node - 1] as number);
    if ((ends[node] as number) - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #findEncoded(name: string): number {
    const encoded = encoder.encode(name);
    const { bytes, ends, slots } = this.#arrays;
    let hash = this.#seed;
    for (const byte of encoded) hash = mix(hash, byte);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = slots[slot * 2] as number;
      if (found === 0) return -1;
      const start = found === 1 ? 0 : (ends[found - 2] as number);
      const isSame =
        slots[slot * 2 + 1] === hash &&
        (ends[found - 1] as number) - start === encoded.length &&
        encoded.every((byte, i) => bytes[start + i] === byte);
      // Half a surrogate pair is encoded as a replacement character: it must not find the name that really holds one.
      if (isSame && name.isWellFormed()) return found - 1;
    }
  }
}
