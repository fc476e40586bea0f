/**
 * The file that a tenant's records are appended to, its rotation, and what is on disk for good: a file that is complete
 * or closed was handed to the disk before. It is open only while others do not need its place. One writer, one append at a time: the file sink,
 * which throws it away after any failure and opens it anew.
 */
import { constants, type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Openable, OpenFiles } from '../open-files.ts';
import { rotatedFiles, rotatedName } from './rotated-files.ts';

const newline = 0x0a;

/** One tenant's current file. */
export class CurrentFile implements Openable {
  readonly #directory: string;
  readonly #instance: string;
  readonly #rotateBytes: number;
  readonly #files: OpenFiles;
  #handle: FileHandle | undefined;
  #size = 0;
  /** Whether the disk may not have all of it. */
  #isUnsynced = false;

  private constructor(directory: string, instance: string, rotateBytes: number, files: OpenFiles) {
    this.#directory = directory;
    this.#instance = instance;
    this.#rotateBytes = rotateBytes;
    this.#files = files;
  }

  /** @param files Shared with those of other tenants. */
  static async open(directory: string, instance: string, rotateBytes: number, files: OpenFiles): Promise<CurrentFile> {
    const file = new CurrentFile(directory, instance, rotateBytes, files);
    await files.use(file, async () => {});
    return file;
  }

  /** Rotates first where the file has its size. @returns whether it did */
  append(bytes: Buffer): Promise<boolean> {
    return this.#files.use(this, () => this.#append(bytes));
  }

  async close(): Promise<void> {
    try {
      // Also what was written before others had its place.
      if (this.#isUnsynced) await this.#files.use(this, () => this.#open.sync());
    } finally {
      await this.#files.close(this);
    }
  }

  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const { handle, size } = await openForAppend(this.#path);
    this.#handle = handle;
    this.#size = size;
  }

  async letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }

  async #append(bytes: Buffer): Promise<boolean> {
    const full = this.#rotateBytes > 0 && this.#size >= this.#rotateBytes;
    if (full) await this.#rotate();
    let done = 0;
    this.#isUnsynced = true;
    try {
      while (done < bytes.length) done += (await this.#open.write(bytes, done)).bytesWritten;
    } catch (error) {
      await this.#takeBack(done).catch(() => {});
      throw error;
    }
    const { size, nlink } = await this.#open.stat();
    this.#size = size;
    // Writing to a file without a name succeeds, and nobody will ever read it.
    if (nlink === 0) throw new Error(`${this.#path} was removed by somebody else; it is begun anew`);
    return full;
  }

  /** A disk that filled up half-way leaves half a line, and the whole batch comes again. */
  async #takeBack(bytes: number): Promise<void> {
    const { size } = await this.#open.stat();
    // Unless somebody else wrote behind it.
    if (size === this.#size + bytes) await this.#open.truncate(this.#size);
  }

  async #rotate(): Promise<void> {
    // Before it is renamed: whoever finds a complete file finds all of it, also after a power failure.
    await this.#open.sync();
    const rotated = await reserveName(this.#directory, this.#instance);
    await rename(this.#path, rotated).catch(async (error) => {
      await unlink(rotated);
      throw error;
    });
    const { handle, size } = await openForAppend(this.#path);
    await this.#open.close();
    this.#handle = handle;
    this.#size = size;
    await syncDirectory(this.#directory);
  }

  /** While it is used. */
  get #open(): FileHandle {
    return this.#handle as FileHandle;
  }

  get #path(): string {
    return join(this.#directory, `decisions-${this.#instance}.ndjson`);
  }
}

/**
 * The path of the next complete file, as an empty file to be replaced: another process of the same name cannot take it,
 * so that no rotation writes over what another one has kept.
 */
async function reserveName(directory: string, instance: string): Promise<string> {
  let number = (await rotatedFiles(directory, instance)).at(-1)?.number ?? 0;
  for (;;) {
    const path = join(directory, rotatedName(instance, ++number));
    try {
      await (await open(path, 'wx', 0o640)).close();
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Names are kept by their directory, not by the files. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems keep names by themselves, and know no such call.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

async function openForAppend(path: string): Promise<{ handle: FileHandle; size: number }> {
  // Append: another process of the same name, or one that truncates the file, must not make us write over records.
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640);
  const { size } = await handle.stat();
  const last = Buffer.alloc(1);
  if (size > 0) await handle.read(last, 0, 1, size - 1);
  if (size === 0 || last[0] === newline) return { handle, size };
  // The process before this one died within a line: end it, so that it is one bad line and not two.
  await handle.write(Buffer.from('\n'));
  return { handle, size: size + 1 };
}
