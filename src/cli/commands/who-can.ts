/** `postern who-can`: the subjects that may do an action on an object, one a line. */
import { create, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import type { ListSubjectsResponse } from '../../gen/postern/v1/decision_service_pb.ts';
import type { Asker } from '../asker.ts';
import { withAsker } from '../open-asker.ts';
import { addExamples, addQuestionOptions, parseCount, type QuestionOptions, toContext, toRequest } from '../options.ts';
import { coloursOf, note, printAll, printJson, visible } from '../output.ts';

interface WhoCanOptions extends QuestionOptions {
  readonly type?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly why?: true;
}

/** The largest page that a sidecar gives, to ask as seldom as possible. */
const pageSubjects = 10_000;

export function addWhoCanCommand(program: Command): void {
  const command = program
    .command('who-can')
    .description('Who may do this action on this object?')
    .argument('<action>', 'what is asked')
    .argument('[object]', 'what it is asked on; left out, the question is about the tenant')
    .option('--type <type>', 'list subjects of this type only: user')
    .option('--why', 'show where each comes from: one more question for each subject')
    .option('--page-size <n>', 'print at most so many; left out, all', parseCount)
    .option('--page-token <token>', 'go on where the page before ended')
    .action(runWhoCan);
  addQuestionOptions(command);
  addExamples(command, [
    ['postern who-can read doc:42', 'users, services and groups, one a line'],
    ['postern who-can delete doc:42 --type user', 'users only'],
    ['postern who-can delete doc:42 --why', 'and the groups, binding and role that give it'],
    ['postern who-can app:create', 'on the tenant as a whole'],
  ]);
}

async function runWhoCan(action: string, object: string | undefined, options: WhoCanOptions) {
  await withAsker(options, async (asker) => {
    const pages = askPages(asker, action, object ?? '', options);
    const explain = options.why ? await createExplainer(asker, action, object ?? '', options) : undefined;
    if (options.json) await printMerged(pages, explain);
    else await printAll(toLines(pages, explain));
  });
}

interface Explained {
  readonly subject: string;
  readonly line: string;
  readonly json: JsonValue;
}

/** Asks where the answer for each subject of a page comes from. */
type Explainer = (page: ListSubjectsResponse) => Promise<readonly Explained[]>;

async function createExplainer(
  asker: Asker,
  action: string,
  object: string,
  options: WhoCanOptions,
): Promise<Explainer> {
  const { describeWay, explainAll, inColumns, wayToJson } = await import('../ways.ts');
  const { dim } = coloursOf(process.stdout);
  const question = { ...toRequest(options), ...toContext(options), action, object };
  return async ({ subjects, revision }) => {
    // Not from an older snapshot than the list.
    const ways = await explainAll(
      asker,
      subjects.map((subject) => ({ ...question, subject, atLeast: revision })),
    );
    const rows = ways.map((way, i) => {
      const subject = subjects[i] ?? '';
      return { subject, way, row: [visible(subject), dim(describeWay(subject, way))] as const };
    });
    const lines = inColumns(rows.map(({ row }) => row));
    return rows.map(({ subject, way }, i) => ({ subject, line: lines[i] ?? '', json: wayToJson(way) }));
  };
}

/** The one page that was asked for, or all of them. */
async function* askPages(asker: Asker, action: string, object: string, options: WhoCanOptions) {
  const { type = '', pageSize, pageToken = '' } = options;
  const question = {
    ...toRequest(options),
    ...toContext(options),
    action,
    object,
    type,
    pageSize: pageSize ?? pageSubjects,
  };
  let token = pageToken;
  do {
    const page: ListSubjectsResponse = await asker.listSubjects({ ...question, pageToken: token });
    token = page.nextPageToken;
    yield page;
  } while (pageSize === undefined && token !== '');
}

async function* toLines(
  pages: AsyncGenerator<ListSubjectsResponse>,
  explain: Explainer | undefined,
): AsyncGenerator<string> {
  const colours = coloursOf(process.stderr);
  let last: ListSubjectsResponse | undefined;
  let isEmpty = true;
  for await (const page of pages) {
    // Every page repeats them.
    if (last === undefined) {
      for (const wildcard of page.wildcards) note(colours.dim(`also everyone in ${visible(wildcard)}`));
    }
    const lines = explain === undefined ? page.subjects.map(visible) : (await explain(page)).map(({ line }) => line);
    if (lines.length > 0) yield `${lines.join('\n')}\n`;
    isEmpty &&= page.subjects.length === 0;
    last = page;
  }
  if (isEmpty) note(colours.dim('no subject by name'));
  if (last !== undefined && last.nextPageToken !== '') {
    note(colours.yellow(`there is more: add --page-token ${last.nextPageToken}`));
  }
}

async function printMerged(pages: AsyncGenerator<ListSubjectsResponse>, explain: Explainer | undefined): Promise<void> {
  const { ListSubjectsResponseSchema } = await import('../../gen/postern/v1/decision_service_pb.ts');
  let whole: ListSubjectsResponse | undefined;
  const ways: Record<string, JsonValue> = {};
  for await (const page of pages) {
    for (const { subject, json } of (await explain?.(page)) ?? []) ways[subject] = json;
    if (whole === undefined) whole = page;
    else for (const subject of page.subjects) whole.subjects.push(subject);
    whole.nextPageToken = page.nextPageToken;
  }
  const answer = whole ?? create(ListSubjectsResponseSchema);
  const json = toJson(ListSubjectsResponseSchema, answer, { alwaysEmitImplicit: true });
  printJson(explain === undefined ? json : { ...(json as JsonObject), ways });
}
