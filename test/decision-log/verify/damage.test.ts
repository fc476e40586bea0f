// Whatever is done to a chain is found, and the place where the log is first not as it should be is named.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../../src/decision-log/verify/report.ts';
import { lineAt, verify } from './chain-writer.ts';
import { chains, plainChains } from './random-chain.ts';

const numRuns = Number(process.env.POSTERN_VERIFY_RUNS ?? 300);
const toBytes = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));

/** The line that the first problem names, from 0. */
function firstOf(report: Report, lines: readonly string[]): number {
  const [first] = report.problems;
  return first === undefined ? -1 : lineAt(lines, first.where);
}

/** What a report shows of a chain that is no problem by itself. */
const shown = ({ chains, notes }: Report) => ({
  chains: chains.map(({ begins, ends, lastSeq, lines, lastHash }) => ({ begins, ends, lastSeq, lines, lastHash })),
  notes: notes.length,
});

function check(
  property: (lines: readonly string[], random: (below: number) => number) => void,
  some: fc.Arbitrary<readonly string[]> = plainChains,
): void {
  fc.assert(
    fc.property(some, fc.infiniteStream(fc.nat({ max: 0x7fffffff })), (lines, numbers) => {
      property(lines, (below) => (numbers.next().value as number) % below);
    }),
    { numRuns },
  );
}

describe('in a random chain', () => {
  test('that nobody touched, there is no problem', () => {
    check((lines) => {
      expect(verify(lines)).toMatchObject({ ok: true, problems: [], notes: [] });
    }, chains);
  });

  test('of which parts come again, there is no problem', () => {
    check((lines, random) => {
      const end = 1 + random(lines.length);
      const begin = random(end);
      const again = [...lines.slice(0, end), ...lines.slice(begin)];
      expect(verify(again)).toMatchObject({ ok: true, problems: [] });
      expect(verify(again).chains).toMatchObject([{ repeats: end - begin, lines: lines.length }]);
    }, chains);
  });

  test('any byte that is changed is found, and its line is named', () => {
    check((lines, random) => {
      const bytes = toBytes(lines);
      const at = random(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 + random(255));
      const report = verify(bytes);
      const changed = lineAt(lines, `:${toBytes(lines).subarray(0, at).toString().lastIndexOf('\n') + 1}`);
      const isLast = changed === lines.length - 1;
      // Of the last line, what names the chain may be changed, or its newline: the chain then ends before it.
      if (isLast && report.problems.length === 0) expect(shown(report)).not.toEqual(shown(verify(lines)));
      else expect([changed, changed + 1]).toContain(firstOf(report, lines));
    });
  });

  test('any byte that is changed is found, also where lines were refused', () => {
    check((lines, random) => {
      const bytes = toBytes(lines.slice(0, -1));
      const at = random(bytes.length);
      const changed = lineAt(lines, `:${bytes.subarray(0, at).toString().lastIndexOf('\n') + 1}`);
      bytes[at] = (bytes[at] as number) ^ (1 + random(255));
      const report = verify(Buffer.concat([bytes, toBytes(lines.slice(-1))]));
      // What a gap record tied stands before it, and is loose where that is changed.
      const places = report.problems.map(({ where }) => lineAt(lines, where));
      expect(places.filter((place) => place === changed || place === changed + 1)).not.toEqual([]);
    }, chains);
  });

  test('a line that is removed is found where it stood', () => {
    check((lines, random) => {
      const at = random(lines.length);
      const rest = lines.toSpliced(at, 1);
      const report = verify(rest);
      if (at === 0 || at === rest.length) expect(shown(report)).not.toEqual(shown(verify(lines)));
      else expect(firstOf(report, rest)).toBe(at);
      const { seq } = JSON.parse(lines[at] as string) as { seq?: number };
      if (seq !== undefined && at < rest.length) expect(report.problems).toMatchObject([{ kind: 'missing', seq }]);
      const last = report.chains[0]?.lastHash;
      // The end of a chain can be cut off unseen, but for who knows what has to be there.
      const expected = [{ hash: JSON.parse(lines.at(-1) as string).hash as string }];
      expect(verify(rest, { expected }).ok).toBe(report.ok && last === expected[0]?.hash);
    });
  });

  test('of several lines that are removed, each is found where it stood', () => {
    check((lines, random) => {
      const kept = lines.map((_, i) => i === 0 || i === lines.length - 1 || random(4) > 0);
      const rest = lines.filter((_, i) => kept[i]);
      const places = rest.flatMap((line, i) => (kept[lines.indexOf(line) - 1] === false ? [i] : []));
      expect(verify(rest).problems.map(({ where }) => lineAt(rest, where))).toEqual(places);
    });
  });

  test('lines that are swapped are found at the first of their places', () => {
    check((lines, random) => {
      const [a, b] = [random(lines.length), random(lines.length)];
      if (a === b) return;
      const swapped = lines.with(a, lines[b] as string).with(b, lines[a] as string);
      expect(firstOf(verify(swapped), swapped)).toBe(Math.min(a, b));
    });
  });

  test('an end that is cut off anywhere is a note within a line, and shows in how it ends', () => {
    check((lines, random) => {
      const bytes = toBytes(lines);
      const cut = bytes.subarray(0, 1 + random(bytes.length - 1));
      const report = verify(cut);
      expect(report.problems).toEqual([]);
      expect(report.notes).toHaveLength(cut.at(-1) === 0x0a ? 0 : 1);
      expect(shown(report)).not.toEqual(shown(verify(lines)));
    });
  });

  test('a line that comes again and is not the same is found', () => {
    check((lines, random) => {
      const from = random(lines.length);
      const to = from + 1 + random(lines.length - from);
      const copy = Buffer.from(lines[from] as string);
      const at = random(copy.length);
      copy[at] = (copy[at] as number) ^ (1 + random(255));
      // An empty line in front is none, and all the rest of it is garbage.
      if (copy[0] === 0x0a) return;
      const bytes = Buffer.concat([toBytes(lines.slice(0, to)), copy, Buffer.from('\n'), toBytes(lines.slice(to))]);
      const report = verify(bytes);
      const [first] = report.problems;
      // Under another name it is a line of another chain.
      if (first === undefined) expect(report.chains.length).toBe(2);
      else expect(lineAt([...lines.slice(0, to), ...lines.slice(to)], first.where)).toBe(to);
    });
  });
});
