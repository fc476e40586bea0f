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
      await file.append(batch.parts);
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
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#handle.write(bytes, done, bytes.length - done, this.#size + done)).bytesWritten;
      }
    } catch (error) {
      // A disk that filled up half-way leaves half a line: take it back, the whole batch comes again.
      await this.#handle.truncate(this.#size).catch(() => {});
      throw error;
    }
    this.#size += bytes.length;
  }

  async #rotate(): Promise<void> {
    const current = join(this.#directory, `decisions-${this.#instance}.ndjson`);
    const number = await nextNumber(this.#directory, this.#instance);
    const rotated = `decisions-${this.#instance}.${String(number).padStart(6, '0')}.ndjson`;
    await rename(current, join(this.#directory, rotated));
    const { handle, size } = await openForAppend(current);
    await this.#handle.close();
    this.#handle = handle;
    this.#size = size;
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
  // Not "append": positions are given, so that a torn write can be taken back.
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o640);
  const { size } = await handle.stat();
  const last = Buffer.alloc(1);
  if (size > 0) await handle.read(last, 0, 1, size - 1);
  if (size === 0 || last[0] === newline) return { handle, size };
  // The process before this one died within a line: end it, so that it is one bad line and not two.
  await handle.write(Buffer.from('\n'), 0, 1, size);
  return { handle, size: size + 1 };
}
