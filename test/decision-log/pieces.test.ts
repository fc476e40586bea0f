import { expect, test } from 'vitest';
import { findRefused, linesOf, piecesOf, type Verdict } from '../../src/decision-log/sinks/pieces.ts';

const cut = (parts: readonly string[], maxBytes: number) =>
  [...piecesOf(parts, maxBytes)].map(({ text, first }) => `${first}: ${linesOf(text).join('|')}`);

test('a part that fits is one piece, and positions count over all parts', () => {
  expect(cut(['a\nb\n', 'c\n'], 100)).toEqual(['0: a|b', '2: c']);
  expect(cut(['a\nb\n', 'c\n'], 4)).toEqual(['0: a|b', '2: c']);
});

test('a part that does not fit is cut between lines, by bytes', () => {
  expect(cut(['aaaa\nbb\nc\n', 'd\n'], 8)).toEqual(['0: aaaa|bb', '2: c', '3: d']);
  expect(cut(['éé\néé\n'], 9)).toEqual(['0: éé', '1: éé']);
});

test('a line that alone is too long is a piece of its own', () => {
  expect(cut(['a\nbbbbbbbbbbbb\nc\n'], 8)).toEqual(['0: a', '1: bbbbbbbbbbbb', '2: c']);
});

test('an empty batch has no pieces', () => {
  expect(cut([], 8)).toEqual([]);
});

/** Takes pieces without a bad line; says what it was asked. */
async function ask(lines: readonly string[], verdict: Verdict = 'unclear') {
  const asked: string[] = [];
  const text = lines.map((line) => `${line}\n`).join('');
  const refused = await findRefused({ text, first: 100 }, async (some) => {
    asked.push(linesOf(some).join(''));
    return linesOf(some).includes('x') ? verdict : 'taken';
  });
  return { refused, asked };
}

test('what is taken is sent once', async () => {
  expect(await ask(['a', 'b', 'c'])).toEqual({ refused: [], asked: ['abc'] });
});

test('what is unclear is sent in halves, the earlier one first, down to the line', async () => {
  expect(await ask(['a', 'b', 'c', 'x'])).toEqual({ refused: [103], asked: ['abcx', 'ab', 'cx', 'c', 'x'] });
  expect((await ask(['x', 'b', 'x', 'd', 'e'])).refused).toEqual([100, 102]);
});

test('what is refused as a whole is not asked again', async () => {
  expect(await ask(['a', 'x'], 'refused')).toEqual({ refused: [100, 101], asked: ['ax'] });
});

test('a failure that is not about the lines ends it', async () => {
  const failing = findRefused({ text: 'a\nb\n', first: 0 }, async (text) => {
    if (text === 'a\n') throw new Error('gone');
    return 'unclear';
  });
  await expect(failing).rejects.toThrow('gone');
});
