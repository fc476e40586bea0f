/** `postern revoke`: takes back one binding. */
import type { Command } from 'commander';
import { addWriteOptions, type WriteOptions } from '../admin-options.ts';
import { addExamples } from '../options.ts';
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
  const [{ commitChanges }, { Effect }] = await Promise.all([
    import('../commit.ts'),
    import('../../gen/postern/v1/policy_pb.ts'),
  ]);
  const { on: scope, deny = false, name = '' } = options;
  const value = { subject, role, scope, effect: deny ? Effect.DENY : Effect.ALLOW, name };
  await commitChanges([{ change: { case: 'delete', value: { record: { case: 'binding', value } } } }], options);
}
