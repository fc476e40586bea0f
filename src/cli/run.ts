/** Runs one command line and ends with the documented exit code. Called by main.ts, once a process. */
import { CommanderError } from 'commander';
import { describeFailure, exitCodes, toFailure } from './exit.ts';
import { createProgram } from './program.ts';

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
  try {
    const asked = argv.slice(2).find((word) => !word.startsWith('-'));
    if (asked === 'complete') await complete(argv);
    else await (await createProgram(asked)).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    else {
      process.stderr.write(`${describeFailure(error, told)}\n`);
      process.exitCode = toFailure(error).exit;
    }
  }
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
