/** Reads the file that says who may administer, and the key sets that it names. Nothing is thrown for what they hold. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { JWTVerifyGetKey } from 'jose';
import { messageOf } from '../model/errors.ts';
import { readPolicyText } from '../policy-file/load.ts';
import { type Rejected, rejectFile } from '../policy-file/problem.ts';
import { type AuthFile, parseAuthFile } from './auth-file.ts';
import { parseKeySet } from './key-sets.ts';
import { redactProblems } from './redact.ts';

export interface LoadedAuth {
  readonly ok: true;
  readonly file: AuthFile;
  /** By path. */
  readonly localKeys: ReadonlyMap<string, JWTVerifyGetKey>;
  /** Tells one state of all files from another. */
  readonly fingerprint: string;
}

export interface Reading {
  /** Problems name the file that they are in. */
  readonly result: LoadedAuth | Rejected;
  /** The files with keys that are named; undefined where the file that names them is not valid. */
  readonly keyPaths: ReadonlySet<string> | undefined;
}

/** Reads all of it as it is now. */
export async function loadAuth(path: string): Promise<Reading> {
  const read = await readPolicyText(path);
  const parsed = read.ok ? parseAuthFile(read.text, path) : read;
  if (!read.ok || !parsed.ok) return { result: parsed as Rejected, keyPaths: undefined };
  const keyPaths = keyPathsOf(parsed.file);
  return { result: await loadKeys(read.text, parsed.file, keyPaths), keyPaths };
}

async function loadKeys(source: string, file: AuthFile, keyPaths: ReadonlySet<string>): Promise<LoadedAuth | Rejected> {
  const fingerprint = createHash('sha256').update(JSON.stringify(source));
  const localKeys = new Map<string, JWTVerifyGetKey>();
  for (const keyPath of keyPaths) {
    const text = await readPolicyText(keyPath);
    if (!text.ok) return text;
    fingerprint.update(JSON.stringify(text.text));
    try {
      localKeys.set(keyPath, parseKeySet(text.text));
    } catch (error) {
      return redactProblems(rejectFile(keyPath, `is not a JSON Web Key Set: ${messageOf(error)}`));
    }
  }
  return { ok: true, file, localKeys, fingerprint: fingerprint.digest('hex') };
}

function keyPathsOf({ issuers }: AuthFile): ReadonlySet<string> {
  const sources = [...issuers.values()].map(({ keys }) => keys);
  return new Set(sources.flatMap((keys) => (keys.kind === 'file' ? [keys.path] : [])));
}

/** What others than owner and group may do with a file: permission bits (4 read, 2 write); 0 where it is not there. */
export async function openToOthers(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return (found?.mode ?? 0) & 0o006;
}
