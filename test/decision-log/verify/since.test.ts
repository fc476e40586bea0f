// A range, or a log that was cut off at its beginning, is in order wherever it begins.
import { describe, expect, test } from 'vitest';
import { ChainWriter, verify } from './chain-writer.ts';

const { lines } = new ChainWriter().start().decisions(12).stop();
const timeOf = (line: string | undefined) => (JSON.parse(line as string) as { time: string }).time;
const last = lines.length - 1;

test('a range may begin behind what was refused, of which is told later', () => {
  const writer = new ChainWriter().start().decisions(4);
  const refused = [writer.refused(2), writer.refused(1)] as const;
  writer.decisions(3).bridge(refused[0]).bridge(refused[1]).decisions(2).stop();
  for (const line of writer.lines) {
    const { problems, chains } = verify(writer.lines, { since: timeOf(line) });
    expect(problems).toEqual([]);
    expect(chains[0]?.begins).toBe(line === writer.lines[0] ? 'start' : 'middle');
  }
});

describe('where lines come again', () => {
  /** Every way in which up to six lines come twice. */
  const logs = lines.flatMap((_, from) =>
    [1, 2, 6].map((many) => [...lines.slice(0, from + many), ...lines.slice(from)]),
  );

  test('a range may begin with any line, among them and before', () => {
    for (const log of logs) {
      for (const line of lines) expect(verify(log, { since: timeOf(line) }).problems).toEqual([]);
    }
  });

  test('a log may be cut off anywhere', () => {
    for (const log of logs) {
      for (let cut = 0; cut < log.length; cut++) {
        const left = log.slice(cut);
        const { problems, chains } = verify(left);
        expect(problems).toEqual([]);
        expect(chains[0]?.begins).toBe(left.includes(lines[0] as string) ? 'start' : 'middle');
      }
    }
  });
});

test('where a part of a batch comes before all of it, a log may be cut off anywhere', () => {
  for (let from = 1; from < last; from++) {
    for (let to = from + 1; to <= last; to++) {
      const log = [...lines.slice(0, from), ...lines.slice(to, to + 2), ...lines.slice(from)];
      for (let cut = 1; cut <= from; cut++) {
        const { problems, chains } = verify(log.slice(cut));
        expect(problems).toEqual([]);
        expect(chains[0]?.begins).toBe('middle');
      }
    }
  }
});

test('a range that does not follow from the line before it is not in order', () => {
  for (let gone = 1; gone < lines.length - 1; gone++) {
    const left = lines.filter((_, i) => i !== gone);
    expect(verify(left, { since: timeOf(lines[gone + 1]) }).problems).toMatchObject([
      { kind: 'altered', found: 'does not follow from the line before it' },
    ]);
  }
});
