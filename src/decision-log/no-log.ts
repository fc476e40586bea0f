/** The decision log that an operator switched off: it counts, and says so at start-up. */
import type { DecisionLog, DecisionLogStats } from './log.ts';

const nothing: DecisionLogStats = {
  leftOut: 0,
  appended: 0,
  written: 0,
  dropped: 0,
  pendingRecords: 0,
  pendingBytes: 0,
  delivered: 0,
  refused: 0,
  failedWrites: 0,
  spoolBytes: 0,
  behindMs: 0,
};

export function createNoLog(): DecisionLog {
  let appended = 0;
  return {
    description: 'off: decisions are counted, not recorded',
    hasRoom: true,
    room: () => Promise.resolve(),
    append: () => {
      appended++;
    },
    stats: () => ({ ...nothing, appended }),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
