/** `postern tail`: follows the decision log, in Redis, on disk, or through a sidecar. */
import { type Command, Option } from 'commander';
import type { TailEvent } from '../../decision-log/query/intake.ts';
import type { FoundLine, Selection } from '../../decision-log/query/selection.ts';
import { type AdminOptions, addCredentialOptions } from '../admin-options.ts';
import { exitCodes } from '../exit.ts';
import {
  addLogPlaceOptions,
  addRecordOptions,
  type LogPlace,
  logPlaceOf,
  type RecordOptions,
  sinceOption,
  toFilter,
} from '../log-options.ts';
import { addExamples, addRedisOptions, collect, parseCount, tenantOption } from '../options.ts';
import { type Colours, coloursOf, note, print, visible } from '../output.ts';
import { describeRecord } from '../records.ts';
import { everyTenant, type Tailing, tailPlace } from '../tail-logs.ts';

interface TailOptions
  extends Omit<LogPlace, 'tenant'>,
    Omit<RecordOptions, 'tenant'>,
    Omit<AdminOptions, 'tenant' | 'timeout'> {
  readonly timeout: number;
  readonly tenant?: readonly string[];
  readonly lines: number;
  readonly all?: true;
  readonly since?: number;
  readonly allKinds?: true;
  readonly follow: boolean;
}

export function addTailCommand(program: Command): void {
  const command = program.command('tail').description('Follows the decision log');
  const tenants = tenantOption(
    'decisions of this tenant; repeatable; * for all; left out, of the only one or "default"',
  );
  addLogPlaceOptions(command, tenants.argParser(collect))
    .addOption(new Option('-n, --lines <n>', 'begin with so many of the newest').argParser(parseCount).default(10))
    .addOption(new Option('--all', 'begin with the oldest').conflicts('since'))
    .addOption(sinceOption())
    .option('--no-follow', 'stop at the end')
    .option('--all-kinds', 'starts, stops and seals, too');
  addRecordOptions(command).action(runTail);
  addRedisOptions(command, 'decisions');
  addCredentialOptions(command).option('--on-behalf-of <subject>', 'with --address: read as this subject may');
  addExamples(command, [
    ['postern tail', 'of the sidecar that runs in this directory, on disk'],
    ['postern tail --redis redis://localhost --denied', 'denials, as they happen'],
    ['postern tail --redis redis://localhost --tenant acme --tenant umbrella', 'of two tenants'],
    ['postern tail --address localhost:7678 --tenant "*"', 'through a sidecar, of all that you may read'],
    ['postern tail --subject user:alice --since 1h --no-follow', 'what alice did in the last hour'],
    ['postern tail --json | jq "select(.allowed | not)"', 'records as they are stored'],
  ]);
}

async function runTail(options: TailOptions, command: Command) {
  const ending = new AbortController();
  const end = (exit: number) => () => {
    process.exitCode = exit;
    ending.abort();
  };
  process.once('SIGINT', end(exitCodes.interrupted));
  process.once('SIGTERM', end(exitCodes.ok));
  const { tenant: tenants = [], since, all, lines, follow } = options;
  const selection = selectionOf(options);
  const tailing: Tailing = { tenants, selection, from: all || since !== undefined ? 'start' : lines, follow };
  const printer = createPrinter(options, tenants.length > 1 || tenants.includes(everyTenant));
  await openTail(options, command, tailing, ending.signal, async (events) => {
    for await (const event of events) await printer.show(event);
  });
  if (printer.isEmpty && !follow) note(coloursOf(process.stderr).dim('no decision in the log matches'));
}

/** Through a sidecar where one is named on the command line; a variable that names one is about other commands. */
async function openTail(
  options: TailOptions,
  command: Command,
  tailing: Tailing,
  signal: AbortSignal,
  work: (events: AsyncIterable<TailEvent>) => Promise<void>,
): Promise<void> {
  const { tenant: _, ...place } = options;
  const isSet = (name: string) => command.getOptionValueSource(name) === 'cli';
  if (!isSet('address')) return work(tailPlace(logPlaceOf(place, command), tailing, signal));
  for (const other of ['redis', 'dir'].filter(isSet)) {
    command.error(`error: option '--address <address>' cannot be used with option '--${other}'`);
  }
  const [{ withAdmin }, { tailSidecar }] = await Promise.all([
    import('../admin-client.ts'),
    import('../tail-sidecar.ts'),
  ]);
  return withAdmin(options, (client) => work(tailSidecar(client, tailing, options.onBehalfOf ?? '', signal)));
}

function selectionOf({ tenant: _, since, allKinds, ...options }: TailOptions): Selection {
  return {
    ...toFilter(options),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(allKinds === undefined ? {} : { allKinds }),
  };
}

/** @param isMany Whether the tenant has to be told with each record. */
function createPrinter({ json }: TailOptions, isMany: boolean) {
  const colours = coloursOf(process.stdout);
  const { yellow, dim } = coloursOf(process.stderr);
  let isEmpty = true;
  let problemTold = '';
  return {
    get isEmpty() {
      return isEmpty;
    },
    async show({ entries, losses, problem }: TailEvent): Promise<void> {
      for (const { tenant, atLeast } of losses) note(yellow(describeLoss(tenant, atLeast)));
      for (const entry of entries) {
        if (entry.record === undefined) note(yellow(visible(describeGarbage(entry))));
        else {
          const { record, line } = entry;
          isEmpty = false;
          print(json ? line : `${isMany ? tenantOf(record.tenant, colours) : ''}${describeRecord(record, colours)}`);
        }
      }
      if (problem !== problemTold) note(problem === '' ? dim('reading again') : yellow(`${problem}; trying again`));
      problemTold = problem;
      // A slow reader of the pipe must not fill this process's memory.
      if (process.stdout.writableNeedDrain) await new Promise((resolve) => process.stdout.once('drain', resolve));
    },
  };
}

function tenantOf(tenant: string, { cyan }: Colours): string {
  return `${cyan(visible(tenant))} `;
}

function describeGarbage({ where, problem }: Extract<FoundLine, { readonly problem: string }>): string {
  return where === undefined ? problem : `${where}: ${problem}`;
}

function describeLoss(tenant: string, atLeast: number): string {
  const many = atLeast === 0 ? 'records may be missing' : `at least ${atLeast} records are missing`;
  return `tenant ${visible(tenant)}: ${many}: the stream was trimmed before they were read`;
}
