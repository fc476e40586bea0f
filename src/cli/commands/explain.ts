/** `postern explain`: why the answer is what it is, as a small tree. */
import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import type { ExplainPath, ExplainResponse, ExplainStep } from '../../gen/postern/v1/decision_service_pb.ts';
import { describeBinding, describeOutcome, describeWhy } from '../describe.ts';
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
import { type Colours, coloursOf, print, printJson, visible } from '../output.ts';

export function addExplainCommand(program: Command): void {
  const command = program
    .command('explain')
    .description('Why is the answer to a check what it is?')
    .argument('<subject>', 'who asks')
    .argument('<action>', 'what is asked')
    .argument('[object]', 'what it is asked on; left out, the question is about the tenant')
    .action(runExplain);
  addQuestionOptions(command).addOption(groupOption()).addOption(activeRoleOption());
  addExamples(command, [
    ['postern explain user:alice read doc:42', 'the groups, roles and parents that decide'],
    ['postern explain user:bob delete doc:42', 'for a denial: what was closest'],
    ['postern explain user:alice read doc:42 --group group:sre', 'as if alice were in sre'],
    ['postern explain user:alice read doc:42 --policy policy.yaml', 'ask a file, no sidecar needed'],
  ]);
}

async function runExplain(subject: string, action: string, object: string | undefined, options: QuestionOptions) {
  const question = { ...toRequest(options), ...toContext(options), subject, action, object: object ?? '' };
  const answer = await withAsker(options, (asker) => asker.explain(question));
  const { decision, revision, mode, dataAgeMs } = answer;
  if (decision === undefined) throw new Error('the answer holds no decision');
  if (options.json) {
    const { ExplainResponseSchema } = await import('../../gen/postern/v1/decision_service_pb.ts');
    printJson(toJson(ExplainResponseSchema, answer, { alwaysEmitImplicit: true }));
  } else {
    const colours = coloursOf(process.stdout);
    print(describeOutcome(decision, mode, colours));
    print(colours.dim(describeWhy(decision, revision, dataAgeMs)));
    print(describeTree(answer, subject, object ?? '', options.activeRole !== undefined, colours));
  }
  process.exitCode = decision.allowed ? exitCodes.ok : exitCodes.no;
}

/** The sentence, and under it a line for each part of the way. */
export function describeTree(
  { path, summary }: ExplainResponse,
  subject: string,
  object: string,
  someActive: boolean,
  colours: Colours,
) {
  const lacks = `nothing${someActive ? ' active' : ''} in it permits this`;
  const branches = path === undefined ? [] : branchesOf(path, subject, object, lacks);
  const width = Math.max(...branches.map(([name]) => name.length));
  const lines = branches.map(([name, text], i) => {
    const corner = i === branches.length - 1 ? '└─' : '├─';
    return `${colours.dim(corner)} ${colours.bold(name.padEnd(width))}  ${visible(text)}`;
  });
  return [visible(summary), ...lines].join('\n');
}

function branchesOf(path: ExplainPath, subject: string, object: string, lacks: string): [name: string, text: string][] {
  const { subjectSteps, binding, roles, permission, scope, objectSteps, condition } = path;
  const grants = permission === '' ? lacks : `permits ${permission}`;
  return [
    ['subject', chain(subject, subjectSteps)],
    ['binding', describeBinding(binding)],
    ...(condition === '' ? [] : [['condition', condition] as [string, string]]),
    ['role', `${roles.join(' → ')}: ${grants}`],
    ['object', `${chain(object === '' ? 'the tenant' : object, objectSteps)}${reached(scope, object, objectSteps)}`],
  ];
}

function chain(start: string, steps: readonly ExplainStep[]): string {
  return [start, ...steps.map(({ to, asserted }) => (asserted ? `${to} (asserted)` : to))].join(' → ');
}

/** Names the scope where the chain does not end in it: the tenant, a type, a pattern. */
function reached(scope: string, object: string, steps: readonly ExplainStep[]): string {
  const last = steps.at(-1)?.to ?? object;
  return last === scope || object === '' ? '' : `, reached by scope ${scope}`;
}
