/** `postern grant` and `postern share`: give a role to somebody. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Command, Option } from 'commander';
import { addWriteOptions, untilOption, type WriteOptions } from '../admin-options.ts';
import { addExamples } from '../options.ts';

interface ShareOptions extends WriteOptions {
  readonly until?: number;
  readonly if?: string;
  readonly name?: string;
  readonly note?: string;
  readonly thisOnly?: true;
}

interface GrantOptions extends ShareOptions {
  readonly on: string;
  readonly deny?: true;
  readonly locked?: true;
}

export function addGrantCommand(program: Command): void {
  const command = program
    .command('grant')
    .description('Gives a role to a subject, somewhere')
    .argument('<subject>', 'who gets it: user:bob, group:ops, "user:*"')
    .argument('<role>', 'the role')
    .addOption(scopeOption())
    .option('--deny', 'forbid what the role permits, instead')
    .action(runGrant);
  addBindingOptions(command).option('--locked', 'operators only: revoked by operators only');
  addWriteOptions(command);
  addExamples(command, [
    ['postern grant user:bob viewer --on doc:42', 'on an object and what is below it'],
    ["postern grant group:ops editor --on '*'", 'on the whole tenant; that is never the default'],
    ["postern grant user:eve editor --on 'doc:*' --until 8h --why 'ticket 7'", 'on a type, for a while'],
    ['postern grant user:bob editor --on doc:42 --if \'context.network == "office"\'', 'where a condition is true'],
    ["postern grant user:mallory editor --on '*' --deny", 'a denial wins over every grant'],
  ]);
}

export function addShareCommand(program: Command): void {
  const command = program
    .command('share')
    .description('Gives a role on one object to a subject')
    .argument('<object>', 'what is shared: doc:42')
    .argument('<subject>', 'who gets the role: user:bob, group:ops')
    .argument('<role>', 'the role')
    .action(runShare);
  addWriteOptions(addBindingOptions(command));
  addExamples(command, [
    ['postern share doc:42 user:bob viewer', 'the same as grant user:bob viewer --on doc:42'],
    ['postern share folder:plans group:design editor --until 2027-01-01T00:00:00Z', 'until a day'],
    ['postern revoke user:bob viewer --on doc:42', 'takes it back'],
  ]);
}

/** Where a binding is: never left out, because the widest place must not be what a slip of the hand means. */
export function scopeOption(): Option {
  const description =
    'where: "*" the tenant, "doc:*" a type, doc:42 an object and what is below it, "doc:a*" a pattern';
  return new Option('--on <scope>', description).makeOptionMandatory();
}

function addBindingOptions(command: Command): Command {
  return command
    .addOption(untilOption())
    .option('--if <condition>', 'CEL; holds where it is true')
    .option('--name <name>', 'tells apart several of the same subject, role and place')
    .option('--note <text>', 'for people')
    .option('--this-only', 'on that object only, not on what is below it');
}

async function runGrant(subject: string, role: string, options: GrantOptions) {
  await put(subject, role, options.on, options, {});
}

async function runShare(object: string, subject: string, role: string, options: ShareOptions) {
  // As a scope, a name with a star would be a pattern.
  await put(subject, role, object.includes('*') ? JSON.stringify({ object }) : object, options, { scope: 'object' });
}

async function put(
  subject: string,
  role: string,
  scope: string,
  options: ShareOptions & Partial<GrantOptions>,
  words: Readonly<Record<string, string>>,
) {
  const [{ commitChanges }, { nameByOption }, { Effect }] = await Promise.all([
    import('../commit.ts'),
    import('../change-words.ts'),
    import('../../gen/postern/v1/policy_pb.ts'),
  ]);
  const { until, name = '', note = '', thisOnly = false, deny = false, locked = false } = options;
  const value = {
    subject,
    role,
    scope,
    effect: deny ? Effect.DENY : Effect.ALLOW,
    name,
    condition: options.if ?? '',
    noCascade: thisOnly,
    locked,
    note,
    ...(until === undefined ? {} : { expiresAt: timestampFromMs(until) }),
  };
  await commitChanges([{ change: { case: 'put', value: { record: { case: 'binding', value } } } }], options, {
    nameOf: nameByOption(words),
  });
}
