/** Numbers as ranges, each counted once however often it is told. Used for what sinks refused. */
interface Range {
  first: number;
  last: number;
}

/** Of more, the lowest are forgotten: numbers go up. */
const maxRanges = 20_000;

export class Ranges {
  /** In order, with at least one number between two of them. */
  #ranges: Range[] = [];

  /** How many of the numbers were not there yet. */
  add(first: number, last: number): number {
    const before = this.#ranges.findLastIndex((range) => range.last < first - 1) + 1;
    let after = before;
    let known = 0;
    let merged = { first, last };
    for (
      let range = this.#ranges[after];
      range !== undefined && range.first <= last + 1;
      range = this.#ranges[++after]
    ) {
      known += Math.max(0, Math.min(range.last, last) - Math.max(range.first, first) + 1);
      merged = { first: Math.min(merged.first, range.first), last: Math.max(merged.last, range.last) };
    }
    this.#ranges.splice(before, after - before, merged);
    if (this.#ranges.length > maxRanges) this.#ranges.shift();
    return last - first + 1 - known;
  }

  clear(): void {
    this.#ranges = [];
  }
}
