/**
 * The records of the sidecars that write to one directory, from their files. What one instance wrote comes in its
 * order, and instances one after the other, as they began: then a place in one file is a place in the whole, and a page
 * can go on there without reading again what came before.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PosternError } from '../../model/errors.ts';
import { type Chunk, findLogFiles, isCompressed, type LogFile, readChunks, readLines } from '../log-files.ts';
import { clockSkewMs, readFiles } from '../read-files.ts';
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

/** How often files are looked for again that were rotated while others were read. */
const maxLooks = 5;

/** A file, and what the positions in it begin with. */
interface PlacedFile {
  readonly file: LogFile;
  readonly prefix: string;
  /** When its series began, as far as it is there. */
  readonly begin: string;
  /** Lines up to here are passed over. */
  from: number;
}

/** @param directory As the file sink has it: one directory for each tenant. */
export function createFileSource(directory: string): LogSource {
  return {
    async *scan(tenant, start) {
      const known = new Map<string, LogFile>();
      const find = () => attempt(tenant, () => filesOf(join(directory, tenant), known));
      const found = await find();
      let files = await attempt(tenant, () => filesFrom(found, start));
      for (let i = 0, looks = 1; i < files.length; i++) {
        const at = files[i] as PlacedFile;
        yield* batchesIn(tenant, at);
        if (!at.file.isMissed) continue;
        // It was rotated: it has another name now, and another file its own.
        files = filesBehind(await find(), at.begin, at.file);
        if (files[0]?.file !== at.file || ++looks > maxLooks) throw changed(tenant);
        i = -1;
      }
    },
    async before(tenant, position, count) {
      const files = await attempt(tenant, () => filesOf(join(directory, tenant), new Map()));
      const { file } = fileAt(files, parsePosition(position));
      if (isCompressed(file.path)) return [];
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

async function* batchesIn(tenant: string, placed: PlacedFile): AsyncGenerator<readonly PlacedLine[], void> {
  const chunks = readChunks(placed.file);
  try {
    for (;;) {
      const { done, value } = await attempt(tenant, () => chunks.next());
      if (done === true) break;
      yield* batchesOf(value, placed);
    }
  } finally {
    await chunks.return(undefined);
  }
}

/** The files of a tenant, in the order in which they are read; none where it has no directory yet. */
async function filesOf(directory: string, known: Map<string, LogFile>): Promise<readonly PlacedFile[]> {
  const isThere = await stat(directory).catch(missing);
  if (isThere === undefined) return [];
  const files = await findLogFiles(directory, known);
  const keys = new Map([...known].map(([key, file]) => [file, key]));
  const series = [...Map.groupBy(files, (file) => file.series)];
  const begun = await Promise.all(
    series.map(async ([name, its]) => ({ name, its, begin: await beginOf(its[0] as LogFile) })),
  );
  begun.sort((a, b) => compare(a.begin, b.begin) || compare(a.name, b.name));
  return begun.flatMap(({ name, its, begin }) =>
    its.map((file) => ({ file, prefix: `${relative(directory, name)}/${keys.get(file)}/`, begin, from: 0 })),
  );
}

/**
 * The files from one on. A series begins later when its first file is removed, so it counts where it stood: none that
 * was behind it is passed over for that.
 */
function filesBehind(files: readonly PlacedFile[], begin: string, first: LogFile): readonly PlacedFile[] {
  const { series } = first;
  const own = files.slice(files.findIndex(({ file }) => file === first)).filter(({ file }) => file.series === series);
  const isBehind = ({ file, begin: its }: PlacedFile) => (compare(its, begin) || compare(file.series, series)) > 0;
  return [...own, ...files.filter((one) => one.file.series !== series && isBehind(one))];
}

/** The files from a start on, the first of them set to it. */
async function filesFrom(files: readonly PlacedFile[], start: ScanStart): Promise<readonly PlacedFile[]> {
  if ('after' in start) {
    const position = parsePosition(start.after);
    const first = fileAt(files, position);
    first.from = position.offset;
    // What is compressed can be read from its beginning only.
    if (!isCompressed(first.file.path)) {
      if (!position.isWithin) await assertLineEnd(first.file.path, position.offset);
      first.file.offset = position.offset;
      first.file.overlong = position.isWithin;
    }
    return filesBehind(files, position.begin, first.file);
  }
  // What was written last before a time holds nothing from then on: a record is made before it is written.
  return files.filter(({ file }) => file.modifiedMs >= start.sinceMs - clockSkewMs);
}

function fileAt(files: readonly PlacedFile[], { prefix }: Position): PlacedFile {
  const found = files.find((file) => file.prefix === prefix);
  if (found === undefined) throw gone();
  return found;
}

interface Position {
  readonly prefix: string;
  readonly offset: number;
  /** Whether that is within a line that is too long for a record, of which no end was read. */
  readonly isWithin: boolean;
  /** When the series began that the file belongs to. */
  readonly begin: string;
}

const positionPattern = /^(?<prefix>.*\/)(?<offset>[1-9][0-9]{0,14})(?<mark>[~@])(?<begin>[^/~@]*)$/s;

/** A position comes back from outside, where it may have been made up. */
function parsePosition(position: string): Position {
  const { prefix, offset, mark, begin } = positionPattern.exec(position)?.groups ?? {};
  if (prefix === undefined || begin === undefined) throw noPosition();
  return { prefix, offset: Number(offset), isWithin: mark === '~', begin };
}

function* batchesOf(
  { bytes, offset, isOverlong }: Chunk,
  { prefix, begin: begun, from }: PlacedFile,
): Generator<readonly PlacedLine[], void> {
  if (isOverlong) {
    const within = offset + bytes.length;
    if (within > from) yield [{ text: bytes.toString(), position: `${prefix}${within}~${begun}` }];
    return;
  }
  let batch: PlacedLine[] = [];
  let begin = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, begin)) {
    const position = offset + end + 1;
    if (end > begin && position > from) {
      batch.push({ text: bytes.toString('utf8', begin, end), position: `${prefix}${position}@${begun}` });
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
  if (isCompressed(file.path)) for await (const { text } of readLines({ ...file })) return timeOf(text);
  else head = String(await reading(file.path, (handle) => readBytes(handle, 0, headBytes)));
  return timeOf(head);
}

function timeOf(text: string): string {
  return /"time":"([0-9TZ:.-]*)"/.exec(text)?.[1] ?? '';
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

function changed(tenant: string): PosternError {
  const message = `cannot read the decisions of tenant ${tenant}: files were removed while they were read; ask again`;
  return new PosternError('STORE_UNAVAILABLE', message);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
