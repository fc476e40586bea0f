/**
 * Options of the commands that administer, so that one name means one thing in all of them. Parsing happens here;
 * what an option does is in admin-client.ts, listing.ts and commit.ts.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseInstant } from '../policy-file/instant.ts';
import type { ConnectOptions } from './connect.ts';
import { addSidecarOptions, jsonOption, parseCount, tenantOption } from './options.ts';
import { tokenVariable } from './variables.ts';

/** Who administers. */
export interface CredentialOptions extends ConnectOptions {
  readonly tokenFile?: string;
  readonly json?: true;
}

/** What every command about one tenant gets. */
export interface AdminOptions extends CredentialOptions {
  readonly tenant?: string;
  readonly onBehalfOf?: string;
}

export interface ListingOptions extends AdminOptions {
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly atLeast?: string;
}

/** How a change is confirmed and kept. */
export interface ConfirmOptions {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly why?: string;
  readonly json?: true;
}

export interface WriteOptions extends AdminOptions, ConfirmOptions {
  readonly expected?: string;
  readonly allowNoAdministrator?: true;
}

export function addCredentialOptions(command: Command): Command {
  return addSidecarOptions(command)
    .optionsGroup('Options for the sidecar:')
    .option('--token-file <file>', `who you are: a file that holds a token (or set ${tokenVariable})`)
    .optionsGroup('')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nA token comes from --token-file or ${tokenVariable}. No option takes the token itself: it would show in the list of processes.`,
    );
}

export function addAdminOptions(command: Command): Command {
  return addCredentialOptions(command)
    .addOption(tenantOption())
    .option('--on-behalf-of <subject>', 'act for this subject; takes the action "impersonate" on the tenant');
}

export function addListingOptions(command: Command): Command {
  return addAdminOptions(command)
    .option('--page-size <n>', 'print at most so many; left out, all', parseCount)
    .option('--page-token <token>', 'go on where the page before ended')
    .option('--at-least <token>', 'answer from this revision or a later one');
}

export function addConfirmOptions(command: Command): Command {
  return command
    .option('--dry-run', 'show what it would do, and stop')
    .option('--yes', 'do not ask; needed where access widens and there is no terminal')
    .option('--why <text>', 'kept in the history beside the change');
}

export function addWriteOptions(command: Command): Command {
  return addConfirmOptions(addAdminOptions(command))
    .option('--expected <token>', 'fail unless the tenant is at this revision')
    .option('--allow-no-administrator', 'operators only: even where nobody is left who may administer the tenant');
}

export function untilOption(): Option {
  return new Option('--until <when>', 'ends then: 8h, 30d or 2027-01-01T00:00:00Z').argParser(parseUntil);
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** The last instant that RFC 3339 can write. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59);

/** An instant, or how long from now; in milliseconds since 1970. */
export function parseUntil(text: string): number {
  const [, length, unit = ''] = /^([0-9]{1,9})([smhdw])$/.exec(text) ?? [];
  const at = length === undefined ? parseInstant(text) : fromNow(Number(length) * (unitsMs[unit] as number));
  if (at === undefined) {
    throw new InvalidArgumentError('It is neither how long (30m, 8h, 30d) nor a time such as 2027-01-01T00:00:00Z.');
  }
  if (at <= Date.now()) throw new InvalidArgumentError('It is in the past.');
  if (at > lastInstant) throw new InvalidArgumentError('It is too far away.');
  return at;
}

/** In whole seconds, as people write them, and not too early. */
function fromNow(ms: number): number {
  return Math.ceil((Date.now() + ms) / 1000) * 1000;
}

/** A group by its whole name, as everywhere: in bindings, in questions and in the log. */
export function parseGroup(text: string): string {
  if (/^group:./.test(text)) return text;
  const name = text.includes(':') ? 'group:<id>' : `group:${text}`;
  throw new InvalidArgumentError(`It is not a group; write it as "${name}".`);
}
