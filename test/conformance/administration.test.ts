/**
 * Nobody ever ends with a permission that no one entitled granted: random histories of commits by ordinary callers,
 * judged one by one by a second opinion (reference/administration-judge.ts). POSTERN_RUNS=<n> sets how many.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstGraph } from '../reference/administration-graphs.ts';
import { plannedCommit } from '../reference/administration-histories.ts';
import { type Played, play } from '../reference/administration-play.ts';
import { conflictsOf } from '../reference/administration-rules.ts';
import { queryOf, tableOf } from '../reference/administration-table.ts';
import { cells, contexts, instantsFrom, start, subjects } from '../reference/administration-universe.ts';
import { check } from '../reference/evaluator.ts';
import { seed } from '../setup/seed.ts';

const runs = Number(process.env.POSTERN_RUNS ?? 150);
console.log(`administration: POSTERN_SEED=${seed} POSTERN_RUNS=${runs} repeats this run`);

/** What happens often enough, in so few histories, for both outcomes to be demanded. */
const bothWays = [
  ...['put binding', 'delete binding', 'put member', 'delete member', 'put object', 'create', 'remove'],
  ...['put role', 'put group', 'put hook', 'put constraint'],
];
const lastingGraph = firstGraph.filter((records) => conflictsOf(records).length === 0);

test('nobody gains a permission that no one entitled granted', { timeout: 3_600_000 }, async () => {
  const all: Played[] = [];
  const histories = fc
    .tuple(lastingGraph, fc.array(plannedCommit, { minLength: 5, maxLength: 40, size: 'max' }))
    // The error that play throws tells the history so that people can read it.
    .map(([records, commits]) => ({ records, commits, [fc.toStringMethod]: () => 'a history, told below' }));
  await fc.assert(
    fc.asyncProperty(histories, async ({ records, commits }) => {
      all.push(...(await play(records, commits)));
    }),
    { numRuns: runs, endOnFailure: false },
  );
  const counts = countsOf(all);
  if (process.env.POSTERN_RUNS !== undefined) console.log(counts);
  expect(counts.accepted / counts.all).toBeGreaterThan(0.2);
  expect(counts.gaining).toBeGreaterThan(runs / 2);
  for (const kind of bothWays) {
    expect(counts.kinds[kind], kind).toMatchObject({ accepted: expect.any(Number), refused: expect.any(Number) });
  }
});

test('the table of answers is what the plain evaluator answers', () => {
  const question = fc.record({
    subject: fc.constantFrom(...subjects),
    cell: fc.nat({ max: cells.length - 1 }),
    at: fc.constantFrom(...instantsFrom(start)),
    context: fc.constantFrom(...contexts),
  });
  fc.assert(
    fc.property(
      firstGraph,
      fc.array(question, { minLength: 50, maxLength: 100, size: 'max' }),
      (records, questions) => {
        const table = tableOf(records);
        for (const { subject, cell, at, context } of questions) {
          const plain = check(records, queryOf(subject, cells[cell] as (typeof cells)[number], context), at).allowed;
          expect(table.allowed(subject, at, context)[cell] === 1).toBe(plain);
        }
      },
    ),
    { numRuns: 20 },
  );
});

function countsOf(played: readonly Played[]) {
  const kinds: Record<string, { accepted?: number; refused?: number }> = {};
  const codes: Record<string, number> = {};
  for (const { kinds: those, outcome } of played) {
    codes[outcome] = (codes[outcome] ?? 0) + 1;
    // What refuses a change set of several may be another change; those of one tell.
    const side = outcome === 'accepted' ? 'accepted' : 'refused';
    if (those.length > 1 && side === 'refused') continue;
    for (const kind of new Set(those)) {
      const count = kinds[kind] ?? {};
      count[side] = (count[side] ?? 0) + 1;
      kinds[kind] = count;
    }
  }
  const gaining = played.filter(({ gains }) => gains > 0).length;
  return { all: played.length, accepted: codes.accepted ?? 0, gaining, codes, kinds };
}
