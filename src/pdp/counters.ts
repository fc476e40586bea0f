/** Counts of decisions since start, as plain integers: the hot path increments, metrics read. */
import type { Source } from '../decision-log/log.ts';

export interface SourceCount {
  allowed: number;
  denied: number;
}

export type DecisionCounters = Readonly<Record<Source, SourceCount>>;

export function createCounters(): DecisionCounters {
  const zero = (): SourceCount => ({ allowed: 0, denied: 0 });
  return {
    check: zero(),
    batch: zero(),
    stream: zero(),
    list_objects: zero(),
    list_subjects: zero(),
    list_actions: zero(),
    explain: zero(),
  };
}
