/**
 * Records as NDJSON on disk, readable at once: <dir>/<tenant>/decisions-<instance>.ndjson,
 * appended to by this process alone. A file that has grown over the size of a
 * rotation is renamed to decisions-<instance>.<number>.ndjson, numbers going
 * up, and never written again. Nothing is ever deleted here.
 */
import { constants, type FileHandle, mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Batch, noneRefused, type Refused, type Sink } from '../sink.ts';

export interface FileSinkOptions {
  readonly directory: string;
  /** Letters, digits, "_", "." and "-": it becomes part of file names. */
  readonly instance: string;
  /** Begin a new file after so many bytes; 0 never does. Default 256 MiB. */
  readonly rotateBytes?: number;
}

const newline = 0x0a;

export function createFileSink(options: FileSinkOptions): Sink {
  const files = new Map<string, Promise<LogFile>>();
  const rotateBytes = options.rotateBytes ?? 256 * 1024 * 1024;
  let closing: Promise<void> | undefined;

  const fileOf = (tenant: string): Promise<LogFile> => {
    let file = files.get(tenant);
    if (file === undefined) {
      file = LogFile.open(join(options.directory, tenant), options.instance, rotateBytes);
      files.set(tenant, file);
      // A directory that could not be made today may be there at the next attempt.
      file.catch(() => files.delete(tenant));
    }
    return file;
  };
  const close = async () => {
    for (const file of await Promise.allSettled(files.values())) {
      if (file.status === 'fulfilled') await file.value.close();
    }
  };

  return {
    description: `NDJSON files in ${options.directory}`,
    async write(batch: Batch): Promise<Refused> {
      const file = await fileOf(batch.tenant);
      try {
        await file.append(batch.parts);
      } catch (error) {
        // The next attempt begins with what is on disk then: a directory made anew, a rotation that is half done.
        files.delete(batch.tenant);
        await file.close().catch(() => {});
        throw error;
      }
      return noneRefused;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** One tenant's current file. */
class LogFile {
  readonly #directory: string;
  readonly #instance: string;
  readonly #rotateBytes: number;
  #handle: FileHandle;
  #size: number;

  private constructor(directory: string, instance: string, rotateBytes: number, handle: FileHandle, size: number) {
    this.#directory = directory;
    this.#instance = instance;
    this.#rotateBytes = rotateBytes;
    this.#handle = handle;
    this.#size = size;
  }

  static async open(directory: string, instance: string, rotateBytes: number): Promise<LogFile> {
    await mkdir(directory, { recursive: true });
    const { handle, size } = await openForAppend(join(directory, `decisions-${instance}.ndjson`));
    return new LogFile(directory, instance, rotateBytes, handle, size);
  }

  async append(parts: readonly string[]): Promise<void> {
    if (this.#rotateBytes > 0 && this.#size >= this.#rotateBytes) await this.#rotate();
    const bytes = Buffer.from(parts.length === 1 ? (parts[0] as string) : parts.join(''));
    let done = 0;
    try {
      while (done < bytes.length) done += (await this.#handle.write(bytes, done)).bytesWritten;
    } catch (error) {
      await this.#takeBack(done).catch(() => {});
      throw error;
    }
    const { size, nlink } = await this.#handle.stat();
    this.#size = size;
    // Writing to a file without a name succeeds, and nobody will ever read it.
    if (nlink === 0) throw new Error(`${this.#path} was removed by somebody else; it is begun anew`);
  }

  /** A disk that filled up half-way leaves half a line, and the whole batch comes again. */
  async #takeBack(bytes: number): Promise<void> {
    const { size } = await this.#handle.stat();
    // Unless somebody else wrote behind it.
    if (size === this.#size + bytes) await this.#handle.truncate(this.#size);
  }

  async #rotate(): Promise<void> {
    const number = await nextNumber(this.#directory, this.#instance);
    const rotated = `decisions-${this.#instance}.${String(number).padStart(6, '0')}.ndjson`;
    await rename(this.#path, join(this.#directory, rotated));
    const { handle, size } = await openForAppend(this.#path);
    await this.#handle.close();
    this.#handle = handle;
    this.#size = size;
  }

  get #path(): string {
    return join(this.#directory, `decisions-${this.#instance}.ndjson`);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function nextNumber(directory: string, instance: string): Promise<number> {
  const prefix = `decisions-${instance}.`;
  const numbers = (await readdir(directory))
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(/^([0-9]{6,})\.ndjson$/.exec(name.slice(prefix.length))?.[1] ?? 0));
  return Math.max(0, ...numbers) + 1;
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
