/**
 * A column of a snapshot: values by small integer id, in pages, so that a new
 * snapshot shares every page that a change did not touch. Reading is two array
 * loads. Written only through a PagedDraft, before the snapshot is published.
 */

// 512 entries: one change copies a page of 4 KiB and a table of 8 bytes a page,
// which at 700,000 names is about 11 KiB.
const pageBits = 9;
const pageSize = 1 << pageBits;
const pageMask = pageSize - 1;

export interface Paged<T> {
  readonly pages: readonly (readonly (T | undefined)[] | undefined)[];
}

export function emptyPaged<T>(): Paged<T> {
  return { pages: [] };
}

/** The value at an id, or undefined; any id is legal. */
export function at<T>(paged: Paged<T>, id: number): T | undefined {
  const page = paged.pages[id >> pageBits];
  return page === undefined ? undefined : page[id & pageMask];
}

/** A column being written. Copies a page before the first write to it, and never the base. */
export class PagedDraft<T> implements Paged<T> {
  pages: ((T | undefined)[] | undefined)[];
  readonly #owned: boolean[] = [];
  #shared: boolean;

  constructor(base: Paged<T>) {
    // Only #own() writes, and it replaces a base page by a copy first.
    this.pages = base.pages as (T | undefined)[][];
    this.#shared = true;
  }

  set(id: number, value: T | undefined): void {
    const index = id >> pageBits;
    const page = this.#owned[index] === true ? (this.pages[index] as (T | undefined)[]) : this.#own(index);
    page[id & pageMask] = value;
  }

  #own(index: number): (T | undefined)[] {
    if (this.#shared) {
      this.pages = this.pages.slice();
      this.#shared = false;
    }
    while (this.pages.length < index) this.pages.push(undefined);
    const base = this.pages[index];
    const page = base === undefined ? new Array<T | undefined>(pageSize).fill(undefined) : base.slice();
    this.pages[index] = page;
    this.#owned[index] = true;
    return page;
  }

  /** The finished column. The draft must not be written afterwards. */
  freeze(): Paged<T> {
    return { pages: this.pages };
  }
}
