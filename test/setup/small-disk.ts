// A file system of its own for a test, with so little room that it can be filled. Linux, and whoever may mount there.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm, statfs, truncate, writeFile } from 'node:fs/promises';
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

export interface FreezingDisk {
  readonly directory: string;
  /** Nothing that is written there ends any more, until `thaw()` or the end of this process. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  remove(): Promise<void>;
}

const freezer = `fsfreeze -f "$1" && echo frozen; read -r end; fsfreeze -u "$1"`;

/** A disk that can stop to answer; undefined where none can be made here. */
export async function mountFreezingDisk(): Promise<FreezingDisk | undefined> {
  if (!canMountDisks) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'postern-disk-'));
  const image = `${directory}.img`;
  await writeFile(image, '');
  await truncate(image, 64 * 2 ** 20);
  const done = ['mkfs.ext4', 'mount'].every((command) => {
    const args = command === 'mount' ? ['-o', 'loop', image, directory] : ['-q', '-F', image];
    return spawnSync(command, args).status === 0;
  });
  let frozen: { readonly child: ChildProcess; readonly ended: Promise<unknown> } | undefined;
  const thaw = async () => {
    frozen?.child.stdin?.end();
    await frozen?.ended;
    frozen = undefined;
  };
  const remove = async () => {
    await thaw();
    spawnSync('umount', ['--lazy', directory]);
    await rm(directory, { recursive: true, force: true });
    await rm(image);
  };
  if (done) {
    return {
      directory,
      async freeze() {
        const child = spawn('/bin/sh', ['-c', freezer, 'freezer', directory], { stdio: ['pipe', 'pipe', 'ignore'] });
        frozen = { child, ended: once(child, 'close') };
        await once(child.stdout, 'data');
      },
      thaw,
      remove,
    };
  }
  await remove();
  return undefined;
}
