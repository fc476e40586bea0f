/** `postern commit`: several changes as one change set, from a file. What the file says is read in change-file.ts. */
import type { Command } from 'commander';
import { addWriteOptions, type WriteOptions } from '../admin-options.ts';
import { addExamples } from '../options.ts';

export function addCommitCommand(program: Command): void {
  const command = program
    .command('commit')
    .description('Makes several changes at once, all or none, from a file')
    .argument('<file>', 'a list of changes as YAML or JSON; "-" reads the standard input')
    .action(runCommit);
  addWriteOptions(command).addHelpText('after', `\nThe file:\n${fileExample}`);
  addExamples(command, [
    ['postern commit changes.yaml', 'shows what it would do, asks, does all of it or nothing'],
    ['postern commit changes.yaml --dry-run', 'shows it, and stops'],
    ['make-changes | postern commit - --yes --why "ticket 7"', ''],
  ]);
}

const fileExample = `  - create: { object: doc:42, parents: [folder:plans] }
  - grant: { subject: user:bob, role: viewer, on: doc:42, until: 8h }
  - revoke: { subject: user:eve, role: viewer, on: folder:plans }
  - add: { group: group:ops, member: user:bob }
  - remove: { group: group:ops, member: user:eve }
  - move: { object: doc:7, parents: [folder:archive] }
  - delete: doc:8
  - delete: { role: old }                     # or hook, constraint, type, attribute
  - put: { roles: { lister: { permissions: ["doc:list"] } } }    # a part of a policy file`;

async function runCommit(file: string, options: WriteOptions) {
  const { readChanges } = await import('../change-file.ts');
  // The file first: one that is wrong is told without a sidecar.
  const { changes, ...also } = await readChanges(file);
  const { commitChanges } = await import('../commit.ts');
  await commitChanges(changes, options, also);
}
