/**
 * The records of the sidecars that write to one directory, from their files. What one instance wrote comes in its
 * order, and instances one after the other, as they began: then a place in one file is a place in the whole, and a page
 * can go on there without reading again what came before.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PosternError } from '../../model/errors.ts';
import { type Chunk, findLogFiles, type LogFile, readChunks, readLines } from '../log-files.ts';
import { readFiles } from '../read-files.ts';
import { attempt, type LogSource, noPosition, type PlacedLine, type ScanStart } from './source.ts';

/** Lines in one batch: they are looked at in one turn of the event loop, which answers questions meanwhile. */
const batchLines = 500;
/** Of the first line of a file: the time is near its start. */
const headBytes = 4096;
/** How often a directory is looked for that is not there yet. */
const pollMs = 250;
/** A line is about 400 bytes. */
const bytesBack = 400;
const newline = 0x0a;

/** A file, and what the positions in it begin with. */
interface PlacedFile {
  readonly file: LogFile;
  readonly prefix: string;
  /** Lines up to here are passed over. */
  from: number;
}

/** @param directory As the file sink has it: one directory for each tenant. */
export function createFileSource(directory: string): LogSource {
  return {
    async *scan(tenant, start) {
      const files = await attempt(tenant, () => filesOf(join(directory, tenant)));
      for (const { file, prefix, from } of await attempt(tenant, () => filesFrom(files, start))) {
        const chunks = readChunks(file);
        try {
          for (;;) {
            const { done, value } = await attempt(tenant, () => chunks.next());
            if (done === true) break;
            yield* batchesOf(value, from, (end) => `${prefix}${end}`);
          }
        } finally {
          await chunks.return(undefined);
        }
      }
    },
    async before(tenant, position, count) {
      const files = await attempt(tenant, () => filesOf(join(directory, tenant)));
      const { file } = fileAt(files, parsePosition(position));
      if (isCompressed(file)) return [];
      return attempt(tenant, () => linesBefore(file.path, parsePosition(position).offset, count));
    },
    async *follow(tenant, options) {
      const path = join(directory, tenant);
      const isThere = () => stat(path).catch(missing);
      const wasThere = (await attempt(tenant, isThere)) !== undefined;
      // A tenant of whom nothing was decided yet is no problem.
      while (options.follow && options.signal?.aborted !== true && (await isThere()) === undefined) await delay(pollMs);
      if ((await isThere()) === undefined) return;
      yield* readFiles(path, wasThere ? options : { ...options, from: 'start' });
    },
  };
}

/** The files of a tenant, in the order in which they are read; none where it has no directory yet. */
async function filesOf(directory: string): Promise<readonly PlacedFile[]> {
  const known = new Map<string, LogFile>();
  const isThere = await stat(directory).catch(missing);
  if (isThere === undefined) return [];
  const files = await findLogFiles(directory, known);
  const keys = new Map([...known].map(([key, file]) => [file, key]));
  const series = [...Map.groupBy(files, (file) => file.series)];
  const begun = await Promise.all(
    series.map(async ([name, its]) => ({ name, its, begin: await beginOf(its[0] as LogFile) })),
  );
  begun.sort((a, b) => compare(a.begin, b.begin) || compare(a.name, b.name));
  return begun.flatMap(({ name, its }) =>
    its.map((file) => ({ file, prefix: `${relative(directory, name)}/${keys.get(file)}/`, from: 0 })),
  );
}

/** The files from a start on, the first of them set to it. */
async function filesFrom(files: readonly PlacedFile[], start: ScanStart): Promise<readonly PlacedFile[]> {
  if ('after' in start) {
    const position = parsePosition(start.after);
    const first = fileAt(files, position);
    first.from = position.offset;
    // What is compressed can be read from its beginning only.
    if (!isCompressed(first.file)) {
      await assertLineEnd(first.file.path, position.offset);
      first.file.offset = position.offset;
    }
    return files.slice(files.indexOf(first));
  }
  const times = await Promise.all(files.map(({ file }) => stat(file.path).catch(missing)));
  // What was written last before a time holds nothing from then on: a record is made before it is written.
  return files.filter((_, i) => (times[i]?.mtimeMs ?? 0) >= start.sinceMs);
}

function fileAt(files: readonly PlacedFile[], { prefix }: Position): PlacedFile {
  const found = files.find((file) => file.prefix === prefix);
  if (found === undefined) throw gone();
  return found;
}

interface Position {
  readonly prefix: string;
  readonly offset: number;
}

/** A position comes back from outside, where it may have been made up. */
function parsePosition(position: string): Position {
  const { prefix, offset } = /^(?<prefix>.*\/)(?<offset>[1-9][0-9]{0,14})$/s.exec(position)?.groups ?? {};
  if (prefix === undefined || offset === undefined) throw noPosition();
  return { prefix, offset: Number(offset) };
}

function* batchesOf(
  { bytes, offset, isOverlong }: Chunk,
  from: number,
  positionAt: (end: number) => string,
): Generator<readonly PlacedLine[], void> {
  if (isOverlong) {
    yield [{ text: bytes.toString(), position: positionAt(offset + bytes.length) }];
    return;
  }
  let batch: PlacedLine[] = [];
  let begin = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
    const position = offset + end + 1;
    if (end > begin && position > from) {
      batch.push({ text: bytes.toString('utf8', begin, end), position: positionAt(position) });
    }
    begin = end + 1;
    if (batch.length < batchLines) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Another file under the same number, or one that was cut, does not go on where a line of the old one ended. */
async function assertLineEnd(path: string, offset: number): Promise<void> {
  const [end] = await reading(path, (handle) => readBytes(handle, offset - 1, 1));
  if (end !== newline) throw gone();
}

async function linesBefore(path: string, offset: number, count: number): Promise<readonly string[]> {
  const from = Math.max(0, offset - count * bytesBack);
  const bytes = await reading(path, (handle) => readBytes(handle, from, offset - from));
  const lines = bytes.toString('utf8').split('\n');
  // The first may be part of a line, and behind the last end there is none.
  return lines.slice(from === 0 ? 0 : 1, -1);
}

/** The time of the first line, or nothing. */
async function beginOf(file: LogFile): Promise<string> {
  let head = '';
  if (isCompressed(file)) for await (const { text } of readLines({ ...file })) return timeOf(text);
  else head = String(await reading(file.path, (handle) => readBytes(handle, 0, headBytes)));
  return timeOf(head);
}

function timeOf(text: string): string {
  return /"time":"([^"]*)"/.exec(text)?.[1] ?? '';
}

function isCompressed({ path }: LogFile): boolean {
  return path.endsWith('.gz');
}

async function reading<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r');
  return read(handle).finally(() => handle.close());
}

async function readBytes(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, from);
  return bytes.subarray(0, bytesRead);
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

function gone(): PosternError {
  const message = 'the file of the log that page_token goes on in is gone; ask again from the start';
  return new PosternError('LIST_CHANGED', message, { field: 'page_token' });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
