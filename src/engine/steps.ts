/**
 * Long work in steps: a generator that pauses about every millisecond and returns the answer at its end. Whoever
 * drives it may do other work in a pause, or drop it; nobody else's question may disturb it, so what it uses of the
 * shared walk has to be filled again after each pause.
 */
export type Steps<Answer> = Generator<undefined, Answer, undefined>;

/** Does all steps at once: for callers who have nobody to let through. */
export function finish<Answer>(steps: Steps<Answer>): Answer {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Work of a step, in units of some 0.1 us: a millisecond. */
const unitsInStep = 10_000;
/** What it costs to look at a node, an edge or a binding. */
export const lookUnits = 1;
/** What it costs to expand and weigh a question, in a graph that no processor cache holds. */
export const weighUnits = 50;

/** Says when a step has done enough. */
export class Pace {
  #units = 0;

  /** Whether to pause now. */
  spend(units: number): boolean {
    this.#units += units;
    if (this.#units < unitsInStep) return false;
    this.#units = 0;
    return true;
  }
}
