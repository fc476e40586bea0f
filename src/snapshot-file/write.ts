/**
 * Writes a flat graph to a file: under another name first, synced, and then renamed, so that there is a whole file or
 * the one before. Private to its owner: it holds who may do what. Checksums are made in pieces, between which other
 * things have their turn.
 */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { FlatGraph } from '../graph/flat/graph.ts';
import type { Revision } from '../model/change.ts';
import { encodeHeader, type Header, type Placed } from './header.ts';
import { arraysOf, type FlatArray, typeOfArray } from './layout.ts';

/** Bytes of which a checksum is made in one go: some 3 milliseconds. */
export const pieceBytes = 4 * 1024 * 1024;
export const temporarySuffix = '.tmp';
/** Of an offset, as JSON. */
const mostDigits = 16;

export interface SavedFacts {
  readonly tenant: string;
  readonly revision: Revision;
  /** When the graph was last known to be the store's newest, in milliseconds since 1970. */
  readonly knownAtMs: number;
}

/** @throws what the file system throws, and what the signal was aborted with; nothing has changed then */
export async function writeSnapshot(
  path: string,
  flat: FlatGraph,
  facts: SavedFacts,
  signal?: AbortSignal,
): Promise<void> {
  const arrays = [...arraysOf(flat)];
  const crcs: number[] = [];
  for (const [, array] of arrays) {
    signal?.throwIfAborted();
    crcs.push(await checksumOf(array));
  }
  const { counts, seed, types, roles, plain } = flat;
  const { tenant, revision, knownAtMs } = facts;
  const headerWith = (first: number): Header => {
    let offset = first;
    const placed: Record<string, Placed> = {};
    arrays.forEach(([name, array], i) => {
      placed[name] = { type: typeOfArray(array), length: array.length, offset, crc: crcs[i] as number };
      offset = aligned(offset + array.byteLength);
    });
    return { tenant, revision, knownAtMs, counts, seed, types, roles, plain, arrays: placed, bytes: offset };
  };
  // Where the arrays begin is in the header, whose length hangs on it by some digits: room is left for those.
  const first = aligned(encodeHeader(headerWith(0)).length + arrays.length * mostDigits);
  const header = headerWith(first);
  const temporary = `${path}.${randomBytes(6).toString('hex')}${temporarySuffix}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await writeWhole(file, encodeHeader(header), 0);
      for (const [name, array] of arrays) {
        signal?.throwIfAborted();
        await writeWhole(file, bytesOf(array), (header.arrays[name] as Placed).offset);
      }
      await file.truncate(header.bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function writeWhole(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(pieceBytes, bytes.length - at), offset + at);
    at += bytesWritten;
  }
}

async function checksumOf(array: FlatArray): Promise<number> {
  const bytes = bytesOf(array);
  let crc = 0;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    crc = crc32(bytes.subarray(at, at + pieceBytes), crc);
    await nextTurn();
  }
  return crc;
}

export function bytesOf(array: FlatArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}

/** So that the new name outlives a crash of the machine. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
