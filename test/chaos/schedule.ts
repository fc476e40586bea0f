// What strikes when, from the seed alone: the plan of a chaos run.
import fc from 'fast-check';
import type { Change } from '../../src/model/change.ts';
import { anyRecord, graph, toChange } from '../reference/arbitraries.ts';

export interface Step<Fault extends string> {
  readonly fault: Fault;
  /** Which follower's way it strikes, where it is about a way, and which of several servers, where it is about one. */
  readonly victim: number;
  /** How long it lasts, in milliseconds. */
  readonly lastsMs: number;
  /** How many steps a fault of a way outlives its own. */
  readonly outlives: number;
  /** Change sets that are committed meanwhile. */
  readonly changeSets: readonly (readonly Change[])[];
  /** Whether one of the followers that restart is ended before, and begins anew while the fault lasts. */
  readonly restarts: boolean;
  /** Whether everybody has to reach the head before the next step. */
  readonly settles: boolean;
  /** Other changes than those: puts of a whole graph, which are written after a flush, and where a fault needs some. */
  readonly graph: readonly Change[];
}

const changeSet = fc.array(
  fc.tuple(anyRecord, fc.boolean(), fc.boolean()).map(([record, a, b]) => toChange(record, a || b)),
  { minLength: 1, maxLength: 4 },
);

/** Every fault comes about equally often: they are dealt like cards. */
export function scheduleOf<Fault extends string>(
  seed: number,
  steps: number,
  faults: readonly Fault[],
): readonly Step<Fault>[] {
  const step = fc.record({
    victim: fc.nat(2),
    lastsMs: fc.integer({ min: 20, max: 900 }),
    outlives: fc.nat(2),
    changeSets: fc.array(changeSet, { minLength: 1, maxLength: 8 }),
    restarts: fc.nat(2).map((of3) => of3 === 0),
    settles: fc.nat(2).map((of3) => of3 === 0),
    graph: graph.map((records) => records.map((record) => toChange(record, true))),
  });
  const rounds = Math.ceil(steps / faults.length);
  const deck = fc.shuffledSubarray([...faults], { minLength: faults.length });
  const dealt = fc.sample(deck, { seed, numRuns: rounds }).flat();
  return fc.sample(step, { seed, numRuns: steps }).map((each, i) => ({ ...each, fault: dealt[i] as Fault }));
}
