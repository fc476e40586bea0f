// What strikes when, from the seed alone: the plan of a run of chaos.test.ts, and the words for it when a run fails.
import fc from 'fast-check';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { anyRecord, graph, toChange } from '../reference/arbitraries.ts';

export const faultNames = [
  'none',
  'the way is slow',
  'connections are reset',
  'connections are ended',
  'connections are refused',
  'the way is silent',
  'connections are stranded',
  'client kill normal',
  'client kill pubsub',
  'redis stops',
  'redis is killed',
  'redis sleeps',
  'history is trimmed',
  'everything is flushed',
  'a backup is kept',
  'a backup is restored',
  'the last commits are lost',
  'a record is garbage',
] as const;
export type FaultName = (typeof faultNames)[number];

export interface Step {
  readonly fault: FaultName;
  /** Which follower's way it strikes, where it is about a way. */
  readonly victim: number;
  /** How long it lasts, in milliseconds. */
  readonly lastsMs: number;
  /** How many steps a fault of a way outlives its own. */
  readonly outlives: number;
  /** Change sets that are committed meanwhile. */
  readonly changeSets: readonly (readonly Change[])[];
  /** Whether the follower with a directory is closed before, and begins anew while the fault lasts. */
  readonly restarts: boolean;
  /** Whether everybody has to reach the head before the next step. */
  readonly settles: boolean;
  /** What the graph is written anew from after a flush. */
  readonly graph: readonly EntityRecord[];
}

const changeSet = fc.array(
  fc.tuple(anyRecord, fc.boolean(), fc.boolean()).map(([record, a, b]) => toChange(record, a || b)),
  { minLength: 1, maxLength: 4 },
);

/** Every fault comes about equally often: the names are dealt like cards. */
export function scheduleOf(seed: number, steps: number): readonly Step[] {
  const step = fc.record({
    victim: fc.nat(2),
    lastsMs: fc.integer({ min: 20, max: 900 }),
    outlives: fc.nat(2),
    changeSets: fc.array(changeSet, { minLength: 1, maxLength: 8 }),
    restarts: fc.nat(2).map((of3) => of3 === 0),
    settles: fc.nat(2).map((of3) => of3 === 0),
    graph,
  });
  const rounds = Math.ceil(steps / faultNames.length);
  const deck = fc.shuffledSubarray([...faultNames], { minLength: faultNames.length });
  const names = fc.sample(deck, { seed, numRuns: rounds }).flat();
  return fc.sample(step, { seed, numRuns: steps }).map((each, i) => ({ ...each, fault: names[i] ?? 'none' }));
}
