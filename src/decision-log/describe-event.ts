/** What happens to the decision log, as lines of the process's log. Used by the parts list. */
import type { LogEvent } from './lane.ts';

export interface EventLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

export function describeLogEvent(event: LogEvent): EventLine {
  switch (event.kind) {
    case 'dropping':
      return {
        level: 'error',
        message: `the decision log's buffer is full: decisions of tenant ${event.tenant} are dropped until the sink takes more; a gap record will tell which`,
      };
    case 'sink_failed':
      return {
        level: 'warn',
        message: `the decision log cannot write for tenant ${event.tenant} (${event.message}); decisions wait in memory, and the write is tried again`,
      };
    case 'sink_recovered':
      return {
        level: 'info',
        message: `the decision log writes again for tenant ${event.tenant}, after ${event.attempts} attempts`,
      };
    case 'refused':
      return {
        level: 'error',
        message: `the sink refused ${event.records} decisions of tenant ${event.tenant}; a gap record will tell which`,
      };
    case 'abandoned':
      return {
        level: 'error',
        message: `${event.records} decisions were not written before the process ended, and are lost; raise --drain-timeout, or look at the sink`,
      };
    case 'close_failed':
      return { level: 'warn', message: `the decision log's sink did not close: ${event.message}` };
  }
}
