/** Writes files for commands that have `--output`. A reader of such a file sees the old text or the new one, never a part. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, PosternError } from '../model/errors.ts';

/** Replaces a file in one step. @throws PosternError INVALID_OPTION that names --output */
export async function writeWhole(path: string, text: Iterable<string>): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(text), createWriteStream(draft));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw new PosternError('INVALID_OPTION', `--output ${path} cannot be written: ${messageOf(error)}`, {
      field: '--output',
    });
  }
}
