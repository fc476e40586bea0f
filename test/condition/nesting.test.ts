// What is valid must not hang on how much stack a process has left: a policy that one accepts, every other must load.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { seed } from '../setup/seed.ts';
import { outcomesOf } from './outcomes.ts';

const { compileCondition, compileRegex } = graphOptions;

/** The same in a fresh process, with a fifth of the usual stack. */
function inSmallProcess(input: { readonly conditions: readonly string[]; readonly regexes: readonly string[] }) {
  const child = fileURLToPath(new URL('./compile-child.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--stack-size=200', child], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as { conditions: string[]; regexes: string[] };
}

const repeated = (open: string, times: number, middle: string, close: string) =>
  `${open.repeat(times)}${middle}${close.repeat(times)}`;

describe('a condition', () => {
  it.each([
    ['32 brackets', repeated('(', 32, 'true', ')')],
    ['32 negations', repeated('!(', 32, 'true', ')')],
    ['32 lists', `${repeated('[', 32, '', ']')} == []`],
    ['32 choices', `${'false ? true : '.repeat(32)}true`],
    ['many brackets one after the other', `${'(true) && '.repeat(40)}true`],
    ['choices one after the other', `[${'true ? 1 : 2, '.repeat(20)}3].size() == 21`],
    ['8 signs', `${'!'.repeat(8)}true`],
    ['brackets in a string', `object != "${'('.repeat(100)}"`],
    ['brackets in a raw string', `object != r"${'('.repeat(100)}\\" && object != R'\\'`],
    ['brackets in triple quotes', `object != """${'"('.repeat(100)}\\"""" && object != '''${"'["}'''`],
    ['brackets in bytes', `b"${'('.repeat(100)}" != br'${'['.repeat(100)}'`],
    ['signs in a string', `object != "${'!'.repeat(100)}${'-'.repeat(100)}"`],
  ])('may have %s', (_what, text) => {
    expect(outcomesOf([text], compileCondition)).toEqual(['']);
  });

  it.each([
    ['33 brackets', repeated('(', 33, 'true', ')')],
    ['1,000 brackets', repeated('(', 1000, 'true', ')')],
    ['33 brackets of all kinds', repeated('([{1:', 11, '1', '}])')],
    ['33 choices', `${'false ? true : '.repeat(33)}true`],
    ['choices within brackets', repeated('(true ? true : ', 17, 'true', ')')],
    ['brackets after strings that seem to close some', `")" == r")\\" || ${repeated('(', 33, 'true', ')')}`],
    ['brackets after a quote in a string', `'\\'' == "'" && ${repeated('(', 33, 'true', ')')}`],
    ['brackets after a raw string after a word', `object in[r"\\"] && ${repeated('(', 33, 'true', ')')}`],
  ])('is refused with %s', (_what, text) => {
    expect(() => compileCondition(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_POLICY',
        message: expect.stringMatching(/nests too deeply: more than 32 brackets or "\?" within each other/),
      }),
    );
  });

  it.each(['!', '-'])('is refused with 9 times %s in a row', (sign) => {
    expect(() => compileCondition(`${sign.repeat(9)}1 == 1`)).toThrow(/has 9 times ".*" in a row; at most 8 are taken/);
  });
});

it('what compiles in one process compiles in every other, and the stack decides neither', () => {
  const some = (tokens: readonly string[], bytes: number) => {
    const token = fc.constantFrom(...tokens);
    const piece = fc.oneof(
      token,
      fc
        .tuple(fc.array(token, { minLength: 1, maxLength: 4 }), fc.nat(600))
        .map(([unit, n]) => unit.join('').repeat(n)),
      // Balanced, or nothing deep would ever be legal.
      fc
        .tuple(fc.constantFrom(['(', ')'], ['!(', ')'], ['[', '][0]'], ['{1:', '}[1]'], ['(?:', ')*']), fc.nat(40))
        .map(([[open, close], n]) => repeated(open as string, n, tokens[0] as string, close as string)),
    );
    return fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join('').slice(0, bytes));
  };
  const cel = ['true', '1', '(', ')', '[', ']', '{', '}', '!', '-', '?', ':', ',', '&&', '||', '+', '==', '.a', '[0]'];
  const condition = some(
    [...cel, 'context', '"(', '"', "'", '"""', 'r"', '\\', '//', ' ', 'size(', 'true?true:'],
    2048,
  );
  const regex = some(
    ['a', '(', ')', '(?:', '*', '?', '+', '|', '[', ']', '{9}', '{0,99}', '\\Q', '\\E', '\\', '^'],
    1024,
  );
  const chains = ['true&&', 'true||', '1+', '1*', '1<', '1==', 'true?true:', '1?1:'].map(
    (unit) => `${unit.repeat(Math.floor(2044 / unit.length))}true`,
  );
  const tails = ['.a', '[0]', '["a"]', '.f()'].map((unit) => `context${unit.repeat(Math.floor(2040 / unit.length))}`);
  const conditions = [...chains, ...tails, ...fc.sample(condition, { numRuns: 2_000, seed })];
  const regexes = fc.sample(regex, { numRuns: 1_000, seed });

  const here = {
    conditions: outcomesOf(conditions, compileCondition),
    regexes: outcomesOf(regexes, compileRegex),
  };
  expect(inSmallProcess({ conditions, regexes })).toEqual(here);
  expect(here.conditions.filter((problem) => problem === '').length).toBeGreaterThan(50);
  expect(here.regexes.filter((problem) => problem === '').length).toBeGreaterThan(50);
  const all = [...here.conditions, ...here.regexes];
  // What the stack ended would say only that.
  expect(all.filter((problem) => /nests too deeply; simplify it$|call stack/.test(problem))).toEqual([]);
}, 60_000);
