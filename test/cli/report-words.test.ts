// What a verification says to people about chains that are not simply whole.
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { describeReport } from '../../src/cli/report-words.ts';
import { ChainWriter, verify } from '../decision-log/verify/chain-writer.ts';

const plain = picocolors.createColors(false);
const saidOf = (lines: readonly string[]) => describeReport(verify(lines), plain, false).join('\n');

test('crashes, gaps, repetitions and what is filtered are said', () => {
  const kept = '{"mode":"block","sink":"files","sample":{"allowed":0.01}}';
  const writer = new ChainWriter().start('nothing', kept).decisions(3).gap(2, 'spool_full').start('crash').decisions(1);
  const said = saidOf([...writer.lines, ...writer.lines.slice(-2)]);
  expect(said).toContain('2 missing by spool_full, and told; 1 crash, which may have cost what was decided in 50 ms; ');
  expect(said).toContain('2 lines stand here again, and are the same');
  expect(said).toContain(`not all is recorded as it was: ${kept}`);
  expect(said).toContain(`keep the hashes above, and give them next time: --expect-last ${writer.hash}`);
});

test('a crash of which nobody knows what it cost is not one that cost nothing', () => {
  const writer = new ChainWriter().start().decisions(3).start('crash', '{}', {}).decisions(1);
  expect(saidOf(writer.lines)).toContain('1 crash, of which nobody knows how much was lost');
  writer.start('crash').start('crash', '{}', {});
  const said = saidOf(writer.lines);
  expect(said).toContain(
    '1 crash, which may have cost what was decided in 50 ms; 2 crashes, of which nobody knows how much was lost',
  );
});

test('a chain that begins in the middle, and one that begins anew, are said to', () => {
  const writer = new ChainWriter().start().decisions(5);
  const next = new ChainWriter();
  next.ms += 60_000;
  const said = saidOf([...writer.lines.slice(3), ...next.start().decisions(2).stop().lines]);
  expect(said).toContain('begins in the middle: what stood before number 3 is not here');
  expect(said).toContain('ends in order');
});

test('of very many problems the first ones are printed, and all are counted', () => {
  const { lines } = new ChainWriter().start().decisions(100);
  const said = saidOf(lines.filter((_, i) => i % 2 === 0));
  expect(said.match(/^missing /gm)).toHaveLength(20);
  expect(said).toContain('... and 30 more\n');
  expect(said).toContain('not in order: 50 problems in 1 chain, 51 lines read');
});

test('names cannot move the cursor', () => {
  expect(saidOf(new ChainWriter({ instance: 'i\u001b[2J' }).start().decisions(1).lines)).not.toContain('\u001b');
});
