/** A directory with the last snapshot of each tenant: what a sidecar starts from while its store is away. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FlatGraph } from '../graph/flat/graph.ts';
import { checked, problemOfTenant } from '../model/names.ts';
import { readSnapshot, type SavedGraph } from './read.ts';
import { type SavedFacts, temporarySuffix, writeSnapshot } from './write.ts';

/** A file that is written takes minutes at most; an older one is what a crash has left. */
const abandonedMs = 60 * 60_000;
const suffix = '.snapshot';

export class SnapshotDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes it, private to its owner, and clears away what crashes have left. @throws what the file system throws */
  async open(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.path)) {
      if (!name.endsWith(temporarySuffix)) continue;
      const file = join(this.path, name);
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (Date.now() - mtimeMs > abandonedMs) await rm(file, { force: true });
    }
  }

  /** Those that have a file here, sorted. @throws what the file system throws */
  async tenants(): Promise<readonly string[]> {
    const names = (await readdir(this.path)).filter((name) => name.endsWith(suffix));
    return names
      .map((name) => name.slice(0, -suffix.length))
      .filter((tenant) => problemOfTenant(tenant) === undefined)
      .sort();
  }

  /** As readSnapshot. */
  read(tenant: string): Promise<SavedGraph | undefined> {
    return readSnapshot(this.#fileOf(tenant), tenant);
  }

  /** As writeSnapshot. */
  write(flat: FlatGraph, facts: SavedFacts, signal?: AbortSignal): Promise<void> {
    return writeSnapshot(this.#fileOf(facts.tenant), flat, facts, signal);
  }

  /** The tenant is gone. */
  async remove(tenant: string): Promise<void> {
    await rm(this.#fileOf(tenant), { force: true });
  }

  #fileOf(tenant: string): string {
    return join(this.path, `${checked(tenant, problemOfTenant(tenant), 'INVALID_TENANT', 'tenant')}${suffix}`);
  }
}
