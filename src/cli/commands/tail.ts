/** `postern tail`: follows the decision log, in Redis or on disk. */
import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { envNameOf } from '../../config/option-spec.ts';
import { parseValue } from '../../config/parse-value.ts';
import type { ReadOptions, ReadRecord, RecordFilter } from '../../decision-log/filter.ts';
import type { Source } from '../../decision-log/log.ts';
import { messageOf, PosternError } from '../../model/errors.ts';
import { defaultTenant, problemOfName, problemOfPrincipal } from '../../model/names.ts';
import { parseInstant } from '../../policy-file/instant.ts';
import { exitCodes } from '../exit.ts';
import {
  addExamples,
  addRedisOptions,
  jsonOption,
  parseCount,
  type RedisFlags,
  specOf,
  tenantOption,
} from '../options.ts';
import { coloursOf, note, print } from '../output.ts';
import { describeRecord } from '../records.ts';

interface TailOptions extends RedisFlags {
  readonly dir: string;
  readonly tenant?: string;
  readonly lines: number;
  readonly all?: true;
  readonly since?: number;
  readonly follow: boolean;
  readonly allowed?: true;
  readonly denied?: true;
  readonly subject?: string;
  readonly action?: string;
  readonly object?: string;
  readonly type?: string;
  readonly source?: string;
  readonly json?: true;
}

const sources: readonly Source[] = [
  'check',
  'batch',
  'stream',
  'list_objects',
  'list_subjects',
  'list_actions',
  'explain',
];

export function addTailCommand(program: Command): void {
  const dir = specOf('decision-log-dir');
  const command = program
    .command('tail')
    .description('Follows the decision log')
    .addOption(
      new Option('--dir <path>', 'without Redis: a directory of decision logs, or one file')
        .env(envNameOf(dir))
        .default(dir.default),
    )
    .addOption(tenantOption('decisions of this tenant; with --redis, "default" where none is named'))
    .addOption(new Option('-n, --lines <n>', 'begin with so many of the newest').argParser(parseCount).default(10))
    .addOption(new Option('--all', 'begin with the oldest').conflicts('since'))
    .addOption(new Option('--since <when>', 'begin there: 10m, or 2026-06-01T00:00:00Z').argParser(parseSince))
    .option('--no-follow', 'stop at the end')
    .addOption(new Option('--allowed', 'allowed ones only').conflicts('denied'))
    .option('--denied', 'denied ones only')
    .addOption(new Option('--subject <subject>', 'of this subject only').argParser(parsePrincipal))
    .option('--action <action>', 'of this action only')
    .addOption(new Option('--object <object>', 'on this object only').argParser(parseName))
    .option('--type <type>', 'on objects of this type only')
    .addOption(new Option('--source <source>', 'asked in this way only').choices(sources))
    .addOption(jsonOption())
    .action(runTail);
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

async function* openLog(options: TailOptions, reading: ReadOptions): AsyncGenerator<ReadRecord> {
  if (options.redis === undefined) {
    const { readFiles } = await import('../../decision-log/read-files.ts');
    const isThere = existsSync(options.dir);
    if (!isThere) sayWhereLogsAre(options);
    // It has been said; until there is one, the reader would say it again.
    yield* readFiles(options.dir, isThere ? reading : { ...reading, onProblem: () => {} });
    return;
  }
  const [{ readStream }, { connect }, { createDecisionStreamReader }, { toStoreError }, { readRedisAccess }] =
    await Promise.all([
      import('../../decision-log/read-stream.ts'),
      import('../../store/redis/connection.ts'),
      import('../../store/redis/decision-client.ts'),
      import('../../store/redis/errors.ts'),
      import('../../store/redis/access.ts'),
    ]);
  const access = await readRedisAccess({ ...options, redis: options.redis });
  const connection = connect(access.target, access.options);
  const reader = createDecisionStreamReader(connection.client);
  const rethrow = (error: unknown): never => {
    // The client's own words speak of its options.
    const isAway = messageOf(error).startsWith('Reached the max retries');
    if (isAway) throw new Error(`${connection.description} is not reachable`, { cause: error });
    throw toStoreError(error, 'cannot read decisions', connection);
  };
  try {
    const client = {
      read: (...asked: Parameters<typeof reader.read>) => reader.read(...asked).catch(rethrow),
      last: (...asked: Parameters<typeof reader.last>) => reader.last(...asked).catch(rethrow),
    };
    yield* readStream(client, options.tenant ?? defaultTenant, reading);
  } finally {
    await reader.close();
    connection.close();
  }
}

/** @throws PosternError STORE_UNAVAILABLE where nobody waits for the log to begin */
function sayWhereLogsAre({ dir, follow }: TailOptions): void {
  const where = 'run this where the sidecar runs, name its --decision-log-dir with --dir, or its Redis with --redis';
  const message = `there is no decision log at ${dir}; ${where}`;
  if (!follow) throw new PosternError('STORE_UNAVAILABLE', message, { field: '--dir' });
  note(coloursOf(process.stderr).yellow(`${message}; waiting for one`));
}

function toFilter({ tenant, allowed, denied, subject, action, object, type, source }: TailOptions): RecordFilter {
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(allowed || denied ? { allowed: allowed === true } : {}),
    ...(subject === undefined ? {} : { subject }),
    ...(action === undefined ? {} : { action }),
    ...(object === undefined ? {} : { object }),
    ...(type === undefined ? {} : { type }),
    ...(source === undefined ? {} : { source }),
  };
}

/** A filter that no record can match is a mistake, and not an empty log. */
function parsePrincipal(text: string): string {
  const problem = problemOfPrincipal(text);
  if (problem !== undefined) throw new InvalidArgumentError(`It ${problem}.`);
  return text;
}

function parseName(text: string): string {
  const problem = problemOfName(text);
  if (problem !== undefined) throw new InvalidArgumentError(`It ${problem}.`);
  return text;
}

/** An instant, or how long ago; in milliseconds since 1970. */
function parseSince(text: string): number {
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  const ago = parseValue({ key: 'since', kind: 'duration', sentence: '' }, text);
  if ('value' in ago) return Date.now() - (ago.value as number);
  throw new InvalidArgumentError('It is neither a duration such as 10m nor a time such as 2026-06-01T00:00:00Z.');
}
