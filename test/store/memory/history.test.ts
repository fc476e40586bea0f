// The bounds of the memory store's history; what it tells is held to the conformance suite.
import { expect, test } from 'vitest';
import type { ChangeSet } from '../../../src/model/change.ts';
import { History } from '../../../src/store/memory/history.ts';
import { bindingOf, putOf } from '../records.ts';

const head = (number: number) => ({ epoch: 'e', number });
const changeSet = (number: number, changes: ChangeSet['changes']): ChangeSet => ({
  revision: head(number),
  changes,
  at: 1,
});

function kept(maxChanges: number, changes: ChangeSet['changes']): number {
  const history = new History({ maxChangeSets: 100, maxChanges });
  for (let i = 1; i <= 20; i++) history.add(changeSet(i, changes));
  return history.before(undefined, head(20), 100).length;
}

test('a change that holds the record before it counts twice', () => {
  const change = putOf(bindingOf(1));
  expect(kept(10, [change])).toBe(10);
  expect(kept(10, [{ ...change, before: bindingOf(1) }])).toBe(5);
  expect(kept(10, [{ ...change, before: bindingOf(1) }, change])).toBe(3);
});
