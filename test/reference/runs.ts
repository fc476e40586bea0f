/**
 * How long the random comparisons run: POSTERN_RUNS=<n> sets their length, and
 * setup/seed.ts their seed. Whoever imports this prints both once.
 */
import { expect } from 'vitest';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { seed } from '../setup/seed.ts';

export const runs = Number(process.env.POSTERN_RUNS ?? 500);
console.log(`random graphs: POSTERN_SEED=${seed} POSTERN_RUNS=${runs} repeats this run`);

/** What was asked, for the message of a failed comparison. */
export function say(value: unknown): string {
  return JSON.stringify(value);
}

/** Asserts that both hold the same records, each once, in whatever order. */
export function sameRecords(actual: readonly EntityRecord[], expected: readonly EntityRecord[]): void {
  expect(inOrder(actual)).toEqual(inOrder(expected));
}

function inOrder(records: readonly EntityRecord[]): readonly EntityRecord[] {
  const keyed = records.map((record) => ({ key: JSON.stringify([record.kind, entityKey(record)]), record }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ record }) => record);
}
