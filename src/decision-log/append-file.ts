/**
 * A file of lines that one process appends to: a write that fails leaves nothing, and what a process that died left
 * within a line is cut, or ended. Used by the spool.
 */
import { fdatasyncSync, ftruncateSync, writeSync } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';

const newline = 0x0a;
const chunkBytes = 64 * 1024;

export class AppendFile {
  readonly #handle: FileHandle;
  /** Bytes of whole lines. */
  size: number;
  /** What was cut at its end when it was opened: the beginning of a line. */
  readonly cutBytes: number;
  /** Whether bytes of a write that failed may be behind its last line. */
  #isTorn = false;

  private constructor(handle: FileHandle, size: number, cutBytes: number) {
    this.#handle = handle;
    this.size = size;
    this.cutBytes = cutBytes;
  }

  /** Opens or makes a file, private to its owner, and cuts what is no whole line at its end. */
  static async open(path: string): Promise<AppendFile> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600);
    try {
      const { size } = await handle.stat();
      const whole = await endOfLastLine(handle, size);
      if (whole < size) await handle.truncate(whole);
      return new AppendFile(handle, whole, size - whole);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** @throws what the file system throws; then nothing of it is in the file, or is cut before the next write */
  async append(bytes: Buffer): Promise<void> {
    if (this.#isTorn) await this.#cut();
    let done = 0;
    try {
      while (done < bytes.length) done += (await this.#handle.write(bytes, done)).bytesWritten;
    } catch (error) {
      this.#isTorn = true;
      await this.#cut().catch(() => {});
      throw error;
    }
    this.size += bytes.length;
  }

  /** The same within this turn. @throws what the file system throws; then nothing of it is in the file, or is cut before the next write */
  appendNow(bytes: Buffer): void {
    const { fd } = this.#handle;
    if (this.#isTorn) ftruncateSync(fd, this.size);
    this.#isTorn = true;
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    this.#isTorn = false;
    this.size += bytes.length;
  }

  /** Waits, within this turn, until the disk has it. */
  syncNow(): void {
    fdatasyncSync(this.#handle.fd);
  }

  /** Bytes from a place, at most so many, and never behind the last whole line. */
  async read(offset: number, mostBytes: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(Math.min(mostBytes, this.size - offset));
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await this.#handle.read(bytes, done, bytes.length - done, offset + done);
      if (bytesRead === 0) throw new Error('the file has become shorter: somebody else wrote to it');
      done += bytesRead;
    }
    return bytes;
  }

  async #cut(): Promise<void> {
    await this.#handle.truncate(this.size);
    this.#isTorn = false;
  }

  /** Waits until the disk has it. */
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
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
