import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DecisionEntry } from '../../src/decision-log/log.ts';
import { DecisionQueue } from '../../src/decision-log/queue.ts';
import { decisionEntry } from './entries.ts';

test('entries come out in order with the numbers they were given, whatever was skipped between them', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('push', 'skip', 'shift'), fc.integer({ min: 1, max: 3_000 })), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const queue = new DecisionQueue();
      const model: { seq: number; entry: DecisionEntry }[] = [];
      let seq = 1;
      for (const [step, times] of list) {
        for (let i = 0; i < times; i++) {
          if (step === 'push') {
            const entry = decisionEntry();
            model.push({ seq: seq++, entry });
            queue.push(entry);
          } else if (step === 'skip') {
            seq++;
            queue.skip();
          } else if (model.length > 0) {
            const head = model.shift();
            if (queue.headSeq() !== head?.seq || queue.shift() !== head?.entry)
              throw new Error(`wrong at ${head?.seq}`);
          }
        }
        expect({ length: queue.length, nextSeq: queue.nextSeq }).toEqual({ length: model.length, nextSeq: seq });
      }
    }),
    { numRuns: 50 },
  );
});
