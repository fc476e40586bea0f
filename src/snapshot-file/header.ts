/**
 * What stands at the beginning of a snapshot file: magic, version, the order of bytes, and a header of JSON that says
 * what the file holds and where, each with its checksum. Whoever may write a file may write anything into it, so all
 * of it is checked when it is read.
 */
import { crc32 } from 'node:zlib';
import type { PlainRecord } from '../graph/flat/graph.ts';
import type { Counts } from '../graph/snapshot.ts';
import type { Revision } from '../model/change.ts';
import { parseRecord } from '../model/parse-record.ts';
import { type ArrayType, arrayTypes, type FlatFacts, formatVersion } from './layout.ts';

/** Where an array lies. */
export interface Placed {
  readonly type: ArrayType;
  /** In elements. */
  readonly length: number;
  /** From the beginning of the file, in bytes; a multiple of 8. */
  readonly offset: number;
  readonly crc: number;
}

export interface Header extends FlatFacts {
  readonly tenant: string;
  readonly revision: Revision;
  /** When this was last known to be the store's newest, in milliseconds since 1970. */
  readonly knownAtMs: number;
  readonly arrays: Readonly<Record<string, Placed>>;
  /** Of the whole file. */
  readonly bytes: number;
}

const magic = Buffer.from('postern-snapshot');
/** Bytes before the header: magic, version, order of bytes, length and checksum of the header. */
export const preambleBytes = magic.length + 16;
const byteOrder = 0x01020304;
/** A header holds a tenant's roles, but no names of objects. */
const maxHeaderBytes = 256 * 1024 * 1024;

/** The preamble and the header, for the beginning of a file. */
export function encodeHeader(header: Header): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const preamble = Buffer.alloc(preambleBytes);
  magic.copy(preamble);
  preamble.writeUInt32LE(formatVersion, magic.length);
  // In the order of this machine, as the arrays are.
  new Uint32Array(preamble.buffer, preamble.byteOffset + magic.length + 4, 1)[0] = byteOrder;
  preamble.writeUInt32LE(json.length, magic.length + 8);
  preamble.writeUInt32LE(crc32(json), magic.length + 12);
  return Buffer.concat([preamble, json]);
}

/** How long the header is that follows. @throws Error that says what is wrong with the preamble */
export function parsePreamble(bytes: Buffer): { readonly length: number; readonly crc: number } {
  if (bytes.length < preambleBytes || !bytes.subarray(0, magic.length).equals(magic)) throw new Error('is no snapshot');
  const version = bytes.readUInt32LE(magic.length);
  if (version !== formatVersion) throw new Error(`has version ${version}, not ${formatVersion}`);
  const order = Uint8Array.from(bytes.subarray(magic.length + 4, magic.length + 8));
  if (new Uint32Array(order.buffer)[0] !== byteOrder)
    throw new Error('was written on a machine with another order of bytes');
  const length = bytes.readUInt32LE(magic.length + 8);
  if (length > maxHeaderBytes) throw new Error(`has a header of ${length} bytes`);
  return { length, crc: bytes.readUInt32LE(magic.length + 12) };
}

/** @throws Error that says what is wrong; PosternError STORE_CORRUPT for a record */
export function parseHeader(bytes: Buffer, crc: number, tenant: string): Header {
  if (crc32(bytes) !== crc) throw new Error('has a header with a wrong checksum');
  const header = JSON.parse(bytes.toString()) as Header;
  if (header.tenant !== tenant) throw new Error(`is of tenant ${JSON.stringify(header.tenant)}`);
  const { epoch, number, nonce } = header.revision;
  const isRevision = typeof epoch === 'string' && Number.isSafeInteger(number) && number > 0;
  if (!isRevision || !(nonce === undefined || typeof nonce === 'string')) throw new Error('has no revision');
  if (!Number.isSafeInteger(header.knownAtMs)) throw new Error('does not say how old it is');
  if (!isCounts(header.counts) || !Number.isSafeInteger(header.seed)) throw new Error('does not say what it holds');
  for (const names of [header.types, header.roles]) {
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string'))
      throw new Error('has names that are no text');
  }
  for (const [name, { type, length, offset, crc: ofArray }] of Object.entries(header.arrays)) {
    const isPlaced = [length, offset, ofArray].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (!Object.hasOwn(arrayTypes, type) || !isPlaced || offset % 8 !== 0)
      throw new Error(`does not say where ${name} is`);
  }
  const plain = header.plain.map((record, i) => parseRecord(record, `record ${i}`) as PlainRecord);
  return { ...header, plain };
}

function isCounts({ members, objects, bindings }: Counts): boolean {
  return [members, objects, bindings].every((count) => Number.isSafeInteger(count) && count >= 0);
}
