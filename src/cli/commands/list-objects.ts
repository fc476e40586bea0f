/** `postern list-objects`: the objects of a type on which a subject may do an action, one a line. */
import { create, toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import type { ListObjectsResponse } from '../../gen/postern/v1/decision_service_pb.ts';
import { withAsker } from '../open-asker.ts';
import {
  activeRoleOption,
  addExamples,
  addQuestionOptions,
  groupOption,
  parseCount,
  type QuestionOptions,
  toContext,
  toRequest,
} from '../options.ts';
import { coloursOf, note, printAll, printJson, visible } from '../output.ts';

interface ListObjectsOptions extends QuestionOptions {
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export function addListObjectsCommand(program: Command): void {
  const command = program
    .command('list-objects')
    .description('On which objects of a type may this subject do this action?')
    .argument('<subject>', 'who asks')
    .argument('<action>', 'what is asked')
    .argument('<type>', 'the type of the objects: doc')
    .option('--page-size <n>', 'print at most so many; left out, all', parseCount)
    .option('--page-token <token>', 'go on where the page before ended')
    .action(runListObjects);
  addQuestionOptions(command).addOption(groupOption()).addOption(activeRoleOption());
  addExamples(command, [
    ['postern list-objects user:alice read doc', 'one a line; whole scopes are named on stderr'],
    ['postern list-objects user:alice read doc --page-size 100', 'stderr says how to get the next page'],
    ['postern list-objects user:alice read doc --json | jq -r ".objects[]"', ''],
  ]);
}

async function runListObjects(subject: string, action: string, type: string, options: ListObjectsOptions) {
  const { pageSize = 0, pageToken = '', json } = options;
  const question = { ...toRequest(options), ...toContext(options), subject, action, type, pageSize, pageToken };
  await withAsker(options, async (asker) => {
    const parts = asker.listObjects(question);
    if (json) await printMerged(parts);
    else await printAll(toLines(parts));
  });
}

/** Notes come as soon as they are known: the scopes before the first object. */
async function* toLines(parts: AsyncIterable<ListObjectsResponse>): AsyncGenerator<string> {
  const colours = coloursOf(process.stderr);
  let isEmpty = true;
  for await (const { objects, scopes, nextPageToken } of parts) {
    for (const scope of scopes) note(colours.dim(`also everything in scope ${visible(scope)}`));
    if (objects.length > 0) yield `${objects.map(visible).join('\n')}\n`;
    if (nextPageToken !== '') note(colours.yellow(`there is more: add --page-token ${nextPageToken}`));
    isEmpty &&= objects.length === 0;
  }
  if (isEmpty) note(colours.dim('no registered object'));
}

/** The parts of the stream as one message, which is what JSON readers want. */
async function printMerged(parts: AsyncIterable<ListObjectsResponse>): Promise<void> {
  const { ListObjectsResponseSchema } = await import('../../gen/postern/v1/decision_service_pb.ts');
  let whole: ListObjectsResponse | undefined;
  for await (const part of parts) {
    if (whole === undefined) whole = part;
    else for (const object of part.objects) whole.objects.push(object);
    whole.nextPageToken = part.nextPageToken;
  }
  const answer = whole ?? create(ListObjectsResponseSchema);
  printJson(toJson(ListObjectsResponseSchema, answer, { alwaysEmitImplicit: true }));
}
