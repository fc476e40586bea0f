/**
 * The key by which ids are hashed: read once, at start. Whoever has it can find
 * out whose id a hash is by trying, so a file that everybody can read is
 * refused. The key is never shown, nor its length.
 */
import { open } from 'node:fs/promises';
import { messageOf, PosternError } from '../../model/errors.ts';

const minBytes = 32;
const maxBytes = 4_096;
/** What an editor or `openssl rand -base64` leaves; a key of arbitrary bytes may end with a newline of its own. */
const textWithNewline = /^[\x20-\x7e]+\r?\n$/;

/** @throws PosternError INVALID_OPTION, naming the option, the file and what to do */
export async function readMaskKey(path: string): Promise<Buffer> {
  const bytes = await readKeyFile(path).catch((error: unknown) => {
    throw refused(path, messageOf(error));
  });
  const text = bytes.toString('latin1');
  const key = textWithNewline.test(text) ? bytes.subarray(0, text.replace(/\r?\n$/, '').length) : bytes;
  if (key.length < minBytes) {
    throw refused(path, `it is too short for a key; ${minBytes} bytes are the least: openssl rand -base64 32`);
  }
  if (key.length > maxBytes) throw refused(path, `it is too long for a key; ${maxBytes} bytes are the most`);
  return key;
}

async function readKeyFile(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { mode } = await file.stat();
    if (process.platform !== 'win32' && (mode & 0o006) !== 0) {
      throw new Error(`everybody may ${(mode & 0o004) === 0 ? 'write' : 'read'} it; chmod it to 0400 or 0440`);
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function refused(path: string, problem: string): PosternError {
  return new PosternError('INVALID_OPTION', `--decision-log-mask-key-file ${path}: ${problem}`);
}
