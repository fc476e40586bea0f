/**
 * What gap records say of lines that a sink refused: from which hash to which. A bridge may be told before or after the
 * lines on both of its sides are read, twice after a crash, and one may end where the next begins. Used by the verifier
 * of chains, which ties runs by it.
 */
export interface Bridge {
  /** The hash before the first line that is not there; empty where that was the first of the chain. */
  readonly from: string;
  /** The hash of the last one. */
  readonly through: string;
  /** The last number that is not there. */
  readonly last: number;
}

/** Of more, the oldest are forgotten. */
const maxBridges = 20_000;

export class Bridges {
  readonly #byThrough = new Map<string, Bridge>();
  /** Those that have tied nothing yet. */
  readonly #byLast = new Map<number, Bridge[]>();
  readonly #byFrom = new Map<string, Bridge[]>();

  /** Whether nothing waits for lines. */
  get isIdle(): boolean {
    return this.#byFrom.size === 0;
  }

  /** Whether it is new. */
  add(bridge: Bridge): boolean {
    if (this.#byThrough.has(bridge.through)) return false;
    this.#byThrough.set(bridge.through, bridge);
    addTo(this.#byLast, bridge.last, bridge);
    addTo(this.#byFrom, bridge.from, bridge);
    if (this.#byThrough.size > maxBridges) {
      const oldest = this.#byThrough.values().next().value as Bridge;
      this.#byThrough.delete(oldest.through);
      this.close(oldest);
    }
    return true;
  }

  /** It has tied what it could. */
  close(bridge: Bridge): void {
    removeFrom(this.#byLast, bridge.last, bridge);
    removeFrom(this.#byFrom, bridge.from, bridge);
  }

  endingAt(number: number): readonly Bridge[] {
    return this.#byLast.get(number) ?? [];
  }

  /** Those that begin at a hash, and those that begin where they end. */
  beginningAt(hash: string): readonly Bridge[] {
    const found = [...(this.#byFrom.get(hash) ?? [])];
    for (let i = 0; i < found.length && i < maxBridges; i++) {
      found.push(...(this.#byFrom.get((found[i] as Bridge).through) ?? []));
    }
    return found;
  }

  /** The hash of the line that is there before a hash that may be of a line that was refused, too. */
  originOf(hash: string): string {
    let origin = hash;
    for (let steps = 0; steps < maxBridges; steps++) {
      const before = this.#byThrough.get(origin);
      if (before === undefined) break;
      origin = before.from;
    }
    return origin;
  }
}

function addTo<K>(map: Map<K, Bridge[]>, key: K, bridge: Bridge): void {
  const others = map.get(key);
  if (others === undefined) map.set(key, [bridge]);
  else others.push(bridge);
}

function removeFrom<K>(map: Map<K, Bridge[]>, key: K, bridge: Bridge): void {
  const others = (map.get(key) ?? []).filter((other) => other !== bridge);
  if (others.length === 0) map.delete(key);
  else map.set(key, others);
}
