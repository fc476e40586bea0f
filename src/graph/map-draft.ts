/** A map of a draft: copied once, before the first change, and never the base's. */
export class MapDraft<Value> {
  #map: ReadonlyMap<string, Value>;
  #own: Map<string, Value> | undefined;

  constructor(base: ReadonlyMap<string, Value>) {
    this.#map = base;
  }

  set(key: string, value: Value): void {
    this.#written().set(key, value);
  }

  delete(key: string): void {
    if (this.#map.has(key)) this.#written().delete(key);
  }

  /** The finished map; the base itself where nothing was changed. The draft must not be written afterwards. */
  freeze(): ReadonlyMap<string, Value> {
    return this.#map;
  }

  #written(): Map<string, Value> {
    this.#own ??= new Map(this.#map);
    this.#map = this.#own;
    return this.#own;
  }
}
