/** The row of the longest pause: how long requests were kept waiting by the sidecar's own work, phase by phase. */
import type { Row } from '../measure.ts';
import type { Pause, PauseReport } from '../pause-probe.ts';

const mostMs = 20;

/** @param phases What was noted in each; one of them is "idle". */
export function pauseRow(phases: ReadonlyMap<string, readonly PauseReport[]>): Row {
  const longest = [...phases].map(([phase, reports]) => ({ phase, pause: longestHeld(reports) }));
  const most = Math.max(...longest.map(({ pause }) => heldMs(pause)));
  const reports = [...phases.values()].flat();
  const wall = Math.max(0, ...reports.flatMap(({ pauses }) => pauses.map(({ ms }) => ms)));
  const idle = phases.get('idle') ?? [];
  const waited = sum(idle.map(({ waitedMs }) => waitedMs)) / sum(idle.map(({ ms }) => ms));
  return {
    what: 'longest event-loop pause in any of these',
    measured: `${most.toFixed(0)} ms: ${longest.map(({ phase, pause }) => `${phase} ${describe(pause)}`).join(', ')}`,
    atLeast: `${mostMs} ms`,
    kept: most <= mostMs,
    how: `how late a timer of 1 ms came in the sidecar's main thread, since it listens, less what the thread waited for a processor (with that: ${wall.toFixed(0)} ms; in idle rounds it waited ${(100 * waited).toFixed(1)}% of the time); longest garbage collections: ${collections(reports)}`,
  };
}

/** What the thread did itself, or waited for other than a processor. */
function heldMs(pause: Pause | undefined): number {
  return pause === undefined ? 0 : pause.ms - pause.waitedMs;
}

function longestHeld(reports: readonly PauseReport[]): Pause | undefined {
  return reports.flatMap(({ pauses }) => pauses).sort((a, b) => heldMs(b) - heldMs(a))[0];
}

function describe(pause: Pause | undefined): string {
  if (pause === undefined) return 'below 3 ms';
  const held = heldMs(pause);
  const collecting = Math.min(held, pause.gcMs);
  return `${held.toFixed(0)}${collecting >= 1 ? ` (garbage collection ${collecting.toFixed(0)})` : ''}`;
}

function collections(reports: readonly PauseReport[]): string {
  const byKind = Map.groupBy(
    reports.flatMap((report) => report.collections),
    ({ kind }) => kind,
  );
  const longest = [...byKind].map(([kind, of]) => [kind, Math.max(...of.map(({ longestMs }) => longestMs))] as const);
  return longest.map(([kind, ms]) => `${kind} ${ms.toFixed(0)} ms`).join(', ');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
