/**
 * Parses a policy without stopping who asks: a large file takes seconds, and the process that follows it is answering
 * questions meanwhile. Called by whoever follows a file. Small files are parsed here, large ones in a worker of their
 * own, which ends with the result.
 */
import { runInWorker } from '../aside/run-in-worker.ts';
import { messageOf } from '../model/errors.ts';
import { parsePolicy } from './parse.ts';
import { type PolicyResult, rejectFile } from './problem.ts';

/** Starting a worker costs about as much as parsing this many characters. */
const maxCharactersHere = 100_000;

/** What parse-worker.ts is given. */
export interface ParseTask {
  readonly text: string;
  readonly fileName: string;
}

/** As parsePolicy; a worker that fails (out of memory) is a problem of the file. */
export async function parsePolicyAside(text: string, fileName: string): Promise<PolicyResult> {
  if (text.length <= maxCharactersHere) return parsePolicy(text, fileName);
  try {
    const task: ParseTask = { text, fileName };
    return await runInWorker(new URL('./parse-worker', import.meta.url), task);
  } catch (error) {
    return rejectFile(fileName, `cannot be parsed: ${messageOf(error)}`);
  }
}
