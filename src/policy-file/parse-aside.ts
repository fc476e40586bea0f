/**
 * Parses a policy without stopping who asks: a large file takes seconds, and the process that follows it is answering
 * questions meanwhile. Called by whoever follows a file. Small files are parsed here, large ones in a worker of their
 * own, which ends with the result.
 */
import { Worker } from 'node:worker_threads';
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
    return await parseInWorker({ text, fileName });
  } catch (error) {
    return rejectFile(fileName, `cannot be parsed: ${messageOf(error)}`);
  }
}

function parseInWorker(task: ParseTask): Promise<PolicyResult> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const script = new URL(`./parse-worker.${extension}`, import.meta.url);
  // Options of this process may be none for a worker (--input-type), which would end it at once.
  const worker = new Worker(script, { workerData: task, execArgv: [] });
  return new Promise<PolicyResult>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker ended with code ${code} and no result`)));
  });
}
