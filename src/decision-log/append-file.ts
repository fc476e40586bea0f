/**
 * A file of lines that one process appends to: a write that fails leaves nothing, and what a process that died left
 * within a line is cut, or ended. It is open only while others do not need its place. Used by the spool.
 */
import { closeSync, constants, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Openable, OpenFiles } from './open-files.ts';

const newline = 0x0a;
const chunkBytes = 64 * 1024;

const openFlags = constants.O_RDWR | constants.O_APPEND;

export class AppendFile implements Openable {
  readonly #path: string;
  readonly #files: OpenFiles;
  #handle: FileHandle | undefined;
  #isThere = false;
  /** Bytes of whole lines. */
  size = 0;
  /** What was cut at its end when it was opened: the beginning of a line. */
  cutBytes = 0;
  /** Whether bytes of a write that failed may be behind its last line. */
  #isTorn = false;

  private constructor(path: string, files: OpenFiles) {
    this.#path = path;
    this.#files = files;
  }

  /** Opens or makes a file, private to its owner, and cuts what is no whole line at its end. */
  static async open(path: string, files: OpenFiles): Promise<AppendFile> {
    const file = new AppendFile(path, files);
    try {
      await file.#use((handle) => file.#measure(handle));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws what the file system throws; then nothing of it is in the file, or is cut before the next write */
  append(bytes: Buffer): Promise<void> {
    return this.#use(async (handle) => {
      if (this.#isTorn) await this.#cut(handle);
      let done = 0;
      try {
        while (done < bytes.length) done += (await handle.write(bytes, done)).bytesWritten;
      } catch (error) {
        this.#isTorn = true;
        await this.#cut(handle).catch(() => {});
        throw error;
      }
      this.size += bytes.length;
    });
  }

  /** The same within this turn. @throws what the file system throws; then nothing of it is in the file, or is cut before the next write */
  appendNow(bytes: Buffer): void {
    this.#useNow((fd) => {
      if (this.#isTorn) ftruncateSync(fd, this.size);
      this.#isTorn = true;
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      this.#isTorn = false;
      this.size += bytes.length;
    });
  }

  /** Waits, within this turn, until the disk has it. */
  syncNow(): void {
    this.#useNow(fdatasyncSync);
  }

  /** Bytes from a place, at most so many, and never behind the last whole line. */
  read(offset: number, mostBytes: number): Promise<Buffer> {
    return this.#use(async (handle) => {
      const bytes = Buffer.allocUnsafe(Math.min(mostBytes, this.size - offset));
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
        if (bytesRead === 0) throw new Error('the file has become shorter: somebody else wrote to it');
        done += bytesRead;
      }
      return bytes;
    });
  }

  /** Waits until the disk has it, also what was written before it was let go and opened again. */
  sync(): Promise<void> {
    return this.#use((handle) => handle.datasync());
  }

  close(): Promise<void> {
    return this.#files.close(this);
  }

  async open(): Promise<void> {
    // Only once: what was removed must not seem to be empty.
    this.#handle = await open(this.#path, this.#isThere ? openFlags : openFlags | constants.O_CREAT, 0o600);
    this.#isThere = true;
  }

  async letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // What was written was written: whoever has to know that the disk has it calls sync().
    await handle?.close().catch(() => {});
  }

  async #measure(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    this.size = await endOfLastLine(handle, size);
    this.cutBytes = size - this.size;
    if (this.cutBytes > 0) await handle.truncate(this.size);
  }

  async #cut(handle: FileHandle): Promise<void> {
    await handle.truncate(this.size);
    this.#isTorn = false;
  }

  #use<T>(work: (handle: FileHandle) => Promise<T>): Promise<T> {
    return this.#files.use(this, () => work(this.#handle as FileHandle));
  }

  /** Where others have its place, it is opened within this turn, and closed again. */
  #useNow(work: (fd: number) => void): void {
    if (this.#handle !== undefined) {
      work(this.#handle.fd);
      return;
    }
    const fd = openSync(this.#path, openFlags);
    try {
      work(fd);
    } finally {
      closeQuietly(fd);
    }
  }
}

/** An error here would say that nothing was written. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // As in letGo().
  }
}

/** Where the last whole line ends. */
async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.alloc(chunkBytes);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, end - start, start);
    const at = chunk.subarray(0, bytesRead).lastIndexOf(newline);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
