/**
 * A column of a snapshot: values by small integer id, in pages, so that a new
 * snapshot shares every page that a change did not touch. Below the pages there
 * may be a base: what a whole graph was loaded as, which pages only amend.
 * Written only through a PagedDraft, before the snapshot is published.
 */

// 512 entries: one change copies a page of 4 KiB and a table of 8 bytes a page,
// which at 700,000 names is about 11 KiB.
const pageBits = 9;
const pageSize = 1 << pageBits;
const pageMask = pageSize - 1;

/** What a column was loaded as: values that are made when they are asked for. Never changes. */
export interface Base<T> {
  /** The value at an id, or undefined; any id is legal. */
  get(id: number): T | undefined;
}

/** Stands in a page where the base has a value, and the column has none any more. */
export interface Gone {
  readonly gone: true;
}

export const gone: Gone = Object.freeze({ gone: true });

type Page<T> = readonly (T | Gone | undefined)[];

export interface Paged<T, B extends Base<T> = Base<T>> {
  readonly pages: readonly (Page<T> | undefined)[];
  /** What ids have of which no page says anything. */
  readonly base: B | undefined;
}

export function emptyPaged<T, B extends Base<T>>(): Paged<T, B> {
  return { pages: [], base: undefined };
}

/** A column that is as it was loaded. */
export function pagedOver<T, B extends Base<T>>(base: B): Paged<T, B> {
  return { pages: [], base };
}

/** The value at an id, or undefined; any id is legal. */
export function at<T>(paged: Paged<T>, id: number): T | undefined {
  const written = writtenAt(paged, id);
  if (written === undefined) return paged.base?.get(id);
  return written === gone ? undefined : (written as T);
}

/** What the pages alone say of an id: a value, `gone`, or undefined where the base, if there is one, has the word. */
export function writtenAt<T>(paged: Paged<T>, id: number): T | Gone | undefined {
  const page = paged.pages[id >> pageBits];
  return page === undefined ? undefined : page[id & pageMask];
}

export function isThere<T>(written: T | Gone): written is T {
  return written !== gone;
}

/** A column being written. Copies a page before the first write to it, and never the base. */
export class PagedDraft<T, B extends Base<T> = Base<T>> implements Paged<T, B> {
  pages: ((T | Gone | undefined)[] | undefined)[];
  readonly base: B | undefined;
  readonly #owned: boolean[] = [];
  #shared: boolean;

  constructor(from: Paged<T, B>) {
    // Only #own() writes, and it replaces a page that is shared by a copy first.
    this.pages = from.pages as (T | Gone | undefined)[][];
    this.base = from.base;
    this.#shared = true;
  }

  set(id: number, value: T | undefined): void {
    const index = id >> pageBits;
    const page = this.#owned[index] === true ? (this.pages[index] as (T | Gone | undefined)[]) : this.#own(index);
    page[id & pageMask] = value === undefined && this.base !== undefined ? gone : value;
  }

  #own(index: number): (T | Gone | undefined)[] {
    if (this.#shared) {
      this.pages = this.pages.slice();
      this.#shared = false;
    }
    while (this.pages.length < index) this.pages.push(undefined);
    const page = this.pages[index];
    const own = page === undefined ? new Array<T | Gone | undefined>(pageSize).fill(undefined) : page.slice();
    this.pages[index] = own;
    this.#owned[index] = true;
    return own;
  }

  /** The finished column. The draft must not be written afterwards. */
  freeze(): Paged<T, B> {
    return { pages: this.pages, base: this.base };
  }
}
