/**
 * Reads a snapshot file, and believes nothing: who owns it, that nobody else may write it, its version, that it is of
 * this tenant, every checksum. What is wrong with it is an error that names the file; whoever asked goes on without.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { sharedBytes } from '../graph/flat/arrays.ts';
import type { FlatGraph } from '../graph/flat/graph.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { type Header, type Placed, parseHeader, parsePreamble, preambleBytes } from './header.ts';
import { type ArrayType, arrayTypes, type FlatArray, graphFrom } from './layout.ts';
import { bytesOf, pieceBytes, type SavedFacts } from './write.ts';

export interface SavedGraph extends SavedFacts {
  readonly flat: FlatGraph;
}

/**
 * The graph of a tenant, or undefined where there is no such file.
 * @throws PosternError STORE_CORRUPT, naming the file and what is wrong with it; what the file system throws
 */
export async function readSnapshot(path: string, tenant: string): Promise<SavedGraph | undefined> {
  let file: FileHandle;
  try {
    // What is no file, such as a pipe, must not be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('is no file');
    checkOwner(stats);
    const { length, crc } = parsePreamble(await readBytes(file, 0, Math.min(preambleBytes, stats.size)));
    if (preambleBytes + length > stats.size) throw new Error('ends before its header does');
    const header = parseHeader(await readBytes(file, preambleBytes, length), crc, tenant);
    if (header.bytes !== stats.size) throw new Error(`is ${stats.size} bytes long, not ${header.bytes}`);
    const arrays = new Map<string, FlatArray>();
    for (const [name, placed] of Object.entries(header.arrays))
      arrays.set(name, await readArray(file, header.bytes, name, placed));
    const { revision, knownAtMs } = header;
    return { tenant, revision, knownAtMs, flat: graphFrom(header, arrayFrom(header, arrays)) };
  } catch (error) {
    throw new PosternError(
      'STORE_CORRUPT',
      `the snapshot ${path} is not used: it ${messageOf(error)}; it is written anew when the policy has been loaded`,
      { where: path },
    );
  } finally {
    await file.close();
  }
}

function arrayFrom({ arrays: placed }: Header, arrays: ReadonlyMap<string, FlatArray>) {
  return (name: string, type: ArrayType): FlatArray | undefined => {
    if (placed[name] !== undefined && placed[name].type !== type)
      throw new Error(`has an array ${name} of another type`);
    return arrays.get(name);
  };
}

/** A policy that others may write is theirs. */
function checkOwner({ uid, mode }: Stats): void {
  const own = process.getuid?.();
  if (own !== undefined && uid !== own) throw new Error(`belongs to user ${uid}, not to ${own}`);
  if (own !== undefined && (mode & 0o022) !== 0) throw new Error('may be written by others than its owner');
}

async function readArray(
  file: FileHandle,
  fileBytes: number,
  name: string,
  { type, length, offset, crc }: Placed,
): Promise<FlatArray> {
  const byteLength = length * arrayTypes[type].BYTES_PER_ELEMENT;
  // Before memory is taken for what is not there.
  if (offset + byteLength > fileBytes) throw new Error(`ends before its array ${name} does`);
  const array = viewOf(type, sharedBytes(byteLength), length);
  const bytes = bytesOf(array);
  let found = 0;
  for (let at = 0; at < bytes.length; ) {
    const most = Math.min(pieceBytes, bytes.length - at);
    const { bytesRead } = await file.read(bytes, at, most, offset + at);
    if (bytesRead === 0) throw new Error(`ends before its array ${name} does`);
    found = crc32(bytes.subarray(at, at + bytesRead), found);
    at += bytesRead;
  }
  if (found !== crc) throw new Error(`has an array ${name} with a wrong checksum`);
  return array;
}

async function readBytes(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, offset);
  return bytes;
}

function viewOf(type: ArrayType, buffer: ArrayBufferLike, length: number): FlatArray {
  if (type === 'u8') return new Uint8Array(buffer, 0, length);
  return type === 'i32' ? new Int32Array(buffer, 0, length) : new Float64Array(buffer, 0, length);
}
