/**
 * The lines of one chain that were seen last: what comes again is recognised by
 * it, and so is a second line in the place of one of them. A ring that grows
 * as the chain does, up to a bound.
 */

const minLines = 256;
/** About 1.5 MB. More than what a sink gets again after a failed write. */
const maxLines = 16_384;

export class Window {
  #capacity = minLines;
  #hashes: string[] = [];
  #previous: string[] = [];
  /** The number that the chain stands at after the line. */
  #numbers = new Float64Array(minLines);
  #next = 0;
  /** Where something was found last. */
  #found = 0;

  get length(): number {
    return this.#hashes.length;
  }

  push(hash: string, previous: string, number: number): void {
    if (this.#next === this.#capacity) this.#wrapOrGrow();
    this.#hashes[this.#next] = hash;
    this.#previous[this.#next] = previous;
    this.#numbers[this.#next] = number;
    this.#next++;
  }

  #wrapOrGrow(): void {
    if (this.#capacity === maxLines) {
      this.#next = 0;
      return;
    }
    this.#capacity *= 4;
    const numbers = new Float64Array(this.#capacity);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }

  /** Whether a line at this number may still be here. */
  reaches(number: number): boolean {
    const oldest = this.#hashes.length < maxLines ? 0 : this.#next % maxLines;
    return this.#hashes.length > 0 && number >= (this.#numbers[oldest] as number);
  }

  /**
   * The hash of the line before a line that is here; undefined where it is not.
   * @param number What the chain stands at after the line; -1 where it does not tell.
   */
  previousOf(hash: string, number: number): string | undefined {
    return this.#previous[this.#find(hash, number)];
  }

  /** It was found out which line is before this one. */
  relink(hash: string, number: number, previous: string): void {
    const at = this.#find(hash, number);
    if (at >= 0) this.#previous[at] = previous;
  }

  #find(hash: string, number: number): number {
    // What comes again comes in order.
    const hint = this.#found + 1;
    if (this.#hashes[hint] === hash && (number < 0 || this.#numbers[hint] === number)) return this.#foundAt(hint);
    const numbers = this.#numbers;
    for (let i = 0; i < this.#hashes.length; i++) {
      if ((number < 0 || numbers[i] === number) && this.#hashes[i] === hash) return this.#foundAt(i);
    }
    return -1;
  }

  #foundAt(index: number): number {
    this.#found = index;
    return index;
  }

  /** The hashes of the lines after which the chain stood at a number. */
  at(number: number): string[] {
    const found: string[] = [];
    const numbers = this.#numbers;
    for (let i = 0; i < this.#hashes.length; i++) {
      if (numbers[i] === number) found.push(this.#hashes[i] as string);
    }
    return found;
  }

  /** Forgets all lines: its memory is wanted elsewhere. */
  clear(): void {
    this.#capacity = minLines;
    this.#hashes = [];
    this.#previous = [];
    this.#numbers = new Float64Array(minLines);
    this.#next = 0;
  }
}
