/** `postern what-can`: the actions that a subject may do on an object, one a line, each with where it comes from. */
import { type JsonObject, toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { withAsker } from '../open-asker.ts';
import {
  activeRoleOption,
  addExamples,
  addQuestionOptions,
  groupOption,
  type QuestionOptions,
  toContext,
  toRequest,
} from '../options.ts';
import { coloursOf, note, print, printJson, visible } from '../output.ts';

interface WhatCanOptions extends QuestionOptions {
  readonly why: boolean;
}

export function addWhatCanCommand(program: Command): void {
  const command = program
    .command('what-can')
    .description('What may this subject do on this object?')
    .argument('<subject>', 'who asks')
    .argument('[object]', 'what it is asked on; left out, the question is about the tenant')
    .option('--why', 'where each comes from, too; the default', true)
    .option('--no-why', 'the actions alone, without where each comes from')
    .action(runWhatCan);
  addQuestionOptions(command).addOption(groupOption()).addOption(activeRoleOption());
  addExamples(command, [
    ['postern what-can user:alice doc:42', 'one action a line, and the groups, binding and role that give it'],
    ['postern what-can user:alice doc:42 --no-why', 'the actions alone; granted patterns are named on stderr'],
    ['postern what-can user:alice', 'on the tenant as a whole'],
    ['postern what-can anonymous doc:42 --policy policy.yaml', 'ask a file, no sidecar needed'],
  ]);
}

async function runWhatCan(subject: string, object: string | undefined, options: WhatCanOptions) {
  const question = { ...toRequest(options), ...toContext(options), subject, object: object ?? '' };
  const { describeWay, explainAll, inColumns, wayToJson } = await import('../ways.ts');
  const [answer, ways] = await withAsker(options, async (asker) => {
    const listed = await asker.listActions(question);
    if (!options.why) return [listed, []];
    // Not from an older snapshot than the list.
    const questions = listed.actions.map((action) => ({ ...question, action, atLeast: listed.revision }));
    return [listed, await explainAll(asker, questions)];
  });
  if (options.json) {
    const { ListActionsResponseSchema } = await import('../../gen/postern/v1/decision_service_pb.ts');
    const json = toJson(ListActionsResponseSchema, answer, { alwaysEmitImplicit: true });
    const byAction = Object.fromEntries(ways.map((way, i) => [answer.actions[i], wayToJson(way)]));
    printJson(options.why ? { ...(json as JsonObject), ways: byAction } : json);
    return;
  }
  const colours = coloursOf(process.stderr);
  for (const pattern of answer.patterns) note(colours.dim(`also every action that matches ${visible(pattern)}`));
  const { dim } = coloursOf(process.stdout);
  const rows = ways.map((way, i) => [visible(answer.actions[i] ?? ''), dim(describeWay(subject, way))] as const);
  for (const line of options.why ? inColumns(rows) : answer.actions.map(visible)) print(line);
  if (answer.actions.length === 0) note(colours.dim('no action'));
}
