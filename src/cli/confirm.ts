/**
 * Asks the person at the terminal before something is done that cannot simply be taken back. Called by apply, by
 * the commands that administer, and by whoever deletes a tenant. It must never take silence for a yes.
 */
import { PosternError } from '../model/errors.ts';
import { exitCodes } from './exit.ts';

/** @throws PosternError INVALID_OPTION where there is nobody to ask */
export async function confirm(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `));
}

/** For what takes more than a keystroke: the name has to be typed. @throws PosternError as confirm */
export async function confirmByName(question: string, name: string): Promise<boolean> {
  return (await ask(`${question} `)) === name;
}

/** The answer; empty where the terminal is closed instead. */
async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    const message = 'there is no terminal to ask on; add --yes to commit this plan, or --dry-run to stop after it';
    throw new PosternError('INVALID_OPTION', message, { field: '--yes' });
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // A question that is never answered would end the process with the exit code of a defect.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  terminal.once('SIGINT', () => process.exit(exitCodes.interrupted));
  try {
    return (await Promise.race([terminal.question(question), closed])).trim();
  } finally {
    terminal.close();
  }
}
