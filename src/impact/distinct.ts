/**
 * Counts how many different names there are, in memory that does not grow with a log: exact up to a bound, and "at
 * least so many" beyond it.
 */

/** What all counters of one report may still keep, in names. */
export interface Budget {
  left: number;
}

/** Names that one counter keeps. */
const mostNames = 10_000;

export class Distinct {
  readonly #names = new Set<string>();
  readonly #budget: Budget;
  #isExact = true;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  add(name: string): void {
    if (this.#names.has(name)) return;
    if (this.#names.size >= mostNames || this.#budget.left <= 0) {
      this.#isExact = false;
      return;
    }
    this.#budget.left--;
    this.#names.add(name);
  }

  get count(): number {
    return this.#names.size;
  }

  /** False where there may be more than `count`. */
  get isExact(): boolean {
    return this.#isExact;
  }

  /** The first few. */
  some(most: number): string[] {
    return [...this.#names].slice(0, most);
  }
}
