// A file system of its own for a test, with so little room that it can be filled. Linux, and whoever may mount there.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly directory: string;
  /** Fills it with a file, but for so many bytes. */
  fill(leaving: number): Promise<void>;
  /** Removes that file. */
  clear(): Promise<void>;
  /** Makes it so large. */
  grow(bytes: number): Promise<void>;
  remove(): Promise<void>;
}

/** Whether this process may mount one. */
export const canMountDisks = probe();

function mount(directory: string, bytes: number): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'none', directory]).status === 0;
}

function probe(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const directory = mkdtempSync(join(tmpdir(), 'postern-disk-'));
  const done = mount(directory, 65_536);
  if (done) spawnSync('umount', [directory]);
  rmSync(directory, { recursive: true });
  return done;
}

export async function mountSmallDisk(bytes: number): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-disk-'));
  if (!mount(directory, bytes)) throw new Error('no disk could be mounted: guard this test with canMountDisks');
  const ballast = join(directory, 'ballast');
  return {
    directory,
    async fill(leaving) {
      const { bavail, bsize } = await statfs(directory);
      await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leaving)));
    },
    clear: () => rm(ballast),
    async grow(size) {
      spawnSync('mount', ['-o', `remount,size=${size}`, directory]);
    },
    async remove() {
      spawnSync('umount', ['--lazy', directory]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
