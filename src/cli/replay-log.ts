/** Reads a log, decides it again, and prints what would change. The work of `postern replay`. */
import { stat } from 'node:fs/promises';
import type { ReadOptions } from '../decision-log/filter.ts';
import { createDecider } from '../impact/decide-again.ts';
import { createReplay, type Replay, type Report } from '../impact/replay.ts';
import { type ChangedDecision, type Grouping, totalOf } from '../impact/tally.ts';
import { PosternError } from '../model/errors.ts';
import { changedToJson, reportToJson } from './impact-json.ts';
import { type Compared, describeChanged, describeGroup, describeSummary } from './impact-text.ts';
import { type LogPlace, type RecordOptions, toFilter } from './log-options.ts';
import { openLog } from './open-log.ts';
import { coloursOf, count, note, print, printAll, printJson, visible } from './output.ts';
import { startTimeProgress } from './progress.ts';
import { hasConditions, readChangedGraph, readProposal } from './proposal.ts';

export interface ReplayFlags extends LogPlace, RecordOptions {
  readonly tenant?: string;
  readonly policy?: string;
  readonly changes?: string;
  readonly baseline?: string;
  readonly since?: number;
  readonly until?: number;
  readonly groupBy: Grouping;
  readonly limit: number;
  readonly each?: true;
  readonly json?: true;
}

/**
 * How many decisions would change.
 * @param log Where they are; graphs come from the Redis of the flags.
 * @throws PosternError of the policies, and of the log
 */
export async function replayLog(flags: ReplayFlags, log: LogPlace): Promise<number> {
  const proposed = await (flags.changes === undefined
    ? readProposal(flags.policy ?? '', flags)
    : readChangedGraph(flags.changes, flags));
  const baseline = flags.baseline === undefined ? undefined : await readProposal(flags.baseline, flags);
  const graphs = [proposed, ...(baseline === undefined ? [] : [baseline])].map(({ snapshot }) => snapshot);
  const printer = createPrinter(flags);
  const replay = createReplay({
    proposed: createDecider(proposed.snapshot),
    ...(baseline === undefined ? {} : { baseline: createDecider(baseline.snapshot) }),
    attributesCount: graphs.some(hasConditions),
    grouping: flags.groupBy,
    ...(flags.each ? { onChange: printer.each } : {}),
  });
  const problems = await readInto(log, flags, replay, printer.drained);
  const report = replay.report();
  const compared: Compared = { proposed: proposed.description, baseline: baseline?.description };
  await printReport(report, compared, flags);
  sayWhatWasNotRead(report, problems, proposed.snapshot.mode);
  return totalOf(report.changed);
}

/** Lines that are no records. */
async function readInto(
  log: LogPlace,
  flags: ReplayFlags,
  replay: Replay,
  drained: () => Promise<void> | undefined,
): Promise<number> {
  let problems = 0;
  const since = flags.since === undefined ? '' : new Date(flags.since).toISOString();
  // Files are read whole: a process may have said long before how it keeps its log. A stream is entered where time is.
  const isInRedis = log.redis !== undefined;
  const { dim } = coloursOf(process.stderr);
  const reading: ReadOptions = {
    from: 'start',
    follow: false,
    filter: { ...toFilter(flags), allKinds: true, ...(isInRedis && since !== '' ? { since } : {}) },
    onGarbage: ({ where, problem }) => {
      if (problems++ < mostProblems) note(dim(visible(`${where}: ${problem}`)));
    },
  };
  const until = flags.until === undefined ? '\uffff' : new Date(flags.until).toISOString();
  // Lines of results on the same terminal say enough, and a bar would be between them.
  const isShown = !(flags.each && process.stdout.isTTY);
  const progress = startTimeProgress('replaying', Math.min(flags.until ?? Infinity, await endOf(log)), isShown);
  let tenant = flags.tenant;
  try {
    for await (const { record } of openLog(log, reading)) {
      progress.update(record.time);
      if (record.time < since && record.type === 'start') replay.addStart(record);
      if (record.time < since || record.time >= until) continue;
      tenant ??= record.tenant;
      if (record.tenant !== tenant) throw severalTenants(tenant, record.tenant);
      replay.add(record);
      const waiting = drained();
      if (waiting !== undefined) await waiting;
    }
  } finally {
    progress.stop();
  }
  return problems;
}

/** About when the newest record was written: of files it is known, a stream that is in use ends now. Milliseconds since 1970. */
async function endOf({ dir, redis }: LogPlace): Promise<number> {
  if (redis !== undefined) return Date.now();
  const { findLogFiles } = await import('../decision-log/log-files.ts');
  const files = await findLogFiles(dir, new Map()).catch(() => []);
  const times = await Promise.all(
    files.map(({ path }) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return times.reduce((newest, time) => Math.max(newest, time), 0) || Date.now();
}

/** Lines that are no records, and are shown. */
const mostProblems = 5;

function severalTenants(one: string, other: string): PosternError {
  const message = `the log holds decisions of several tenants, ${one} and ${other} among them; name one with --tenant`;
  return new PosternError('INVALID_OPTION', message, { field: '--tenant' });
}

function createPrinter({ json }: ReplayFlags) {
  const colours = coloursOf(process.stdout);
  return {
    each(changed: ChangedDecision) {
      if (json) printJson(changedToJson(changed));
      else print(describeChanged(changed, colours));
    },
    /** A slow reader of the pipe must not fill this process's memory. */
    drained(): Promise<void> | undefined {
      if (!process.stdout.writableNeedDrain) return undefined;
      return new Promise((resolve) => process.stdout.once('drain', resolve));
    },
  };
}

async function printReport(report: Report, compared: Compared, { json, each, limit }: ReplayFlags): Promise<void> {
  const colours = coloursOf(process.stdout);
  if (json) {
    const whole = reportToJson(report, compared);
    // Of lines, the last one is told apart by its only key.
    printJson(each ? { report: whole } : whole);
    return;
  }
  const shown = each ? [] : report.groups.slice(0, limit);
  await printAll([
    `${describeSummary(report, compared, colours)}\n`,
    ...shown.map((group) => `\n${describeGroup(group, colours)}\n`),
  ]);
  const rest = report.groups.slice(shown.length);
  if (each || rest.length === 0) return;
  const decisions = rest.reduce((sum, group) => sum + group.count, 0);
  print(
    colours.dim(
      `\nand ${rest.length} more ${rest.length === 1 ? 'group' : 'groups'} with ${count(decisions, 'decision')}; --limit shows more, --json all`,
    ),
  );
}

function sayWhatWasNotRead({ decisions }: Report, problems: number, mode: string): void {
  const { dim, yellow } = coloursOf(process.stderr);
  if (decisions === 0) note(dim('no decision in the log matches'));
  if (problems > 0) note(yellow(`${count(problems, 'line')} of the log could not be read, and did not count`));
  if (mode !== 'enforce') note(yellow(`the proposed policy is in mode ${mode}; it was judged as if it were enforced`));
}
