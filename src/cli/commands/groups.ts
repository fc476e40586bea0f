/** `postern groups`: lists and shows groups, makes and deletes them, and changes who is in them. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Argument, type Command, Option } from 'commander';
import type { Group } from '../../gen/postern/v1/policy_pb.ts';
import { PosternError } from '../../model/errors.ts';
import {
  addListingOptions,
  addWriteOptions,
  type ListingOptions,
  parseGroup,
  untilOption,
  type WriteOptions,
} from '../admin-options.ts';
import type { ChangeInit } from '../commit.ts';
import { addExamples, collect } from '../options.ts';
import { visible } from '../output.ts';
import { addSubcommands } from '../subcommands.ts';

interface ListOptions extends ListingOptions {
  readonly name?: string;
  readonly member?: string;
  readonly transitive?: true;
}

interface AddOptions extends WriteOptions {
  readonly until?: number;
}

interface CreateOptions extends AddOptions {
  readonly description?: string;
  readonly member?: readonly string[];
}

export function addGroupsCommand(program: Command): void {
  const [whole, subcommands] = addSubcommands(program, 'groups', 'Lists, shows and makes groups, and who is in them');
  const list = subcommands.addList('Lists groups').action(runList);
  list
    .option('--name <glob>', 'of such a name: "group:team-*"')
    .addOption(new Option('--member <subject>', 'that this one is in: user:bob, group:sre').conflicts('name'))
    .option('--transitive', 'with --member: also through other groups');
  addListingOptions(list);

  const show = subcommands.add('show', 'Lists who is in a group').addArgument(groupArgument()).action(runShow);
  addListingOptions(show.option('--transitive', 'also through the groups in it, a membership a line'));

  const create = subcommands.add('create', 'Makes a group').addArgument(groupArgument()).action(runCreate);
  create
    .option('--description <text>', 'for people')
    .option('--member <member>', 'who is in it: user:bob, group:sre, "user:*"; repeatable', collect)
    .addOption(untilOption());
  addWriteOptions(create);

  const remove = subcommands.add('delete', 'Deletes a group, with its members and bindings');
  addWriteOptions(remove.addArgument(groupArgument()).action(runDelete));

  const add = subcommands.add('add', 'Adds members to a group').addArgument(groupArgument());
  add.argument('<member...>', 'who is added: user:bob, group:sre').addOption(untilOption()).action(runAdd);
  addWriteOptions(add);

  const drop = subcommands.add('remove', 'Removes members from a group').addArgument(groupArgument());
  addWriteOptions(drop.argument('<member...>', 'who is removed').action(runRemove));

  const examples = [
    ['postern groups --name "group:team-*"', ''],
    ['postern groups --member user:bob --transitive', 'which groups is bob in?'],
    ['postern groups show group:ops', 'who is in it'],
    ['postern groups create group:ops --description "On call" --member user:alice', ''],
    ['postern groups add group:ops user:bob user:carol --until 8h', ''],
    ['postern groups remove group:ops user:bob', ''],
    ['postern groups delete group:ops', 'with its members and bindings'],
  ] as const;
  for (const command of [whole, list, create, add]) addExamples(command, examples);
}

function groupArgument(): Argument {
  return new Argument('<group>', 'group:<id>').argParser(parseGroup);
}

async function runList(options: ListOptions) {
  const [{ withAdmin }, { printListing }, { PolicyService }] = await Promise.all([
    import('../admin-client.ts'),
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
  ]);
  const { name = '', member, transitive } = options;
  if (member !== undefined) {
    await listGroupsOf(member, options);
    return;
  }
  if (transitive) throw new PosternError('INVALID_OPTION', '--transitive needs --member', { field: '--member' });
  await withAdmin(options, (client) =>
    printListing(client, options, {
      method: PolicyService.method.listGroups,
      request: (list) => ({ options: list, name }),
      itemsOf: (answer) => answer.groups,
      lineOf: ({ group, description }) => visible(description === '' ? group : `${group}: ${description}`),
      none: 'no group',
    }),
  );
}

async function listGroupsOf(member: string, options: ListOptions) {
  const [{ withAdmin }, { printListing }, { PolicyService }, { describeMembership }] = await Promise.all([
    import('../admin-client.ts'),
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../describe-policy.ts'),
  ]);
  const { transitive = false } = options;
  await withAdmin(options, (client) =>
    printListing(client, options, {
      method: PolicyService.method.listMembers,
      request: (list) => ({ options: list, member, transitive }),
      itemsOf: (answer) => answer.members,
      lineOf: (edge) => describeMembership(edge, member),
      none: 'in no group',
    }),
  );
}

async function runShow(group: string, options: ListingOptions & { readonly transitive?: true }) {
  const [{ withAdmin }, { printListing, readAll }, { PolicyService }, { describeMember }] = await Promise.all([
    import('../admin-client.ts'),
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../describe-policy.ts'),
  ]);
  const { transitive = false } = options;
  await withAdmin(options, async (client) => {
    await demandGroup(group, (name) =>
      readAll(client, options, {
        method: PolicyService.method.listGroups,
        request: (list) => ({ options: list, name }),
        itemsOf: (answer) => answer.groups,
      }),
    );
    await printListing(client, options, {
      method: PolicyService.method.listMembers,
      request: (list) => ({ options: list, group, transitive }),
      itemsOf: (answer) => answer.members,
      lineOf: (edge) => `${describeMember(edge)}${edge.group === group ? '' : ` in ${visible(edge.group)}`}`,
      none: 'no member',
    });
  });
}

/** @throws PosternError NOT_FOUND, with what was probably meant where the caller may read that */
async function demandGroup(group: string, read: (name: string) => Promise<{ readonly items: readonly Group[] }>) {
  // A name with a star is a glob, and finds more than itself.
  const { items } = await read(group);
  if (items.some((item) => item.group === group)) return;
  const [{ notFound }, all] = await Promise.all([
    import('../listing.ts'),
    read('').catch((error: unknown) => {
      if (error instanceof PosternError && error.code === 'NOT_PERMITTED') return { items: [] };
      throw error;
    }),
  ]);
  throw notFound(
    group,
    group,
    all.items.map((item) => item.group),
  );
}

async function runCreate(group: string, options: CreateOptions) {
  const { description = '', member = [] } = options;
  const creation: ChangeInit = { change: { case: 'create', value: { object: group, description } } };
  await commit([creation, ...member.map((each) => toPut(group, each, options.until))], options);
}

async function runDelete(group: string, options: WriteOptions) {
  await commit([{ change: { case: 'remove', value: { object: group } } }], options);
}

async function runAdd(group: string, members: readonly string[], options: AddOptions) {
  await commit(
    members.map((member) => toPut(group, member, options.until)),
    options,
  );
}

async function runRemove(group: string, members: readonly string[], options: WriteOptions) {
  const toDelete = (member: string): ChangeInit => {
    return { change: { case: 'delete', value: { record: { case: 'member', value: { group, member } } } } };
  };
  await commit(members.map(toDelete), options);
}

function toPut(group: string, member: string, until: number | undefined): ChangeInit {
  const value = { group, member, ...(until === undefined ? {} : { expiresAt: timestampFromMs(until) }) };
  return { change: { case: 'put', value: { record: { case: 'member', value } } } };
}

async function commit(changes: readonly ChangeInit[], options: WriteOptions) {
  const [{ commitChanges }, { nameByOption }] = await Promise.all([
    import('../commit.ts'),
    import('../change-words.ts'),
  ]);
  await commitChanges(changes, options, { nameOf: nameByOption({ object: 'group' }) });
}
