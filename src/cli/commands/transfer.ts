/** `postern transfer`: hands over what somebody has on an object, in one change set, so that it is never without a holder. */
import type { Command } from 'commander';
import type { Binding } from '../../gen/postern/v1/policy_pb.ts';
import { PosternError } from '../../model/errors.ts';
import { addWriteOptions, type WriteOptions } from '../admin-options.ts';
import type { Client } from '../client.ts';
import type { ChangeInit } from '../commit.ts';
import { addExamples } from '../options.ts';
import { note, printJson, visible } from '../output.ts';

interface TransferOptions extends WriteOptions {
  readonly to: string;
  readonly from?: string;
  readonly role: string;
  readonly only?: true;
}

export function addTransferCommand(program: Command): void {
  const command = program
    .command('transfer')
    .description('Hands a role on an object over to another subject')
    .argument('<object>', 'what is handed over: doc:42, group:ops')
    .requiredOption('--to <subject>', 'who gets it')
    .option('--from <subject>', 'who has it; may be left out where only one has')
    .option('--role <role>', 'the role that is handed over', 'owner')
    .option('--only', 'the new holder keeps no other role on that object')
    .action(runTransfer);
  addWriteOptions(command);
  addExamples(command, [
    ['postern transfer doc:42 --to user:bob', 'the role "owner", from its one holder'],
    ['postern transfer doc:42 --from user:alice --to user:bob --role editor', 'where several hold it'],
    ['postern transfer group:ops --to user:bob --role group_owner --yes', 'a group is an object, too'],
  ]);
}

async function runTransfer(object: string, options: TransferOptions) {
  const [{ withAdmin }, { commitWith }, { nameByOption }] = await Promise.all([
    import('../admin-client.ts'),
    import('../commit.ts'),
    import('../change-words.ts'),
  ]);
  await withAdmin(options, async (client) => {
    const { bindings, revision } = await readBindings(client, object, options);
    const held = findHeld(bindings, object, options);
    const changes = toChanges(held, bindings, options);
    if (changes.length === 0) {
      const done = { revision, committed: false, changes: [] };
      if (options.json) printJson(done);
      else note(`${visible(options.to)} alone has ${visible(options.role)} on ${visible(object)} already`);
      return;
    }
    const nameOf = nameByOption({ subject: '--to', scope: 'object', role: '--role' });
    await commitWith(client, { changes, expected: revision, nameOf }, options);
  });
}

/** Grants on the object itself. */
async function readBindings(client: Client, object: string, options: TransferOptions) {
  const [{ readAll }, { PolicyService }, { Effect }] = await Promise.all([
    import('../listing.ts'),
    import('../../gen/postern/v1/policy_service_pb.ts'),
    import('../../gen/postern/v1/policy_pb.ts'),
  ]);
  const { items, revision } = await readAll(client, options, {
    method: PolicyService.method.listBindings,
    request: (list) => ({ options: list, object }),
    itemsOf: (answer) => answer.bindings,
  });
  return { bindings: items.filter(({ effect }) => effect !== Effect.DENY), revision };
}

/**
 * The bindings that are handed over: all of one holder; none where the new holder is the only one already.
 * @throws PosternError NOT_FOUND, INVALID_OPTION
 */
function findHeld(bindings: readonly Binding[], object: string, { from, to, role }: TransferOptions) {
  if (from === to) throw new PosternError('INVALID_OPTION', '--from and --to are the same', { field: '--to' });
  const ofRole = bindings.filter((binding) => binding.role === role);
  const holders = [...new Set(ofRole.map(({ subject }) => subject))].sort();
  const others = holders.filter((subject) => subject !== to);
  if (from === undefined && others.length > 1) {
    const message = `${others.length} subjects have ${role} on ${object}; name one of them with --from: ${others.join(', ')}`;
    throw new PosternError('INVALID_OPTION', visible(message), { field: '--from' });
  }
  if (from === undefined && holders.length > 0 && others.length === 0) return [];
  const held = ofRole.filter(({ subject }) => subject === (from ?? others[0]));
  if (held.length > 0) return held;
  const who = holders.length === 0 ? 'nobody' : `only ${holders.join(', ')}`;
  const hint = `see "postern bindings --object ${object}", or give it with "postern share"`;
  const message = `${who} has ${role} bound on ${object} itself; ${hint}`;
  throw new PosternError('NOT_FOUND', visible(message), { field: from === undefined ? '--role' : '--from' });
}

/** One change set: the object is never without a holder. */
function toChanges(held: readonly Binding[], all: readonly Binding[], { to, only, role }: TransferOptions) {
  const change = (op: 'put' | 'delete', value: Binding): ChangeInit => {
    return { change: { case: op, value: { record: { case: 'binding', value } } } };
  };
  const given = held.map((binding) => ({ ...binding, subject: to }));
  const dropped = only ? all.filter((binding) => binding.subject === to && binding.role !== role) : [];
  return [
    ...held.map((binding) => change('delete', binding)),
    ...given.map((binding) => change('put', binding)),
    ...dropped.map((binding) => change('delete', binding)),
  ];
}
