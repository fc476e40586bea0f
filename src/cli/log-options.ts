/**
 * Options of the commands that read decision logs: where the log is, and which of its records are wanted. One name
 * means one thing in all of them. Parsing happens here; open-log.ts reads.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { envNameOf } from '../config/option-spec.ts';
import { parseValue } from '../config/parse-value.ts';
import type { RecordFilter } from '../decision-log/filter.ts';
import type { Source } from '../decision-log/log.ts';
import { problemOfName, problemOfPrincipal } from '../model/names.ts';
import { parseInstant } from '../policy-file/instant.ts';
import { type RedisFlags, specOf, tenantOption } from './options.ts';

/** Where the log is. */
export interface LogPlace extends RedisFlags {
  readonly dir: string;
  readonly tenant?: string;
}

/** Which records are wanted. */
export interface RecordOptions {
  readonly tenant?: string;
  readonly allowed?: true;
  readonly denied?: true;
  readonly subject?: string;
  readonly action?: string;
  readonly object?: string;
  readonly type?: string;
  readonly source?: string;
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

const dayMs = 86_400_000;

/** Beside addRedisOptions, which names the Redis. */
export function addLogPlaceOptions(
  command: Command,
  tenant = tenantOption('decisions of this tenant; with --redis, "default" where none is named'),
): Command {
  const dir = specOf('decision-log-dir');
  return command
    .addOption(
      new Option('--dir <path>', 'without Redis: a directory of decision logs, or one file')
        .env(envNameOf(dir))
        .default(dir.default),
    )
    .addOption(tenant);
}

export function addRecordOptions(command: Command): Command {
  return command
    .addOption(new Option('--allowed', 'allowed ones only').conflicts('denied'))
    .option('--denied', 'denied ones only')
    .addOption(new Option('--subject <subject>', 'of this subject only').argParser(parsePrincipal))
    .option('--action <action>', 'of this action only')
    .addOption(new Option('--object <object>', 'on this object only').argParser(parseName))
    .option('--type <type>', 'on objects of this type only')
    .addOption(new Option('--source <source>', 'asked in this way only').choices(sources));
}

/**
 * The log alone, for commands that read a graph from --redis, too: with --dir on the command line the log is there.
 * @param flags As addLogPlaceOptions and addRedisOptions give them.
 */
export function logPlaceOf(flags: LogPlace, command: Command): LogPlace {
  if (command.getOptionValueSource('dir') !== 'cli') return flags;
  const { redis: _, ...place } = flags;
  return place;
}

export function sinceOption(): Option {
  return new Option('--since <when>', 'begin there: 10m, 7d, or 2026-06-01T00:00:00Z').argParser(parseWhen);
}

export function untilOption(): Option {
  return new Option('--until <when>', 'end before that: 10m, 7d, or 2026-06-01T00:00:00Z').argParser(parseWhen);
}

export function toFilter({
  tenant,
  allowed,
  denied,
  subject,
  action,
  object,
  type,
  source,
}: RecordOptions): RecordFilter {
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
function parseWhen(text: string): number {
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  const [, days] = /^([0-9]{1,5})d$/.exec(text) ?? [];
  if (days !== undefined) return Date.now() - Number(days) * dayMs;
  const ago = parseValue({ key: 'since', kind: 'duration', sentence: '' }, text);
  if ('value' in ago) return Date.now() - (ago.value as number);
  throw new InvalidArgumentError('It is neither a duration such as 10m nor a time such as 2026-06-01T00:00:00Z.');
}

/** For commands that are about one decision. */
export function parseDecisionId(text: string): string {
  const id = text.toUpperCase();
  if (/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)) return id;
  throw new InvalidArgumentError('It is no decision id, which has 26 letters and digits.');
}
