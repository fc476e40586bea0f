/** Holds a list to what a step expects of it. Called by ask.ts and read.ts. */
import { expect } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import type { ExpectedList } from './format.ts';
import { outcomeOf } from './world.ts';

type Item = string | readonly string[];

/** @param list Throws PosternError where the list is refused. */
export async function expectList(
  expected: ExpectedList,
  list: () => readonly Item[] | Promise<readonly Item[]>,
): Promise<void> {
  const { expect: wanted, count, at_least: some, without } = expected;
  if (wanted === undefined && count === undefined && some === undefined && without === undefined) {
    throw new Error('the step expects nothing of the list');
  }
  const found = await outcomeOf(list);
  if (found instanceof PosternError) {
    expect(found.code, found.message).toBe(wanted);
    return;
  }
  if (typeof wanted === 'string') throw new Error(`expected ${wanted}, and was answered ${JSON.stringify(found)}`);
  if (wanted !== undefined) expect(found.map(toText).sort()).toEqual(wanted.map(toText).sort());
  if (count !== undefined) expect(found, JSON.stringify(found)).toHaveLength(count);
  if (some !== undefined) expect(found.map(toText)).toEqual(expect.arrayContaining(some.map(toText)));
  if (without !== undefined) expect(without.filter((item) => found.includes(item))).toEqual([]);
}

/** A list of one is the same as its element. */
function toText(item: Item): string {
  return typeof item === 'string' ? JSON.stringify([item]) : JSON.stringify(item);
}
