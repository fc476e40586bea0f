/**
 * The end of a file of the decision log, and its lines from there backwards, so that whoever wants the newest does not
 * read all that came before. Used by read-files.ts. What is behind the last whole line is left for later.
 */
import { open } from 'node:fs/promises';
import { isCompressed, type LogFile, readLines } from './log-files.ts';

const chunkBytes = 64 * 1024;
/** A line longer than this is no record. */
const maxLineBytes = 1024 * 1024;
const newline = 0x0a;

/** Sets a file to behind its last whole line: reading goes on with what is appended. */
export async function skipToEnd(file: LogFile): Promise<void> {
  file.isMissed = false;
  // Nothing is appended to one that is compressed.
  if (isCompressed(file.path)) file.offset = file.bytes;
  else
    for await (const { bytes, offset } of chunksBackward(file.path, file.bytes)) {
      const end = bytes.lastIndexOf(newline);
      if (end < 0) continue;
      file.offset = offset + end + 1;
      return;
    }
}

/** The whole lines up to where a file is set, the last one first. */
export async function* linesBackward(file: LogFile): AsyncGenerator<string, void> {
  if (isCompressed(file.path)) {
    const lines: string[] = [];
    for await (const { text } of readLines({ ...file, offset: 0 })) lines.push(text);
    yield* lines.reverse();
    return;
  }
  let rest = Buffer.alloc(0);
  for await (const chunk of chunksBackward(file.path, file.offset)) {
    let bytes = Buffer.concat([chunk.bytes, rest]);
    // The newline at the very end ends the last line; each one before it begins another.
    for (let begin = lastBefore(bytes, bytes.length - 1); begin >= 0; begin = lastBefore(bytes, bytes.length - 1)) {
      if (bytes.length - begin > 2) yield bytes.toString('utf8', begin + 1, bytes.length - 1);
      bytes = bytes.subarray(0, begin + 1);
    }
    rest = bytes.length > maxLineBytes ? Buffer.alloc(0) : bytes;
  }
  if (rest.length > 1) yield rest.toString('utf8', 0, rest.length - 1);
}

function lastBefore(bytes: Buffer, end: number): number {
  return end <= 0 ? -1 : bytes.lastIndexOf(newline, end - 1);
}

async function* chunksBackward(path: string, end: number): AsyncGenerator<{ bytes: Buffer; offset: number }, void> {
  const handle = await open(path, 'r');
  try {
    for (let at = end; at > 0; ) {
      const length = Math.min(chunkBytes, at);
      at -= length;
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await handle.read(bytes, 0, length, at);
      yield { bytes: bytes.subarray(0, bytesRead), offset: at };
    }
  } finally {
    await handle.close();
  }
}
