/**
 * Records as NDJSON on disk, readable at once: <dir>/<tenant>/decisions-<instance>.ndjson,
 * appended to by this process alone. A file that has grown over the size of a
 * rotation is renamed to decisions-<instance>.<number>.ndjson, numbers going
 * up, and never written again. Complete files are deleted where retention says
 * so, which is never by default.
 */
import { join } from 'node:path';
import { messageOf } from '../../model/errors.ts';
import { OpenFiles } from '../open-files.ts';
import { type Batch, noneRefused, type Refused, type Sink } from '../sink.ts';
import { CurrentFile } from './current-file.ts';
import { removeOld } from './rotated-files.ts';

export interface FileSinkOptions {
  readonly directory: string;
  /** Letters, digits, "_", "." and "-": it becomes part of file names. */
  readonly instance: string;
  /** Begin a new file after so many bytes; 0 never does. Default 256 MiB. */
  readonly rotateBytes?: number;
  /** How many complete files of a tenant are kept; 0, the default, keeps all. */
  readonly maxFiles?: number;
  /** How long ago the last record of a complete file may be; 0, the default, is for ever. */
  readonly maxAgeMs?: number;
  /** Which of the tenants' files are open; a bound of its own by default. */
  readonly openFiles?: OpenFiles;
  /** Told where a file that may go cannot be deleted. */
  readonly onProblem?: (message: string) => void;
}

export function createFileSink(options: FileSinkOptions): Sink {
  const { directory, instance, rotateBytes = 256 * 1024 * 1024, maxFiles = 0, maxAgeMs = 0 } = options;
  const { openFiles = new OpenFiles() } = options;
  const files = new Map<string, Promise<CurrentFile>>();
  let closing: Promise<void> | undefined;

  const prune = async (tenant: string) => {
    try {
      await removeOld(join(directory, tenant), instance, { maxFiles, maxAgeMs }, Date.now());
    } catch (error) {
      // Records can be written all the same.
      options.onProblem?.(`an old file of the decision log is not deleted: ${messageOf(error)}`);
    }
  };
  const open = async (tenant: string) => {
    const file = await CurrentFile.open(join(directory, tenant), instance, rotateBytes, openFiles);
    await prune(tenant);
    return file;
  };
  const fileOf = (tenant: string): Promise<CurrentFile> => {
    let file = files.get(tenant);
    if (file === undefined) {
      file = open(tenant);
      files.set(tenant, file);
      // A directory that could not be made today may be there at the next attempt.
      file.catch(() => files.delete(tenant));
    }
    return file;
  };
  const close = async () => {
    const open = (await Promise.allSettled(files.values())).filter((file) => file.status === 'fulfilled');
    const results = await Promise.allSettled(open.map((file) => file.value.close()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };

  return {
    description: `NDJSON files in ${directory}`,
    async write(batch: Batch): Promise<Refused> {
      const { tenant } = batch;
      const file = await fileOf(tenant);
      try {
        if (await file.append(batch.bytes ?? Buffer.from(batch.parts.join('')))) await prune(tenant);
      } catch (error) {
        // The next attempt begins with what is on disk then: a directory made anew, a rotation that is half done.
        files.delete(tenant);
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
