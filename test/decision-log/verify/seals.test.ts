// Signed seals, two processes under one name, and logs of versions without hashes.
import { describe, expect, test } from 'vitest';
import { createEncoder } from '../../../src/decision-log/encode.ts';
import { SealKeys } from '../../../src/decision-log/verify/seals.ts';
import { decisionEntry, someTime } from '../entries.ts';
import { ChainWriter, lineAt, makeSigningKey, verify } from './chain-writer.ts';

const key = makeSigningKey();
const other = makeSigningKey();
const keysOf = (...some: { publicPem: string }[]) =>
  new SealKeys(some.map(({ publicPem }) => ({ path: 'k', pem: publicPem })));
const kindsOf = (lines: readonly string[], keys?: SealKeys) =>
  verify(lines, keys === undefined ? {} : { keys }).problems.map(({ kind, where }) => [kind, lineAt(lines, where)]);

/** What whoever can write the log can do: another text, and all hashes behind it anew. */
function forged(lines: readonly string[], change: (line: string, index: number) => string): string[] {
  const writer = new ChainWriter();
  for (const [i, line] of lines.entries()) writer.link(change(line.slice(0, line.lastIndexOf(',"hash":"')), i));
  return writer.lines;
}

describe('seals', () => {
  const lines = new ChainWriter({ key }).start().decisions(5).seal().decisions(5).seal().decisions(2).stop().lines;

  test('of a chain that was made anew are not those of the holder of the key', () => {
    const made = forged(lines, (body, i) => (i === 8 ? body.replace('alice', 'mallory') : body));
    expect(kindsOf(made)).toEqual([]);
    expect(kindsOf(made, keysOf(key))).toEqual([['signature', 12]]);
  });

  test('of another key are named, and several keys may be given', () => {
    expect(kindsOf(lines, keysOf(other))).toEqual([
      ['unknown_key', 6],
      ['unknown_key', 12],
    ]);
    expect(kindsOf(lines, keysOf(other, key))).toEqual([]);
  });

  test('without a signature are told where earlier ones have one, and wherever a key is given', () => {
    const unsign = (body: string) => body.replace(/,"key".*$/, '');
    const second = forged(lines, (body, i) => (i === 12 ? unsign(body) : body));
    expect(kindsOf(second)).toEqual([['unsigned', 12]]);
    const all = forged(lines, unsign);
    expect(kindsOf(all)).toEqual([]);
    expect(kindsOf(all, keysOf(key))).toEqual([
      ['unsigned', 0],
      ['unsigned', 6],
      ['unsigned', 12],
    ]);
  });

  test('are asked for where a key is given, also of a chain that has none', () => {
    expect(kindsOf(new ChainWriter().start().decisions(3).lines, keysOf(key))).toEqual([['unsigned', 0]]);
  });

  test.for(['', 'no key', other.privatePem.replaceAll('PRIVATE', 'X')])('need a key that is one: %j', (pem) => {
    expect(() => new SealKeys([{ path: 'k.pem', pem }])).toThrow(/--public-key k\.pem is no public Ed25519 key in PEM/);
  });
});

describe('two processes under one name', () => {
  const begin = () => new ChainWriter().start().decisions(4);

  test('that go on from one spool are a fork, told where it begins', () => {
    const [a, b] = [begin(), begin()];
    const common = a.lines.length;
    a.decisions(3, 'user:a');
    b.decisions(3, 'user:b');
    const mixed = [...a.lines.slice(0, common + 1), ...b.lines.slice(common), ...a.lines.slice(common + 1)];
    expect(kindsOf(mixed)[0]).toEqual(['fork', common + 1]);
  });

  test('that each begin a chain are one, as soon as the first goes on behind the start of the second', () => {
    const a = begin();
    const b = new ChainWriter();
    b.ms += 5_000;
    b.start().decisions(3);
    expect(kindsOf([...a.lines, ...b.lines])).toEqual([]);
    const common = a.lines.length;
    a.decisions(2);
    const mixed = [...a.lines.slice(0, common), ...b.lines, ...a.lines.slice(common)];
    expect(kindsOf(mixed)).toEqual([['fork', common + b.lines.length]]);
  });
});

test('a number that the writer itself skipped without a gap record is missing', () => {
  const writer = new ChainWriter().start().decisions(2);
  writer.seq += 3;
  writer.decisions(2);
  const { problems } = verify(writer.lines);
  expect(problems).toMatchObject([
    { kind: 'missing', seq: 3, found: expect.stringContaining('3 numbers, 3 to 5, are missing') },
  ]);
});

describe('a log of a version without hashes', () => {
  const encoder = createEncoder('i-1', 'default');
  const line = (seq: number, subject = 'user:a') =>
    `${encoder.decision(decisionEntry({ subject, time: someTime + seq }), seq)}}`;
  const gap = (first: number, last: number) =>
    `{"type":"gap","instance":"i-1","time":"2026-03-04T05:06:07.089Z","tenant":"default","first":${first},"last":${last},"cause":"refused"}`;
  const old = (...numbers: number[]) => numbers.map((seq) => line(seq));

  test.for<[name: string, lines: string[]]>([
    ['whole', old(1, 2, 3)],
    ['of which a batch came again', old(1, 2, 3, 2, 3, 4)],
    ['of which parts came in another order', old(1, 3, 4, 2, 3, 4)],
    ['with a gap that is told later', [...old(1, 2, 5, 6), gap(3, 4)]],
    ['of a process that began anew', [...old(1, 2, 3), line(1, 'user:b'), line(2, 'user:b')]],
    ['that goes on as a chain', [...old(1, 2), ...new ChainWriter().start().decisions(2).lines]],
  ])('%s is in order', ([, lines]) => {
    expect(kindsOf(lines)).toEqual([]);
    expect(verify(lines).chains[0]).toMatchObject({ chained: false });
  });

  test('misses numbers, and names second lines', () => {
    expect(kindsOf(old(1, 2, 5))).toEqual([['missing', 2]]);
    expect(kindsOf([...old(1, 2, 3), line(2, 'user:b')])).toEqual([['duplicated', 3]]);
  });

  test('cannot be what is left of a chain of which the hashes were taken', () => {
    const { lines } = new ChainWriter().start().decisions(3);
    const bare = (text: string) => text.replace(/,"hash":"[^"]*"/, '');
    expect(kindsOf(lines.map(bare))[0]).toEqual(['altered', 0]);
    expect(kindsOf([...lines.slice(1, 3).map(bare), ...lines.slice(3)])).toEqual([['altered', 2]]);
  });
});
