/**
 * Tells which decision ids came before: a log is delivered at least once. Ids are kept as 64 bits of a hash in two
 * tables, of which the older one is forgotten when the newer one is full, so that memory is bounded: 128 MiB, and an
 * id that comes again within four million others is always known. Two of ten million ids are taken for one with a
 * probability of 3 in a million.
 */

const mostIds = 1 << 22;
const firstSlots = 1 << 12;

export class SeenIds {
  #older = new Table();
  #newer = new Table();
  readonly #most: number;

  /** @param most Ids in a table. */
  constructor(most: number = mostIds) {
    this.#most = most;
  }

  /** Whether the id is new; it is known from now on. */
  add(id: string): boolean {
    let high = 0x811c9dc5;
    let low = 0x9e3779b9;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      high = Math.imul(high ^ unit, 0x01000193);
      low = Math.imul(low ^ unit, 0x85ebca6b);
      low ^= low >>> 15;
    }
    high ^= high >>> 16;
    if (this.#older.has(high >>> 0, low >>> 0) || !this.#newer.add(high >>> 0, low >>> 0)) return false;
    if (this.#newer.size >= this.#most) {
      this.#older = this.#newer;
      this.#newer = new Table();
    }
    return true;
  }
}

/** Pairs of 32 bits by open addressing. A slot whose second half is 0 is empty: a pair with that is kept as another one. */
class Table {
  #slots = new Uint32Array(2 * firstSlots);
  size = 0;

  has(high: number, low: number): boolean {
    return this.#slots[this.#find(high, low || 1) + 1] !== 0;
  }

  /** Whether it was not there. */
  add(high: number, low: number): boolean {
    const at = this.#find(high, low || 1);
    if (this.#slots[at + 1] !== 0) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low || 1;
    this.size++;
    if (this.size * 4 > this.#slots.length) this.#grow();
    return true;
  }

  /** The place of a pair, or the empty one where it belongs. */
  #find(high: number, low: number): number {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let slot = (high ^ low) & mask; ; slot = (slot + 1) & mask) {
      const at = 2 * slot;
      if (slots[at + 1] === 0 || (slots[at] === high && slots[at + 1] === low)) return at;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      const at = this.#find(old[i] as number, old[i + 1] as number);
      this.#slots[at] = old[i] as number;
      this.#slots[at + 1] = old[i + 1] as number;
    }
  }
}
