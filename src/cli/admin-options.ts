/**
 * Options of the commands that administer, so that one name means one thing in all of them. Parsing happens here;
 * what an option does is in admin-client.ts, listing.ts and commit.ts.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseUntil } from '../policy-file/until.ts';
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
  return new Option('--until <when>', 'ends then: 8h, 30d or 2027-01-01T00:00:00Z').argParser(parseUntilOption);
}

/** In milliseconds since 1970. */
function parseUntilOption(text: string): number {
  const at = parseUntil(text, Date.now());
  if (typeof at === 'string') throw new InvalidArgumentError(`It ${at}.`);
  return at;
}

/** A group by its whole name, as everywhere: in bindings, in questions and in the log. */
export function parseGroup(text: string): string {
  if (/^group:./.test(text)) return text;
  const name = text.includes(':') ? 'group:<id>' : `group:${text}`;
  throw new InvalidArgumentError(`It is not a group; write it as "${name}".`);
}
