/**
 * How a command changes a role graph: it asks the sidecar what the change would do, shows that, asks where access
 * widens, and commits at the revision that it was shown for, so that what was confirmed is what is done.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { toJson } from '@bufbuild/protobuf';
import { type ChangeSchema, type RecordChange, RecordChangeSchema } from '../gen/postern/v1/policy_pb.ts';
import { PolicyService } from '../gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../model/errors.ts';
import { scopeOf, withAdmin } from './admin-client.ts';
import type { ConfirmOptions, WriteOptions } from './admin-options.ts';
import { inWords, type NamePlace, nameByOption } from './change-words.ts';
import type { Client } from './client.ts';
import { confirm } from './confirm.ts';
import { exitCodes } from './exit.ts';
import { type Colours, coloursOf, count, note, print, printAll, printJson, visible } from './output.ts';

export type ChangeInit = MessageInitShape<typeof ChangeSchema>;

/** What a dry run would do, or a commit has done. */
export interface Outcome {
  readonly revision: string;
  readonly changes: readonly RecordChange[];
}

export interface Proposal {
  /** Sends it. @param expected A revision token, or empty. */
  readonly send: (dryRun: boolean, expected: string) => Promise<Outcome>;
  /** Where, for the question: "tenant acme"; empty where the sidecar knows. */
  readonly where: string;
  /** The revision that the caller wants it at, or empty. */
  readonly expected: string;
  /** Refuses what is valid and yet not what the command is for; throws. */
  readonly check?: (changes: readonly RecordChange[]) => void;
}

/** Times that a change which nobody was asked about is tried again where others commit in between. */
const maxAttempts = 5;

/** The whole of a command that changes a tenant. */
export async function commitChanges(
  changes: readonly ChangeInit[],
  options: WriteOptions,
  also: Pick<ChangeSetInit, 'check' | 'nameOf'> = {},
): Promise<void> {
  await withAdmin(options, (client) => commitWith(client, { changes, ...also }, options));
}

export interface ChangeSetInit {
  readonly changes: readonly ChangeInit[];
  readonly check?: Proposal['check'];
  /** What the command calls the places of its changes; default: by its options. */
  readonly nameOf?: NamePlace;
  /** The revision that the changes are made for. */
  readonly expected?: string;
}

/** The same with a client that has been asked already. */
export async function commitWith(client: Client, of: ChangeSetInit, options: WriteOptions): Promise<void> {
  const { why = '', allowNoAdministrator = false, tenant } = options;
  const request = { ...scopeOf(options), changes: [...of.changes], why, allowNoAdministrator };
  const send = async (dryRun: boolean, expected: string) => {
    try {
      return await client.unary(PolicyService.method.commit, { ...request, dryRun, expected });
    } catch (error) {
      throw await withWayOut(client, inWords(error, of.nameOf ?? nameByOption()));
    }
  };
  await propose(
    {
      send,
      where: tenant === undefined ? '' : `tenant ${tenant}`,
      expected: options.expected ?? of.expected ?? '',
      ...(of.check === undefined ? {} : { check: of.check }),
    },
    options,
  );
}

/** An operator may leave a tenant without an administrator, and is told how. */
async function withWayOut(client: Client, error: unknown): Promise<unknown> {
  if (!(error instanceof PosternError) || error.code !== 'LAST_ADMINISTRATOR') return error;
  const me = await client.unary(PolicyService.method.whoAmI, {}).catch(() => undefined);
  if (me?.operator !== true) return error;
  const message = `${error.message}; or, where that is meant, add --allow-no-administrator`;
  return new PosternError(error.code, message, error.metadata, error, error.problems);
}

/** Shows, asks, and does. Sets the exit code where it was not confirmed. */
export async function propose(proposal: Proposal, options: ConfirmOptions): Promise<void> {
  const { send, where, expected, check } = proposal;
  const shown = new Set<string>();
  for (let attempt = 1; ; attempt++) {
    const plan = await send(true, expected);
    check?.(plan.changes);
    if (!options.json) await showOnce(plan, shown);
    if (plan.changes.length === 0 || options.dryRun) {
      report(plan, false, options);
      return;
    }
    const asks = !options.yes && plan.changes.some(({ widens }) => widens);
    if (asks && !(await confirm(where === '' ? 'Commit this?' : `Commit this to ${where}?`))) {
      note('not confirmed; nothing was written');
      process.exitCode = exitCodes.no;
      return;
    }
    try {
      report(await send(false, plan.revision), true, options);
      return;
    } catch (error) {
      const isConflict = error instanceof PosternError && error.code === 'REVISION_CONFLICT';
      if (!isConflict || asks || expected !== '' || attempt === maxAttempts) throw error;
    }
  }
}

/** A plan that is the same at the next revision is not shown again. */
async function showOnce(plan: Outcome, shown: Set<string>): Promise<void> {
  const text = formatChanges(plan.changes, coloursOf(process.stdout));
  if (!shown.has(text)) await printAll([text]);
  shown.add(text);
}

/** A line for each record, those that widen access marked, and how many of them there are. */
function formatChanges(changes: readonly RecordChange[], colours: Colours): string {
  const lines = changes.map(({ summary, widens }) => {
    const line = paintSummary(summary, colours);
    return widens ? `${line} ${colours.yellow('(widens access)')}` : line;
  });
  const widening = changes.filter(({ widens }) => widens).length;
  const total =
    changes.length === 0 ? 'No changes.' : `${count(changes.length, 'change')}${ofThem(widening, lines.length)}`;
  return `${[...lines, total].join('\n')}\n`;
}

function ofThem(widening: number, all: number): string {
  if (widening === 0) return '';
  if (all === 1) return ', which widens access';
  return `, ${widening === all ? 'all' : widening} of them widening access`;
}

/** A line such as "+ binding user:bob viewer on doc:1" in the colour of its sign. */
export function paintSummary(summary: string, colours: Colours): string {
  const text = visible(summary);
  if (text.startsWith('+')) return colours.green(text);
  return text.startsWith('-') ? colours.red(text) : colours.yellow(text);
}

function report({ revision, changes }: Outcome, committed: boolean, { json }: ConfirmOptions): void {
  if (json) {
    const written = changes.map((change) => toJson(RecordChangeSchema, change, { alwaysEmitImplicit: true }));
    printJson({ revision, committed, changes: written });
  } else if (committed) {
    const { green } = coloursOf(process.stdout);
    print(`${green('committed')} ${count(changes.length, 'change')}: revision ${revision}`);
  } else note(`the tenant is at revision ${revision}; nothing was written`);
}

/** For commands that make something: a put would replace what is there. */
export function refuseExisting(what: string, hint: string): NonNullable<Proposal['check']> {
  return (changes) => {
    if (changes.every(({ before }) => before === undefined)) return;
    throw new PosternError('ALREADY_EXISTS', `there is a ${visible(what)} already; ${visible(hint)}`);
  };
}

/** For commands that change something: a put would make what is not there. */
export function refuseMissing(what: string, hint: string): NonNullable<Proposal['check']> {
  return (changes) => {
    if (changes.every(({ before, after }) => before !== undefined || after === undefined)) return;
    throw new PosternError('NOT_FOUND', `there is no ${visible(what)}; ${visible(hint)}`);
  };
}
