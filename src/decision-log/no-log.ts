/** The decision log that an operator switched off: it counts, and says so at start-up. */
import type { DecisionLog } from './log.ts';

export function createNoLog(): DecisionLog {
  let appended = 0;
  return {
    description: 'off: decisions are counted, not recorded',
    append: () => {
      appended++;
    },
    stats: () => ({ appended, written: 0, dropped: 0, failedWrites: 0, pendingRecords: 0, pendingBytes: 0 }),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
