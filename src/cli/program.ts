/**
 * The command line as a whole: which commands there are, and what the help says
 * of all of them. A command's own file says the rest, and is loaded only where it is
 * asked for: a check must not pay for the start of everything else.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { exitMeanings } from './exit.ts';
import { addExamples } from './options.ts';

interface CommandSource {
  readonly name: string;
  readonly group: string;
  /** Gives what adds the command to the program. */
  readonly load: () => Promise<(program: Command) => void>;
}

/** In the order of the help. */
const sources: readonly CommandSource[] = [
  { name: 'serve', group: 'Run:', load: async () => (await import('./commands/serve.ts')).addServeCommand },
  { name: 'health', group: 'Run:', load: async () => (await import('./commands/health.ts')).addHealthCommand },
  { name: 'check', group: 'Ask:', load: async () => (await import('./commands/check.ts')).addCheckCommand },
  { name: 'explain', group: 'Ask:', load: async () => (await import('./commands/explain.ts')).addExplainCommand },
  {
    name: 'list-objects',
    group: 'Ask:',
    load: async () => (await import('./commands/list-objects.ts')).addListObjectsCommand,
  },
  { name: 'who-can', group: 'Ask:', load: async () => (await import('./commands/who-can.ts')).addWhoCanCommand },
  { name: 'what-can', group: 'Ask:', load: async () => (await import('./commands/what-can.ts')).addWhatCanCommand },
  {
    name: 'validate',
    group: 'Write policy:',
    load: async () => (await import('./commands/validate.ts')).addValidateCommand,
  },
  { name: 'test', group: 'Write policy:', load: async () => (await import('./commands/test.ts')).addTestCommand },
  { name: 'diff', group: 'Write policy:', load: async () => (await import('./commands/diff.ts')).addDiffCommand },
  { name: 'apply', group: 'Write policy:', load: async () => (await import('./commands/apply.ts')).addApplyCommand },
  { name: 'export', group: 'Write policy:', load: async () => (await import('./commands/export.ts')).addExportCommand },
  { name: 'import', group: 'Write policy:', load: async () => (await import('./commands/import.ts')).addImportCommand },
  { name: 'tail', group: 'Look after it:', load: async () => (await import('./commands/tail.ts')).addTailCommand },
  {
    name: 'completion',
    group: 'Look after it:',
    load: async () => (await import('./commands/completion.ts')).addCompletionCommand,
  },
];

/**
 * The program, with nothing parsed yet. Problems of usage are thrown as CommanderError, and not printed.
 * @param asked The command that will be run: where it is known, no other one is loaded.
 * @param without A command to leave out.
 */
export async function createProgram(asked?: string, without?: string): Promise<Command> {
  const program = createEmptyProgram();
  const one = sources.filter(({ name }) => name === asked);
  for (const { group, load } of one.length > 0 ? one : sources.filter(({ name }) => name !== without)) {
    const add = await load();
    program.commandsGroup(group);
    add(program);
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
    ['postern tail --denied', 'see denials as they happen'],
  ]);
  const codes = exitMeanings.map(({ code, meaning }) => `  ${String(code).padEnd(3)}  ${meaning}`);
  return program.addHelpText('after', `\nExit codes:\n${codes.join('\n')}`);
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
