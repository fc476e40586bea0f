// How long a replica remembers which commit had which number.
import { expect, test } from 'vitest';
import { Lineage } from '../../src/replica/lineage.ts';

const revision = (number: number, nonce = `n${number}`) => ({ epoch: 'e', number, nonce });

test('the last numbers are told apart by nonce, older ones by number alone', () => {
  const lineage = new Lineage();
  expect(lineage.standingOf(revision(1))).toBe('ahead');
  for (let number = 1; number <= 600; number++) lineage.note(revision(number), number > 1);
  const standings = [1, 88, 89, 600, 601].map((number) => lineage.standingOf(revision(number, 'lost')));
  expect(standings).toEqual(['held', 'held', 'astray', 'astray', 'ahead']);
  expect(lineage.standingOf(revision(600))).toBe('held');
  expect(lineage.standingOf({ ...revision(1), epoch: 'f' })).toBe('elsewhere');
});

test('a load forgets what came before it', () => {
  const lineage = new Lineage();
  for (let number = 1; number <= 3; number++) lineage.note(revision(number), number > 1);
  lineage.note(revision(3, 'other'), false);
  expect([2, 3].map((number) => lineage.standingOf(revision(number, 'lost')))).toEqual(['held', 'astray']);
});
