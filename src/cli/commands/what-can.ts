/** `postern what-can`: the actions that a subject may do on an object, one a line. */
import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { withAsker } from '../open-asker.ts';
import {
  addExamples,
  addQuestionOptions,
  groupOption,
  type QuestionOptions,
  toContext,
  toRequest,
} from '../options.ts';
import { coloursOf, note, print, printJson, visible } from '../output.ts';

export function addWhatCanCommand(program: Command): void {
  const command = program
    .command('what-can')
    .description('What may this subject do on this object?')
    .argument('<subject>', 'who asks')
    .argument('[object]', 'what it is asked on; left out, the question is about the tenant')
    .action(runWhatCan);
  addQuestionOptions(command).addOption(groupOption());
  addExamples(command, [
    ['postern what-can user:alice doc:42', 'one action a line; granted patterns are named on stderr'],
    ['postern what-can user:alice', 'on the tenant as a whole'],
    ['postern what-can anonymous doc:42 --policy policy.yaml', 'ask a file, no sidecar needed'],
  ]);
}

async function runWhatCan(subject: string, object: string | undefined, options: QuestionOptions) {
  const question = { ...toRequest(options), ...toContext(options), subject, object: object ?? '' };
  const answer = await withAsker(options, (asker) => asker.listActions(question));
  if (options.json) {
    const { ListActionsResponseSchema } = await import('../../gen/postern/v1/decision_service_pb.ts');
    printJson(toJson(ListActionsResponseSchema, answer, { alwaysEmitImplicit: true }));
    return;
  }
  const colours = coloursOf(process.stderr);
  for (const pattern of answer.patterns) note(colours.dim(`also every action that matches ${visible(pattern)}`));
  for (const action of answer.actions) print(visible(action));
  if (answer.actions.length === 0) note(colours.dim('no action'));
}
