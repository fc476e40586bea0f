/** `postern objects`: lists registered objects, makes and deletes them, and moves them below others. */
import { type Command, Option } from 'commander';
import { PosternError } from '../../model/errors.ts';
import { addListingOptions, addWriteOptions, type ListingOptions, type WriteOptions } from '../admin-options.ts';
import { addExamples, collect } from '../options.ts';
import { addSubcommands } from '../subcommands.ts';

interface ObjectsOptions extends ListingOptions {
  readonly type?: string;
  readonly parent?: string;
  readonly object?: string;
}

interface PlaceOptions extends WriteOptions {
  readonly parent?: readonly string[];
  readonly inherit: boolean;
  readonly top?: true;
}

export function addObjectsCommand(program: Command): void {
  const [whole, subcommands] = addSubcommands(program, 'objects', 'Lists, makes, moves and deletes registered objects');
  const list = subcommands.addList('Lists registered objects, and what they are in').action(runList);
  list
    .option('--type <type>', 'of this type only')
    .option('--parent <object>', 'directly below this one only')
    .option('--object <object>', 'exactly this one');
  addListingOptions(list);

  const create = subcommands.add('create', 'Registers an object, and grants what the hooks of its type say');
  create.argument('<object>', 'what is made: doc:42').action(runCreate);
  addWriteOptions(addPlaceOptions(create));

  const move = subcommands.add('move', 'Puts an object below other parents');
  move.argument('<object>', 'what is moved').action(runMove);
  addPlaceOptions(move).addOption(new Option('--top', 'below nothing').conflicts(['parent']));
  addWriteOptions(move);

  const remove = subcommands.add('delete', 'Deletes an object, with the bindings on it');
  addWriteOptions(remove.argument('<object>', 'what is deleted; what is below it has to go first').action(runDelete));

  const examples = [
    ['postern objects --type doc --parent folder:plans', ''],
    ['postern objects create doc:42 --parent folder:plans', 'its hooks make you its owner, where they say so'],
    ['postern objects move doc:42 --parent folder:archive', 'out of all that it was in'],
    ['postern objects move doc:42 --parent folder:secret --no-inherit', 'bindings on the folder do not reach it'],
    ['postern objects delete doc:42', ''],
  ] as const;
  for (const command of [whole, list, create, move]) addExamples(command, examples);
}

function addPlaceOptions(command: Command): Command {
  return command
    .option('--parent <object>', 'what it is in from then on; repeatable', collect)
    .option('--no-inherit', 'bindings on these parents, and above them, do not reach it');
}

async function runList(options: ObjectsOptions) {
  const [{ withAdmin }, { printListing }, { PolicyService }, { describeObject }] = await Promise.all([
    import('../admin-client.ts'),
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../describe-policy.ts'),
  ]);
  const { type = '', parent = '', object = '' } = options;
  await withAdmin(options, (client) =>
    printListing(client, options, {
      method: PolicyService.method.listRegisteredObjects,
      request: (list) => ({ options: list, type, parent, object }),
      itemsOf: (answer) => answer.objects,
      lineOf: describeObject,
      none: 'no registered object',
    }),
  );
}

async function runCreate(object: string, options: PlaceOptions) {
  const { commitChanges } = await import('../commit.ts');
  await commitChanges([{ change: { case: 'create', value: { object, parents: toParents(options) } } }], options);
}

async function runMove(object: string, options: PlaceOptions) {
  const parents = toParents(options);
  if (parents.length === 0 && !options.top) {
    const message = 'say where to: --parent folder:plans, or --top for below nothing';
    throw new PosternError('INVALID_OPTION', message, { field: '--parent' });
  }
  const { commitChanges, refuseMissing } = await import('../commit.ts');
  await commitChanges(
    [{ change: { case: 'put', value: { record: { case: 'object', value: { object, parents } } } } }],
    options,
    { check: refuseMissing(`registered object ${object}`, `make it with "postern objects create ${object}"`) },
  );
}

async function runDelete(object: string, options: WriteOptions) {
  const { commitChanges } = await import('../commit.ts');
  await commitChanges([{ change: { case: 'remove', value: { object } } }], options);
}

function toParents({ parent = [], inherit }: PlaceOptions) {
  return parent.map((object) => ({ object, noInherit: !inherit }));
}
