/** `postern check`: one question, one answer, and the exit code that says it again. */
import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import { describeOutcome, describeWhy } from '../describe.ts';
import { exitCodes } from '../exit.ts';
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
import { coloursOf, print, printJson } from '../output.ts';

export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('May this subject do this action on this object?')
    .argument('<subject>', 'who asks: user:alice, service:billing, anonymous')
    .argument('<action>', 'what is asked: read')
    .argument('[object]', 'what it is asked on: doc:42; left out, the question is about the tenant')
    .action(runCheck);
  addQuestionOptions(command).addOption(groupOption()).addOption(activeRoleOption());
  addExamples(command, [
    ['postern check user:alice read doc:42', 'exit code 0: allowed, 1: denied'],
    ['postern check user:bob app:create', 'about the tenant as a whole'],
    ['postern check user:alice read doc:42 --reach exact', 'was it given right here?'],
    ['postern check user:eve write doc:42 --attribute network=office', 'what a condition looks at'],
    ['postern check user:eve approve order:7 --active-role cashier', 'with that role alone'],
    ['postern check user:alice read doc:42 --policy policy.yaml', 'ask a file, no sidecar needed'],
    ['postern check user:alice read doc:42 --json | jq .decision.reason', ''],
  ]);
}

async function runCheck(subject: string, action: string, object: string | undefined, options: QuestionOptions) {
  const question = { ...toRequest(options), ...toContext(options), subject, action, object: object ?? '' };
  const answer = await withAsker(options, (asker) => asker.check(question));
  const { decision, mode, revision, dataAgeMs } = answer;
  if (decision === undefined) throw new Error('the answer holds no decision');
  if (options.json) {
    const { CheckResponseSchema } = await import('../../gen/postern/v1/decision_service_pb.ts');
    printJson(toJson(CheckResponseSchema, answer, { alwaysEmitImplicit: true }));
  } else {
    const colours = coloursOf(process.stdout);
    print(describeOutcome(decision, mode, colours));
    print(colours.dim(describeWhy(decision, revision, dataAgeMs)));
  }
  process.exitCode = decision.allowed ? exitCodes.ok : exitCodes.no;
}
