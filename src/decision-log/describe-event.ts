/** What happens to the decision log, as lines of the process's log. Used by the parts list. */
import type { LogEvent } from './events.ts';

export interface EventLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

export function describeLogEvent(event: LogEvent): EventLine {
  switch (event.kind) {
    case 'dropping':
      return {
        level: 'error',
        message: `the decision log's buffer is full: the ${event.which} decisions of tenant ${event.tenant} are dropped until there is room; a gap record will tell which`,
      };
    case 'sink_failed':
      return {
        level: 'warn',
        message: `decisions of tenant ${event.tenant} cannot be brought to where they go (${event.message}); they wait, and it is tried again`,
      };
    case 'spool_full':
      return {
        level: 'error',
        message:
          'the spool of the decision log is full: decisions wait in memory; raise --decision-log-spool-bytes, or look at where they go',
      };
    case 'spool_failed':
      return {
        level: 'error',
        message: `the spool of the decision log cannot be used for tenant ${event.tenant} (${event.message}); it is tried again`,
      };
    case 'spool_damaged':
      return {
        level: 'error',
        message: `the files in the spool of the decision log of tenant ${event.tenant} are not as they were left (${event.damage}): all that is there is brought to where it goes, some of it again, and the start record does not say how much may be missing`,
      };
    case 'spool_recovered':
      return { level: 'info', message: `the spool of the decision log works again for tenant ${event.tenant}` };
    case 'resumed':
      return {
        level: 'info',
        message: `the decision log of tenant ${event.tenant} goes on after number ${event.lastSeq}; ${event.waitingBytes} bytes wait on disk`,
      };
    case 'crashed':
      return {
        level: 'warn',
        message: `the process before this one did not end in order: the decision log of tenant ${event.tenant} goes on after number ${event.lastSeq}, ${event.cutBytes} bytes of a line that was not whole are cut, and a start record says so`,
      };
    case 'left_in_spool':
      return {
        level: 'warn',
        message: `${event.bytes} bytes of decisions are left on disk: they go on when this instance is started again`,
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
