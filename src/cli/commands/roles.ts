/** `postern roles`: lists, shows, makes, changes and deletes roles. What an update makes of a role is in role-edit.ts. */
import { toJson } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import type { Role } from '../../gen/postern/v1/policy_pb.ts';
import { addListingOptions, addWriteOptions, type ListingOptions, type WriteOptions } from '../admin-options.ts';
import type { Client } from '../client.ts';
import { addExamples, collect } from '../options.ts';
import { print, printJson } from '../output.ts';
import type { RoleEdit } from '../role-edit.ts';
import { addSubcommands } from '../subcommands.ts';

interface RolesOptions extends ListingOptions {
  readonly contains?: readonly string[];
  readonly type?: string;
  readonly name?: string;
  readonly system?: boolean;
}

interface CreateOptions extends WriteOptions, Pick<RoleEdit, 'permission' | 'include' | 'except'> {
  readonly description?: string;
  readonly grantAction?: string;
  readonly system?: true;
}

type UpdateOptions = WriteOptions & RoleEdit;

export function addRolesCommand(program: Command): void {
  const [whole, subcommands] = addSubcommands(program, 'roles', 'Lists, shows, makes, changes and deletes roles');
  const list = subcommands.addList('Lists roles: what each one grants').action(runList);
  list
    .option('--contains <permission>', 'that grant this, also by a role that they include; repeatable: any', collect)
    .option('--type <type>', 'all of whose permissions are for objects of this type')
    .option('--name <glob>', 'of such a name: "file.*"')
    .option('--system', 'that ship with the software')
    .option('--no-system', 'that do not');
  addListingOptions(list);

  addListingOptions(subcommands.add('show', 'Shows a role').argument('<role>', 'its name').action(runShow));

  const create = subcommands.add('create', 'Makes a role').argument('<role>', 'its name').action(runCreate);
  addRoleOptions(create).option('--system', 'operators only: it ships with the software');
  addWriteOptions(create);

  const update = subcommands.add('update', 'Changes a role').argument('<role>', 'its name').action(runUpdate);
  addRoleOptions(update);
  for (const [name, what] of parts) {
    update
      .option(`--add-${name} <${what}>`, `one more ${name}; repeatable`, collect)
      .option(`--remove-${name} <${what}>`, `one ${name} less; repeatable`, collect);
  }
  addWriteOptions(update);

  const remove = subcommands.add('delete', 'Deletes a role').argument('<role>', 'its name').action(runDelete);
  addWriteOptions(remove);

  const examples = [
    ['postern roles --contains doc:write --no-system', 'whose roles may write?'],
    ['postern roles show editor', 'one of them'],
    ['postern roles create editor --permission doc:write --include viewer', ''],
    ['postern roles update editor --add-permission doc:comment --why "ticket 7"', ''],
    ['postern roles delete editor', 'what is bound to it has to go first'],
  ] as const;
  for (const command of [whole, list, create, update]) addExamples(command, examples);
}

const parts = [
  ['permission', 'permission'],
  ['include', 'role'],
  ['except', 'permission'],
] as const;

/** What a role is made of; in an update, what it is made of from then on. */
function addRoleOptions(command: Command): Command {
  return command
    .option(
      '--permission <permission>',
      `what it grants: doc:read, "doc:*", '{"objects":"doc:a*","actions":["read"]}'; repeatable`,
      collect,
    )
    .option('--include <role>', 'a role whose permissions it has too; repeatable', collect)
    .option('--except <permission>', 'taken from its own permissions; repeatable', collect)
    .option('--description <text>', 'for people')
    .option('--grant-action <action>', 'what a granter must be allowed, instead of "grant"');
}

async function runList(options: RolesOptions) {
  const [{ withAdmin }, { printListing }, { PolicyService }, { describeRole }] = await Promise.all([
    import('../admin-client.ts'),
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../describe-policy.ts'),
  ]);
  const { contains = [], type = '', name = '', system } = options;
  await withAdmin(options, (client) =>
    printListing(client, options, {
      method: PolicyService.method.listRoles,
      request: (list) => ({
        options: list,
        name,
        containsPermissions: [...contains],
        objectType: type,
        ...(system === undefined ? {} : { system }),
      }),
      itemsOf: (answer) => answer.roles,
      lineOf: describeRole,
      none: 'no role',
    }),
  );
}

async function runShow(name: string, options: ListingOptions) {
  const { withAdmin } = await import('../admin-client.ts');
  const { role } = await withAdmin(options, (client) => readRole(client, name, options));
  if (options.json) {
    const { RoleSchema } = await import('../../gen/postern/v1/policy_pb.ts');
    printJson(toJson(RoleSchema, role, { alwaysEmitImplicit: true }));
    return;
  }
  const { showRole } = await import('../describe-policy.ts');
  print(showRole(role));
}

async function runCreate(name: string, options: CreateOptions) {
  const [{ commitChanges, refuseExisting }, { parsePermissionOption }] = await Promise.all([
    import('../commit.ts'),
    import('../role-edit.ts'),
  ]);
  const { permission = [], include = [], except = [], description = '', grantAction = '', system = false } = options;
  const permissions = permission.map(parsePermissionOption);
  const value = { name, description, permissions, includes: [...include], except: [...except], grantAction, system };
  await commitChanges([{ change: { case: 'put', value: { record: { case: 'role', value } } } }], options, {
    check: refuseExisting(`role ${name}`, `change it with "postern roles update ${name}"`),
  });
}

async function runUpdate(name: string, options: UpdateOptions) {
  const [{ withAdmin }, { commitWith }, { editRole }] = await Promise.all([
    import('../admin-client.ts'),
    import('../commit.ts'),
    import('../role-edit.ts'),
  ]);
  await withAdmin(options, async (client) => {
    const { role, revision } = await readRole(client, name, options);
    const value = editRole(role, options);
    const changes = [{ change: { case: 'put' as const, value: { record: { case: 'role' as const, value } } } }];
    await commitWith(client, { changes, expected: revision }, options);
  });
}

async function runDelete(name: string, options: WriteOptions) {
  const { commitChanges } = await import('../commit.ts');
  const value = { record: { case: 'role' as const, value: { name } } };
  await commitChanges([{ change: { case: 'delete', value } }], options);
}

/** @throws PosternError NOT_FOUND, with what was probably meant */
async function readRole(client: Client, name: string, options: ListingOptions) {
  const [{ readAll, notFound }, { PolicyService }] = await Promise.all([
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
  ]);
  const read = (glob: string) =>
    readAll(client, options, {
      method: PolicyService.method.listRoles,
      request: (list) => ({ options: list, name: glob }),
      itemsOf: (answer) => answer.roles,
    });
  // The filter is a glob: a name with a star finds more than itself.
  const { items, revision } = await read(name);
  const role: Role | undefined = items.find((item) => item.name === name);
  if (role !== undefined) return { role, revision };
  const all = await read('');
  throw notFound(
    `role ${name}`,
    name,
    all.items.map((item) => item.name),
  );
}
