/** Runs one command line and ends with the documented exit code. Called by main.ts, once a process. */
import { CommanderError } from 'commander';
import { describeFailure, exitCodes, toFailure } from './exit.ts';
import { createProgram } from './program.ts';
import { checkCommandName, toUsageError } from './usage.ts';

/** @param argv As process.argv. */
export async function run(argv: readonly string[]): Promise<void> {
  const told = { json: argv.includes('--json'), debug: argv.includes('--debug') };
  process.stdout.on('error', endQuietlyOnBrokenPipe);
  process.stderr.on('error', endQuietlyOnBrokenPipe);
  // Node's own exit code for these is 1, which here means "denied".
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${describeFailure(error, { ...told, debug: true })}\n`);
    process.exit(exitCodes.internal);
  });
  const [asked, about] = argv.slice(2).filter((word) => !word.startsWith('-'));
  try {
    if (asked === 'complete') await complete(argv);
    else await runProgram(argv, asked, about);
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? toUsageError(thrown, asked) : thrown;
    if (error !== undefined) process.stderr.write(`${describeFailure(error, told)}\n`);
    const isFine = thrown instanceof CommanderError && thrown.exitCode === 0;
    process.exitCode = isFine ? exitCodes.ok : error === undefined ? exitCodes.usage : toFailure(error).exit;
  }
}

async function runProgram(argv: readonly string[], asked: string | undefined, about: string | undefined) {
  const program = await createProgram(asked);
  const name = asked === 'help' ? about : asked;
  if (name !== undefined) checkCommandName(name, [...program.commands.map((command) => command.name()), 'help']);
  await program.parseAsync(argv);
}

/** `postern complete -- WORDS`, which completion scripts call, and nobody else. */
async function complete(argv: readonly string[]): Promise<void> {
  const { suggestWords } = await import('./commands/completion.ts');
  // The library adds `completion` by itself.
  await suggestWords(await createProgram(undefined, 'completion'), argv.slice(argv.indexOf('--') + 1));
}

/** `postern tail | head` ends when head has seen enough. */
function endQuietlyOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.ok);
}
