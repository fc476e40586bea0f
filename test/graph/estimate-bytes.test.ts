// Estimates of what snapshots take, held against what the process says. Where this fails after a change of what a
// snapshot is made of, fit the constants of estimate-bytes.ts to what it prints.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { estimateBytes } from '../../src/graph/estimate-bytes.ts';
import { emptySnapshot } from '../../src/graph/snapshot.ts';

const run = promisify(execFile);
const child = join(import.meta.dirname, 'memory-child.ts');

test.for([
  ['paged', 100],
  ['paged', 1_000],
  ['paged', 10_000],
  ['paged', 100_000],
  ['flat', 1_000],
  ['flat', 10_000],
  ['flat', 100_000],
] as const)(
  'a %s graph of %i bindings takes what is estimated, give or take a quarter',
  { timeout: 60_000 },
  async ([form, bindings]) => {
    const { stdout } = await run(process.execPath, ['--expose-gc', child, form, String(bindings)]);
    const { bytes, estimate } = JSON.parse(stdout) as { bytes: number; estimate: number };
    expect(Math.abs(estimate / bytes - 1), `measured ${bytes}, estimated ${estimate}`).toBeLessThan(0.25);
  },
);

test('an empty graph takes something, and never nothing', () => {
  expect(estimateBytes(emptySnapshot(graphOptions))).toBeGreaterThan(1_000);
});
