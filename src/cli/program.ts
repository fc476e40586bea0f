/**
 * The command line as a whole: which commands there are, and what the help says
 * of all of them. A command's own file says the rest, and is loaded only where it is
 * asked for: a check must not pay for the start of everything else.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { exitMeanings } from './exit.ts';
import { addExamples } from './options.ts';

type AddCommand = (program: Command) => void;

/** What adds each command to the program, by the groups of the help and in its order. */
const sources: Readonly<Record<string, Readonly<Record<string, () => Promise<AddCommand>>>>> = {
  'Run:': {
    serve: async () => (await import('./commands/serve.ts')).addServeCommand,
    health: async () => (await import('./commands/health.ts')).addHealthCommand,
  },
  'Ask:': {
    check: async () => (await import('./commands/check.ts')).addCheckCommand,
    explain: async () => (await import('./commands/explain.ts')).addExplainCommand,
    'list-objects': async () => (await import('./commands/list-objects.ts')).addListObjectsCommand,
    'who-can': async () => (await import('./commands/who-can.ts')).addWhoCanCommand,
    'what-can': async () => (await import('./commands/what-can.ts')).addWhatCanCommand,
  },
  'Write policy:': {
    validate: async () => (await import('./commands/validate.ts')).addValidateCommand,
    test: async () => (await import('./commands/test.ts')).addTestCommand,
    diff: async () => (await import('./commands/diff.ts')).addDiffCommand,
    replay: async () => (await import('./commands/replay.ts')).addReplayCommand,
    apply: async () => (await import('./commands/apply.ts')).addApplyCommand,
    export: async () => (await import('./commands/export.ts')).addExportCommand,
    reconcile: async () => (await import('./commands/reconcile.ts')).addReconcileCommand,
    import: async () => (await import('./commands/import.ts')).addImportCommand,
  },
  'Administer:': {
    grant: async () => (await import('./commands/grant.ts')).addGrantCommand,
    revoke: async () => (await import('./commands/revoke.ts')).addRevokeCommand,
    share: async () => (await import('./commands/grant.ts')).addShareCommand,
    transfer: async () => (await import('./commands/transfer.ts')).addTransferCommand,
    commit: async () => (await import('./commands/commit.ts')).addCommitCommand,
    bindings: async () => (await import('./commands/bindings.ts')).addBindingsCommand,
    roles: async () => (await import('./commands/roles.ts')).addRolesCommand,
    groups: async () => (await import('./commands/groups.ts')).addGroupsCommand,
    objects: async () => (await import('./commands/objects.ts')).addObjectsCommand,
    tenants: async () => (await import('./commands/tenants.ts')).addTenantsCommand,
    mode: async () => (await import('./commands/mode.ts')).addModeCommand,
    history: async () => (await import('./commands/history.ts')).addHistoryCommand,
    whoami: async () => (await import('./commands/whoami.ts')).addWhoamiCommand,
    token: async () => (await import('./commands/token.ts')).addTokenCommand,
  },
  'Look after it:': {
    tail: async () => (await import('./commands/tail.ts')).addTailCommand,
    audit: async () => (await import('./commands/audit.ts')).addAuditCommand,
    completion: async () => (await import('./commands/completion.ts')).addCompletionCommand,
  },
};

/**
 * The program, with nothing parsed yet. Problems of usage are thrown as CommanderError, and not printed.
 * @param asked The command that will be run: where it is known, no other one is loaded.
 * @param without A command to leave out.
 */
export async function createProgram(asked?: string, without?: string): Promise<Command> {
  const program = createEmptyProgram();
  const isKnown = Object.values(sources).some((commands) => Object.hasOwn(commands, asked ?? ''));
  for (const [group, commands] of Object.entries(sources)) {
    for (const [name, load] of Object.entries(commands)) {
      if (isKnown ? name !== asked : name === without) continue;
      const add = await load();
      program.commandsGroup(group);
      add(program);
    }
  }
  return program;
}

function createEmptyProgram(): Command {
  const program = new Command('postern')
    .description('A policy decision point beside your service: who may do what, answered in microseconds.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .option('--debug', 'print stacks of errors, too')
    .exitOverride()
    // run.ts prints errors, this one's like any other's.
    .configureOutput({ outputError: () => {} });
  addExamples(program, [
    ['postern serve --policy policy.yaml', 'run the sidecar'],
    ['postern check user:alice read doc:42', 'ask it'],
    ['postern explain user:alice read doc:42', 'and why'],
    ['postern test', 'run the tests beside the policies'],
    ['postern share doc:42 user:bob viewer', 'let somebody in'],
    ['postern tail --denied', 'see denials as they happen'],
  ]);
  const codes = exitMeanings.map(({ code, meaning }) => `  ${String(code).padEnd(3)}  ${meaning}`);
  return program.addHelpText('after', `\nExit codes:\n${codes.join('\n')}`);
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
