// What an honest log may contain is no problem.
import { describe, expect, test } from 'vitest';
import { SealKeys } from '../../../src/decision-log/verify/seals.ts';
import { ChainWriter, makeSigningKey, verify } from './chain-writer.ts';

const whole = (seed: ChainWriter = new ChainWriter()) => seed.start().decisions(20).seal().decisions(10).stop();

test('a whole chain is in order, and is summed up', () => {
  const writer = new ChainWriter().start().decisions(5).gap(3).change().seal().decisions(2).stop();
  const report = verify(writer.lines);
  expect(report).toMatchObject({ ok: true, problems: [], notes: [], lines: 12 });
  expect(report.chains).toMatchObject([
    {
      ...{ tenant: 'default', instance: 'i-1', chained: true, lines: 12, decisions: 7, changes: 1, repeats: 0 },
      ...{ firstSeq: 1, lastSeq: 11, begins: 'start', ends: 'stop', starts: 1, anew: 0, crashes: 0 },
      ...{ gaps: { buffer_full: 3 }, seals: 1, signers: [], unsealedLines: 3, lastHash: writer.hash },
      ...{ lastSeal: { seq: 9 }, logs: [{ mode: 'spool', sink: 'files' }] },
    },
  ]);
});

describe('no problem is', () => {
  test('a name that JSON escapes, or that is not ASCII', () => {
    const lines = ['"quoted"', 'zürich', '𝒾'].flatMap((instance) => whole(new ChainWriter({ instance })).lines);
    const report = verify(lines);
    expect(report.problems).toEqual([]);
    expect(report.chains.map(({ instance }) => instance)).toEqual(['"quoted"', 'zürich', '𝒾']);
  });

  test('a process that goes on after a stop or a crash', () => {
    const writer = new ChainWriter().start().decisions(3).stop().start('stop').decisions(2).start('crash').decisions(2);
    const report = verify(writer.lines);
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ starts: 3, crashes: 1, lostMs: 50, ends: 'open', lastSeq: 7 }]);
  });

  test('a process of the same name that begins anew', () => {
    const next = new ChainWriter();
    next.ms += 60_000;
    const report = verify([...whole().lines, ...next.start().decisions(4).lines]);
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ anew: 1, decisions: 34, lastSeq: 4 }]);
  });

  test.for([1, 3, 20])('a batch that comes again, of %d lines', (size) => {
    const { lines } = whole();
    const report = verify([...lines.slice(0, 25), ...lines.slice(25 - size, 25), ...lines.slice(25)]);
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ repeats: size, lines: 33 }]);
  });

  test('a batch whose second part came first, and then the whole batch', () => {
    const { lines } = whole();
    const report = verify([...lines.slice(0, 5), ...lines.slice(10, 15), ...lines.slice(5)]);
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ repeats: 5, lines: 33, decisions: 30 }]);
  });

  test('a batch of which a part in the middle is written at the second attempt only', () => {
    const { lines } = whole();
    const report = verify([...lines.slice(0, 8), ...lines.slice(12, 20), ...lines.slice(4)]);
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ repeats: 12, lines: 33 }]);
  });

  test('the whole chain once more, however far back it begins', () => {
    const { lines } = new ChainWriter().start().decisions(30_000).stop();
    const report = verify([...lines, ...lines, ...lines.slice(100, 20_000)]);
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ lines: 30_002, repeats: 30_002 + 19_900 }]);
  });

  test('what a sink refused, with the gap record that says so', () => {
    const writer = new ChainWriter().start().decisions(3);
    const first = writer.refused(2);
    writer.decisions(1);
    const second = writer.refused(1);
    writer.decisions(2).bridge(first).bridge(second).decisions(2).stop();
    const report = verify(writer.lines);
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ gaps: { refused: 3 }, decisions: 8, lastSeq: 11 }]);
  });

  test('refused lines of two batches that stand next to each other, told in either order', () => {
    for (const isReversed of [false, true]) {
      const writer = new ChainWriter().start().decisions(3);
      const told = [writer.refused(2), writer.refused(3), writer.refused(1)];
      writer.decisions(2);
      for (const one of isReversed ? told.reverse() : told) writer.bridge(one);
      const report = verify(writer.decisions(1).stop().lines);
      expect(report.problems).toEqual([]);
      expect(report.chains).toMatchObject([{ gaps: { refused: 6 }, decisions: 6, lastSeq: 12 }]);
    }
  });

  test('a gap record that comes before the lines on its sides, and once more after a crash', () => {
    const writer = new ChainWriter().start().decisions(3);
    const refused = writer.refused(2);
    writer.decisions(3).bridge(refused).decisions(2).start('crash').bridge(refused).decisions(1);
    const { lines } = writer;
    const early = verify([...lines.slice(0, 2), ...lines.slice(6), ...lines.slice(2)]);
    expect(early.problems).toEqual([]);
    expect(early.chains).toMatchObject([{ gaps: { refused: 2 }, decisions: 9, crashes: 1 }]);
  });

  test('that what was refused came last', () => {
    const writer = new ChainWriter().start().decisions(3);
    writer.bridge(writer.refused(2)).decisions(1);
    expect(verify(writer.lines).problems).toEqual([]);
  });

  test('that the start itself was refused', () => {
    const writer = new ChainWriter().start().decisions(2);
    const through = writer.hash;
    writer.lines.length = 0;
    writer.decisions(2).bridge({ first: 1, last: 2, from: '', through }).decisions(1);
    expect(verify(writer.lines).problems).toEqual([]);
  });

  test('a chain that begins in the middle', () => {
    const report = verify(whole().lines.slice(7));
    expect(report.problems).toEqual([]);
    expect(report.chains).toMatchObject([{ begins: 'middle', firstSeq: 7, lastSeq: 30 }]);
  });

  test('that several chains stand in one stream', () => {
    const [a, b, c] = [
      whole().lines,
      whole(new ChainWriter({ instance: 'i-2' })).lines,
      whole(new ChainWriter({ tenant: 'acme' })).lines,
    ];
    const report = verify(a.flatMap((line, i) => [line, b[i] as string, c[i] as string]));
    expect(report.problems).toEqual([]);
    expect(report.chains).toHaveLength(3);
  });

  test('a range, of which the first line is held against the one before it', () => {
    const { lines } = whole();
    const timeOf = (line: string | undefined) => /"time":"([^"]+)"/.exec(line ?? '')?.[1] ?? '';
    const report = verify(lines, { since: timeOf(lines[5]), until: timeOf(lines[9]) });
    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(report.chains).toMatchObject([{ lines: 4, begins: 'middle', ends: 'range', firstSeq: 5, lastSeq: 8 }]);
    const altered = lines.map((line, i) => (i === 5 ? line.replace('alice', 'alicf') : line));
    expect(verify(altered, { since: timeOf(lines[5]) }).problems).toMatchObject([{ kind: 'altered', seq: 5 }]);
  });

  test('a line that a crash has cut, where the process goes on behind it', () => {
    const writer = new ChainWriter().start().decisions(3);
    const torn = (writer.lines[3] as string).slice(0, 80);
    const before = [...writer.lines.slice(0, 3), torn];
    const memory = verify([...before, ...new ChainWriter().start().decisions(2).lines]);
    expect(memory).toMatchObject({ problems: [], notes: [{ note: expect.stringContaining('before it died') }] });
    writer.decisions(4);
    const again = verify([...before, ...writer.lines.slice(2)]);
    expect(again).toMatchObject({ problems: [], notes: [{ note: expect.stringContaining('comes later') }] });
  });

  test('a clock that steps back', () => {
    const writer = new ChainWriter().start().decisions(3);
    const older = new ChainWriter();
    older.hash = writer.hash;
    older.seq = writer.seq;
    expect(verify([...writer.lines, ...older.decisions(3).lines]).problems).toEqual([]);
  });
});

test('an end within a line is noted', () => {
  const bytes = Buffer.from(`${whole().lines.join('\n')}\n{"half`);
  expect(verify(bytes)).toMatchObject({ ok: true, notes: [{ note: expect.stringContaining('6 bytes') }] });
});

test('nothing at all is not in order', () => {
  expect(verify([])).toMatchObject({ ok: false, problems: [], chains: [] });
});

test('signed seals are checked with the public key', () => {
  const key = makeSigningKey();
  const keys = new SealKeys([{ path: 'key.pem', pem: key.publicPem }]);
  const { lines } = whole(new ChainWriter({ key }));
  expect(verify(lines, { keys })).toMatchObject({
    ok: true,
    chains: [{ signers: [{ key: key.name, seals: 1, isChecked: true }] }],
  });
  expect(verify(lines)).toMatchObject({ ok: true, chains: [{ signers: [{ key: key.name, isChecked: false }] }] });
});
