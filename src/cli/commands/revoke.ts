/** `postern revoke`: takes back one binding. */
import type { Command } from 'commander';
import type { Binding } from '../../gen/postern/v1/policy_pb.ts';
import type { ListBindingsResponse } from '../../gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../../model/errors.ts';
import { addWriteOptions, type WriteOptions } from '../admin-options.ts';
import type { Client } from '../client.ts';
import type { ListOptionsInit } from '../listing.ts';
import { addExamples } from '../options.ts';
import { visible } from '../output.ts';
import { scopeOption } from './grant.ts';

interface RevokeOptions extends WriteOptions {
  readonly on: string;
  readonly deny?: true;
  readonly name?: string;
}

export function addRevokeCommand(program: Command): void {
  const command = program
    .command('revoke')
    .description('Takes a role from a subject, somewhere')
    .argument('<subject>', 'who has it')
    .argument('<role>', 'the role')
    .addOption(scopeOption())
    .option('--deny', 'take back a denial; access widens by it')
    .option('--name <name>', 'the one of this name')
    .action(runRevoke);
  addWriteOptions(command);
  addExamples(command, [
    ['postern revoke user:bob viewer --on doc:42', 'exactly this one: what bob has elsewhere stays'],
    ['postern bindings --subject user:bob', 'what there is to take back'],
    ["postern revoke user:mallory editor --on '*' --deny --yes", 'takes back a denial'],
  ]);
}

async function runRevoke(subject: string, role: string, options: RevokeOptions) {
  const [{ withAdmin }, { commitWith }, { Effect }] = await Promise.all([
    import('../admin-client.ts'),
    import('../commit.ts'),
    import('../../gen/postern/v1/policy_pb.ts'),
  ]);
  const { on: scope, deny = false, name = '' } = options;
  const value = { subject, role, scope, effect: deny ? Effect.DENY : Effect.ALLOW, name };
  const change = { case: 'delete' as const, value: { record: { case: 'binding' as const, value } } };
  await withAdmin(options, async (client) => {
    try {
      await commitWith(client, { changes: [{ change }] }, options);
    } catch (error) {
      if (!(error instanceof PosternError) || error.code !== 'NOT_FOUND') throw error;
      const hint = await findMeant(client, subject, role, options);
      const message = visible(hint === '' ? error.message : `${error.message}; ${hint}`);
      throw new PosternError(error.code, message, error.metadata, error, error.problems);
    }
  });
}

/** What there is instead of what was to be taken back; empty where the caller may not read it. */
async function findMeant(client: Client, subject: string, role: string, options: RevokeOptions): Promise<string> {
  const [{ readAll }, { PolicyService }, { Effect }, { describeBindingRecord }] = await Promise.all([
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../../gen/postern/v1/policy_pb.ts'),
    import('../describe-policy.ts'),
  ]);
  const listing = {
    method: PolicyService.method.listBindings,
    request: (list: ListOptionsInit) => ({ options: list, subject }),
    itemsOf: (answer: ListBindingsResponse) => answer.bindings,
  };
  let items: readonly Binding[];
  try {
    items = (await readAll(client, { ...options, atLeast: '' }, listing)).items;
  } catch (error) {
    if (error instanceof PosternError) return '';
    throw error;
  }
  const same = items.filter((item) => item.role === role && item.scope === options.on);
  if (same.length > 0) {
    const ways = same.map(
      (item) => `${describeBindingRecord(item)}: ${howToMean(item, item.effect === Effect.DENY, options)}`,
    );
    return `there is ${ways.join(', and ')}`;
  }
  const near = items.filter((item) => item.role === role || item.scope === options.on);
  if (near.length === 0) return `see "postern bindings --subject ${subject}"`;
  const more = near.length > mostShown ? `, and ${near.length - mostShown} more` : '';
  return `there is ${near.slice(0, mostShown).map(describeBindingRecord).join(', ')}${more}`;
}

const mostShown = 3;

/** Which options would have named a binding: "add --deny". */
function howToMean({ name }: Binding, isDenial: boolean, options: RevokeOptions): string {
  const add = [
    ...(isDenial && !options.deny ? ['--deny'] : []),
    ...(name !== '' && name !== options.name ? [`--name ${JSON.stringify(name)}`] : []),
  ];
  const leave = [
    ...(!isDenial && options.deny ? ['--deny'] : []),
    ...(name === '' && options.name !== undefined ? ['--name'] : []),
  ];
  const parts = [
    ...(add.length === 0 ? [] : [`add ${add.join(' and ')}`]),
    ...(leave.length === 0 ? [] : [`leave ${leave.join(' and ')} out`]),
  ];
  return parts.join(', ');
}
