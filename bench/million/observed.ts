/** A sidecar of the million bindings that is watched from outside (its memory) and from inside (its pauses). */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Pause, PauseReport } from '../pause-probe.ts';
import { type Child, launchSidecar } from '../sidecar.ts';

export interface Observed extends Child {
  /** What its main thread waited for since the last call, or since it listens. */
  pauses(): Promise<PauseReport>;
  /** Resident memory now, in bytes. */
  residentBytes(): number;
  /** The most resident memory since the last call, in bytes. */
  peakBytes(): number;
}

export async function startObserved(...flags: string[]): Promise<Observed> {
  const sidecar = await launchSidecar(['--import', './bench/pause-probe.ts'], flags);
  const { pid } = sidecar.process;
  const read = (field: string): number => {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1]) * 1_024;
  };
  return {
    ...sidecar,
    async pauses() {
      const answer = once(sidecar.process, 'message');
      sidecar.process.send('report');
      const [report] = (await answer) as [PauseReport];
      // While Node reads the program, there is nobody yet to be kept waiting.
      const sinceListening = ({ endMs, ms }: Pause) => endMs - ms >= sidecar.listeningMs;
      return { ...report, pauses: report.pauses.filter(sinceListening) };
    },
    residentBytes: () => read('VmRSS'),
    peakBytes() {
      const peak = read('VmHWM');
      writeFileSync(`/proc/${pid}/clear_refs`, '5'); // Begins the peak anew.
      return peak;
    },
  };
}
