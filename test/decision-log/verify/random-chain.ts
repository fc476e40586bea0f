// Random chains of everything that a chain can hold.
import fc from 'fast-check';
import { ChainWriter } from './chain-writer.ts';

type Step = (writer: ChainWriter) => unknown;

const plainSteps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: 1, max: 6 }).map(
      (count): Step =>
        (w) =>
          w.decisions(count),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      (w) => w.gap(1),
      (w) => w.gap(4, 'spool_full'),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((w) => w.change()) },
  { weight: 2, arbitrary: fc.constant<Step>((w) => w.seal()) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      (w) => w.stop().start('stop'),
      (w) => w.start('crash'),
    ),
  },
);

const refusals: fc.Arbitrary<Step> = fc.integer({ min: 1, max: 3 }).map((count) => (writer) => {
  const refused = writer.refused(count);
  writer.decisions(2).bridge(refused);
});

function chainsOf(steps: fc.Arbitrary<Step>): fc.Arbitrary<readonly string[]> {
  return fc.array(steps, { minLength: 1, maxLength: 12 }).map((some) => {
    const writer = new ChainWriter().start().decisions(1);
    for (const step of some) step(writer);
    return writer.stop().lines;
  });
}

/** The lines of a chain that begins with its start and ends with a stop. */
export const plainChains = chainsOf(plainSteps);
/** The same, with lines that the sink refused. */
export const chains = chainsOf(fc.oneof({ weight: 5, arbitrary: plainSteps }, { weight: 1, arbitrary: refusals }));
