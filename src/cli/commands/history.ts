/** `postern history`: who changed what, when and why, newest first. */
import { create, toJson } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Command, Option } from 'commander';
import type { ChangeSet } from '../../gen/postern/v1/policy_pb.ts';
import type { ListChangeSetsResponse } from '../../gen/postern/v1/policy_service_pb.ts';
import { formatInstant } from '../../policy-file/instant.ts';
import { type AdminOptions, addAdminOptions } from '../admin-options.ts';
import type { Client } from '../client.ts';
import { addExamples, parseCount } from '../options.ts';
import { type Colours, coloursOf, note, printAll, printJson, visible } from '../output.ts';

interface HistoryOptions extends AdminOptions {
  readonly lines: number;
  readonly by?: string;
  readonly subject?: string;
  readonly role?: string;
  readonly object?: string;
}

/** The largest page that a sidecar gives. */
const largestPage = 10_000;

export function addHistoryCommand(program: Command): void {
  const command = program
    .command('history')
    .description('Who changed what, when and why: newest first')
    .addOption(new Option('-n, --lines <n>', 'the newest so many').argParser(parseCount).default(20))
    .option('--by <subject>', 'made by, or via, this subject only')
    .option('--subject <subject>', 'about bindings and memberships of this subject only')
    .option('--role <role>', 'about this role only')
    .option('--object <object>', 'about this object, and bindings on it, only')
    .action(runHistory);
  addAdminOptions(command);
  addExamples(command, [
    ['postern history', 'the 20 newest change sets, with their lines as in diff'],
    ['postern history --object doc:42 -n 100', 'who shared it, and when'],
    ['postern history --by service:ci --json | jq -r .changeSets[].why', ''],
  ]);
}

async function runHistory(options: HistoryOptions) {
  const { withAdmin } = await import('../admin-client.ts');
  const answer = await withAdmin(options, (client) => readNewest(client, options));
  if (options.json) {
    const { ListChangeSetsResponseSchema } = await import('../../gen/postern/v1/policy_service_pb.ts');
    printJson(toJson(ListChangeSetsResponseSchema, answer, { alwaysEmitImplicit: true }));
    return;
  }
  const { paintSummary } = await import('../commit.ts');
  const colours = coloursOf(process.stdout);
  await printAll(answer.changeSets.map((changeSet) => describeChangeSet(changeSet, paintSummary, colours)));
  const { dim } = coloursOf(process.stderr);
  if (answer.changeSets.length === 0) note(dim('no change set'));
  if (answer.info?.nextPageToken) note(dim('there are older ones; see more with -n'));
  else if (answer.trimmed) note(dim('there were older ones, which are not kept any more'));
}

async function readNewest(client: Client, options: HistoryOptions): Promise<ListChangeSetsResponse> {
  const [{ PolicyService, ListChangeSetsResponseSchema }, { scopeOf }] = await Promise.all([
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../admin-client.ts'),
  ]);
  const { lines, by = '', subject = '', role = '', object = '' } = options;
  const whole = create(ListChangeSetsResponseSchema);
  let token = '';
  do {
    const pageSize = Math.min(lines - whole.changeSets.length, largestPage);
    const list = { ...scopeOf(options), pageSize, pageToken: token };
    const page = await client.unary(PolicyService.method.listChangeSets, {
      options: list,
      by,
      subject,
      role,
      object,
    });
    for (const changeSet of page.changeSets) whole.changeSets.push(changeSet);
    whole.trimmed ||= page.trimmed;
    if (page.info !== undefined) whole.info = page.info;
    token = page.info?.nextPageToken ?? '';
  } while (token !== '' && whole.changeSets.length < lines);
  return whole;
}

/** `e.7 2026-06-01T12:00:00Z user:alice via service:ci: ticket 7`, and under it a line for each record. */
function describeChangeSet(
  { revision, at, by, via, why, changes }: ChangeSet,
  paint: (summary: string, colours: Colours) => string,
  colours: Colours,
): string {
  const when = at === undefined ? 'at an unknown time' : formatInstant(timestampMs(at));
  const who = `${by === '' ? 'unknown' : by}${via === '' ? '' : ` via ${via}`}`;
  const heading = `${colours.dim(visible(`${revision} ${when}`))} ${colours.bold(visible(who))}`;
  const lines = changes.map(({ summary }) => `  ${paint(summary, colours)}`);
  return `${[`${heading}${why === '' ? '' : `: ${visible(why)}`}`, ...lines].join('\n')}\n`;
}
