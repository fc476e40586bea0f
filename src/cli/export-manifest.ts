/**
 * What stands beside an exported log: FILE.manifest.json says where its lines come from, and what comes before and at
 * the end of each chain, so that a part can be verified as strictly as the whole. Written by `postern audit export`,
 * read by `postern audit verify`.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { chainKey, type Expected } from '../decision-log/verify/log-verifier.ts';
import type { ChainReport } from '../decision-log/verify/report.ts';
import { messageOf, PosternError } from '../model/errors.ts';

export interface Manifest {
  readonly version: 1;
  /** The name of the exported file, without its directory. */
  readonly file: string;
  /** Of the lines, not compressed: SHA-256 in hexadecimal, and how many there are. */
  readonly sha256: string;
  readonly bytes: number;
  readonly lines: number;
  readonly exportedAt: string;
  readonly since?: string;
  readonly until?: string;
  readonly instance?: string;
  readonly tenants?: readonly string[];
  readonly problems: number;
  readonly chains: readonly ChainReport[];
}

export function manifestPath(path: string): string {
  return `${path}.manifest.json`;
}

/** What the manifests of exported files say of their chains; other files have none. @throws PosternError INVALID_OPTION */
export async function readManifests(
  paths: readonly string[],
): Promise<{ readonly previous: ReadonlyMap<string, string>; readonly expected: readonly Expected[] }> {
  const chains: ChainReport[] = [];
  for (const path of paths) {
    const beside = manifestPath(path);
    if (existsSync(beside)) chains.push(...(await readManifest(beside)).chains);
  }
  return {
    previous: new Map(
      chains.flatMap(({ tenant, instance, previousHash }) =>
        previousHash === undefined ? [] : [[chainKey(tenant, instance), previousHash]],
      ),
    ),
    expected: chains.map(({ chained, lastHash, instance, lastSeq }) =>
      chained ? { hash: lastHash } : { instance, seq: lastSeq },
    ),
  };
}

async function readManifest(path: string): Promise<Manifest> {
  try {
    const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
    if (manifest.version !== 1 || !Array.isArray(manifest.chains)) throw new Error('it is of another version');
    return manifest;
  } catch (error) {
    throw new PosternError('INVALID_OPTION', `${path} is no manifest of an export: ${messageOf(error)}`, {
      field: '--dir',
    });
  }
}
