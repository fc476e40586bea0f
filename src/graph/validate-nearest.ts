/**
 * Asks for the nearest name within a budget. Suggesting costs time in
 * proportion to the candidates, and a graph of a million objects with a
 * thousand typos must not take minutes to refuse; past the budget a problem is
 * reported without a suggestion.
 */

/** The candidate that was probably meant, or undefined where none is near. */
export type Suggest = (name: string, candidates: Iterable<string>) => string | undefined;

/** Candidates of one kind: a set, or the keys of a map. */
export interface Candidates {
  readonly size: number;
  keys(): Iterable<string>;
}

export type Nearest = (name: string, candidates: Candidates) => string | undefined;

/** Comparisons of names in one validation of a whole graph; about a second. */
const maxComparisons = 2_000_000;

export function createNearest(suggest: Suggest, budget: number = maxComparisons): Nearest {
  let comparisons = 0;
  const answers = new Map<Candidates, Map<string, string | undefined>>();
  return (name, candidates) => {
    let known = answers.get(candidates);
    if (known === undefined) {
      known = new Map();
      answers.set(candidates, known);
    }
    if (known.has(name)) return known.get(name);
    comparisons += candidates.size;
    const answer = comparisons > budget ? undefined : suggest(name, candidates.keys());
    known.set(name, answer);
    return answer;
  };
}
