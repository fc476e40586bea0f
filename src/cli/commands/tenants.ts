/** `postern tenants`: lists tenants, makes them from templates, prints them as policy files, and deletes them. */
import { toJson } from '@bufbuild/protobuf';
import { type Command, InvalidArgumentError } from 'commander';
import { type AdminOptions, addAdminOptions, addConfirmOptions, addCredentialOptions } from '../admin-options.ts';
import { addExamples } from '../options.ts';
import { coloursOf, count, note, print, printAll, printJson, visible } from '../output.ts';
import { addSubcommands } from '../subcommands.ts';
import type { CreateOptions, DeleteOptions } from '../tenants.ts';

interface ExportOptions extends AdminOptions {
  readonly output?: string;
}

export function addTenantsCommand(program: Command): void {
  const [whole, subcommands] = addSubcommands(program, 'tenants', 'Lists, shows, makes, exports and deletes tenants');
  const list = subcommands.addList('Lists the tenants that you may read').action(runList);
  addCredentialOptions(list).option('--on-behalf-of <subject>', 'act for this subject');

  const show = subcommands.add('show', 'Shows the settings of a tenant: mode, types, attributes, hooks, constraints');
  show.argument('[tenant]', 'its name; may be left out where there is one').action(runShow);
  addAdminOptions(show);

  const create = subcommands.add(
    'create',
    'Makes a tenant from a template: a policy file with parameters in its texts',
  );
  create
    .argument('<tenant>', 'its name')
    .requiredOption('--template <file>', 'the template; "-" reads the standard input')
    .option('--set <name=value>', 'what a parameter of the template stands for; repeatable', parseSetting)
    .action(async (tenant: string, options: CreateOptions) => {
      const { createTenant } = await import('../tenants.ts');
      await createTenant(tenant, options);
    });
  addConfirmOptions(addCredentialOptions(create));

  const print = subcommands.add('export', 'Prints a tenant as a policy file').argument('<tenant>', 'its name');
  print.option('-o, --output <file>', 'write to this file instead of the standard output').action(runExport);
  addCredentialOptions(print).option('--on-behalf-of <subject>', 'act for this subject');

  const remove = subcommands.add('delete', 'Deletes a tenant; its decision log stays').argument('<tenant>', 'its name');
  remove.option('--expected <token>', 'fail unless the tenant is at this revision');
  addConfirmOptions(addCredentialOptions(remove)).action(async (tenant: string, options: DeleteOptions) => {
    const { deleteTenant } = await import('../tenants.ts');
    await deleteTenant(tenant, options);
  });

  const examples = [
    ['postern tenants', 'those that you may read'],
    ['postern tenants show acme', 'its mode, types, attributes, hooks and constraints'],
    ['postern tenants create acme --template tenant.yaml --set owner=user:alice', 'shows it, asks, makes it'],
    ['postern tenants export acme -o acme.yaml', 'what apply and serve take'],
    ['postern tenants delete acme', 'asks for its name'],
  ] as const;
  for (const command of [whole, list, create]) addExamples(command, examples);
}

function parseSetting(written: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const equals = written.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write it as name=value.');
  const name = written.slice(0, equals);
  if (before.has(name)) throw new InvalidArgumentError(`It sets ${name} a second time.`);
  if (name === 'tenant') throw new InvalidArgumentError('It is the name of the tenant, which is set already.');
  return new Map([...before, [name, written.slice(equals + 1)]]);
}

async function runList(options: AdminOptions) {
  const [{ withAdmin }, { PolicyService, ListTenantsResponseSchema }] = await Promise.all([
    import('../admin-client.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
  ]);
  const { onBehalfOf = '' } = options;
  const answer = await withAdmin(options, (client) => client.unary(PolicyService.method.listTenants, { onBehalfOf }));
  if (options.json) printJson(toJson(ListTenantsResponseSchema, answer, { alwaysEmitImplicit: true }));
  else for (const tenant of answer.tenants) print(visible(tenant));
  if (answer.tenants.length === 0) note(coloursOf(process.stderr).dim('no tenant that you may read'));
}

async function runShow(tenant: string | undefined, options: AdminOptions) {
  const { showTenant } = await import('../tenant-facts.ts');
  await showTenant(tenant === undefined ? options : { ...options, tenant });
}

async function runExport(tenant: string, options: ExportOptions) {
  const [{ readTenant }, { printPolicy }] = await Promise.all([
    import('../tenants.ts'),
    import('../../policy-file/print.ts'),
  ]);
  const { records, revision } = await readTenant(tenant, options);
  if (options.json) {
    printJson({ tenant, revision, policy: [...printPolicy(records)].join('') });
    return;
  }
  if (options.output === undefined || options.output === '-') await printAll(printPolicy(records));
  else {
    const { writeWhole } = await import('../write-file.ts');
    await writeWhole(options.output, printPolicy(records));
  }
  const { dim } = coloursOf(process.stderr);
  note(dim(`tenant ${tenant} is at revision ${revision}, with ${count(records.length, 'record')}`));
}
