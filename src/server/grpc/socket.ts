/** The file of a Unix socket: clearing what a killed process left, and who may connect. */
import { access, chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { PosternError } from '../../model/errors.ts';

/** Longest path that the kernel takes for a socket, in bytes. */
const maxSocketPathBytes = 107;

/**
 * Makes the path free for a new socket. Removes only a socket that nobody answers on.
 * @throws PosternError INVALID_OPTION where the path is in use, or not a socket.
 */
export async function clearSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    throw badSocket(path, `is longer than ${maxSocketPathBytes} bytes, which no socket path may be; shorten it`);
  }
  // The kernel calls a missing directory "permission denied" when the socket is bound.
  await access(dirname(path)).catch(() => {
    throw badSocket(path, 'is in a directory that does not exist or may not be entered; make it');
  });
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw badSocket(path, `cannot be looked at (${error.message}); make it readable`);
  });
  if (found === undefined) return;
  if (!found.isSocket()) throw badSocket(path, 'is a file that is not a socket; it is left alone: move it');
  if (await isAnswered(path)) throw badSocket(path, 'is in use by another process; stop that one');
  await unlink(path);
}

/** @param mode Permission bits, such as 0o660. */
export async function restrictSocket(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Refused: nobody listens. Anything else, such as a permission, may mean that somebody does.
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}

function badSocket(path: string, problem: string): PosternError {
  return new PosternError('INVALID_OPTION', `socket ${path} ${problem}, or choose another path`, { option: 'socket' });
}
