/** `postern bindings`: who has which role where. */
import type { Command } from 'commander';
import { addListingOptions, type ListingOptions } from '../admin-options.ts';
import { addExamples } from '../options.ts';

interface BindingsOptions extends ListingOptions {
  readonly subject?: string;
  readonly throughGroups?: true;
  readonly role?: string;
  readonly object?: string;
  readonly inherited?: true;
  readonly scope?: string;
}

export function addBindingsCommand(program: Command): void {
  const command = program
    .command('bindings')
    .description('Lists who has which role where')
    .option('--subject <subject>', 'of this subject only')
    .option('--through-groups', 'with --subject: also of its groups, and of the wildcards that stand for it')
    .option('--role <role>', 'of this role only')
    .option('--object <object>', 'on this object only')
    .option('--inherited', 'with --object: also above it, on its type, on patterns and on the tenant')
    .option('--scope <scope>', 'exactly there only: "*", "doc:*", doc:42')
    .action(runBindings);
  addListingOptions(command);
  addExamples(command, [
    ['postern bindings --object doc:42', 'what is given right there'],
    ['postern bindings --object doc:42 --inherited', 'and what reaches it'],
    ['postern bindings --subject user:bob --through-groups', 'all that bob has'],
    ["postern bindings --role owner --scope '*' --json", 'who owns the tenant'],
  ]);
}

async function runBindings(options: BindingsOptions) {
  const [{ withAdmin }, { printListing }, { PolicyService }, { describeBindingRecord }] = await Promise.all([
    import('../admin-client.ts'),
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../describe-policy.ts'),
  ]);
  const { subject = '', throughGroups = false, role = '', object = '', inherited = false, scope = '' } = options;
  await withAdmin(options, (client) =>
    printListing(client, options, {
      method: PolicyService.method.listBindings,
      request: (list) => ({ options: list, subject, throughGroups, role, object, inherited, scope }),
      itemsOf: (answer) => answer.bindings,
      lineOf: describeBindingRecord,
      none: 'no binding',
    }),
  );
}
