/** Reads policy files from disk. Whoever asks gets a policy or what is wrong with the file; only bugs are thrown. */
import { open } from 'node:fs/promises';
import { messageOf } from '../model/errors.ts';
import { maxPolicyFileBytes } from '../model/limits.ts';
import { parsePolicy } from './parse.ts';
import { type PolicyResult, type Rejected, rejectFile } from './problem.ts';

/** Times that a file which changes while it is read is read again. */
const maxAttempts = 5;

export interface FileText {
  readonly ok: true;
  readonly text: string;
}

/** Reads, parses and validates a policy file; problems name it as `path` says. */
export async function loadPolicyFile(path: string): Promise<PolicyResult> {
  const read = await readPolicyText(path);
  return read.ok ? parsePolicy(read.text, path) : read;
}

/** The text of a policy or test file of at most maxPolicyFileBytes of UTF-8, all of it as it was at one moment. */
export async function readPolicyText(path: string): Promise<FileText | Rejected> {
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const bytes = await readOnce(path);
      if (bytes === 'too large') return rejectFile(path, `is larger than ${maxPolicyFileBytes} bytes`);
      if (bytes !== 'changed') return decode(path, bytes);
    }
    return rejectFile(path, 'is being written; it changed whenever it was read');
  } catch (error) {
    return rejectFile(path, `cannot be read: ${explainFileError(error)}`);
  }
}

/** Half of a policy may be a valid policy that grants less: a file that changes meanwhile is not taken. */
async function readOnce(path: string): Promise<Uint8Array | 'too large' | 'changed'> {
  const file = await open(path, 'r');
  try {
    const before = await file.stat({ bigint: true });
    if (before.isDirectory()) throw new Error('it is a directory');
    if (before.size > maxPolicyFileBytes) return 'too large';
    const bytes = await file.readFile();
    const after = await file.stat({ bigint: true });
    const same = before.mtimeNs === after.mtimeNs && before.size === after.size;
    return same || !before.isFile() ? bytes : 'changed';
  } finally {
    await file.close();
  }
}

function decode(path: string, bytes: Uint8Array): FileText | Rejected {
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return rejectFile(path, 'is not UTF-8 text; save it as UTF-8');
  }
}

/** Why a file cannot be had, in plain words. */
export function explainFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'EACCES' ? 'this process may not read it' : messageOf(error);
}
