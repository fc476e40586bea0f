/** `postern tail`: follows the decision log, in Redis or on disk. */
import { type Command, Option } from 'commander';
import type { ReadOptions } from '../../decision-log/filter.ts';
import { exitCodes } from '../exit.ts';
import {
  addLogPlaceOptions,
  addRecordOptions,
  type LogPlace,
  type RecordOptions,
  sinceOption,
  toFilter,
} from '../log-options.ts';
import { openLog } from '../open-log.ts';
import { addExamples, addRedisOptions, jsonOption, parseCount } from '../options.ts';
import { coloursOf, note, print } from '../output.ts';
import { describeRecord } from '../records.ts';

interface TailOptions extends LogPlace, RecordOptions {
  readonly tenant?: string;
  readonly lines: number;
  readonly all?: true;
  readonly since?: number;
  readonly follow: boolean;
  readonly json?: true;
}

export function addTailCommand(program: Command): void {
  const command = program.command('tail').description('Follows the decision log');
  addLogPlaceOptions(command)
    .addOption(new Option('-n, --lines <n>', 'begin with so many of the newest').argParser(parseCount).default(10))
    .addOption(new Option('--all', 'begin with the oldest').conflicts('since'))
    .addOption(sinceOption())
    .option('--no-follow', 'stop at the end');
  addRecordOptions(command).addOption(jsonOption()).action(runTail);
  addExamples(addRedisOptions(command, 'decisions'), [
    ['postern tail', 'of the sidecar that runs in this directory, on disk'],
    ['postern tail --redis redis://localhost --denied', 'denials, as they happen'],
    ['postern tail --subject user:alice --since 1h --no-follow', 'what alice did in the last hour'],
    ['postern tail --json | jq "select(.allowed | not)"', 'records as they are stored'],
  ]);
}

async function runTail(options: TailOptions) {
  const ending = new AbortController();
  const end = (exit: number) => () => {
    process.exitCode = exit;
    ending.abort();
  };
  process.once('SIGINT', end(exitCodes.interrupted));
  process.once('SIGTERM', end(exitCodes.ok));
  const { dim, yellow } = coloursOf(process.stderr);
  const reading: ReadOptions = {
    from: options.all || options.since !== undefined ? 'start' : options.lines,
    follow: options.follow,
    filter: toFilter(options),
    signal: ending.signal,
    onGarbage: ({ where, problem }) => note(yellow(`${where}: ${problem}`)),
    onProblem: (message) => note(yellow(`${message}; trying again`)),
  };
  const since = options.since === undefined ? '' : new Date(options.since).toISOString();
  const colours = coloursOf(process.stdout);
  let isEmpty = true;
  for await (const { record, line } of openLog(options, reading)) {
    if (record.time < since) continue;
    isEmpty = false;
    print(options.json ? line : describeRecord(record, colours));
    // A slow reader of the pipe must not fill this process's memory.
    if (process.stdout.writableNeedDrain) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  if (isEmpty && !options.follow) note(dim('no decision in the log matches'));
}
