/**
 * Which instance this process is: the name under which it numbers and chains its records, remembered by the directory
 * of its spool, so that a process that is started again goes on where the one before it ended. Two processes must never
 * have one name: whoever has it listens on a socket beside the directory, which ends with the process, however it ends.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { messageOf, PosternError } from '../../model/errors.ts';

export interface Claim {
  readonly instance: string;
  readonly directory: string;
  /** Lets another process have it; idempotent. */
  release(): Promise<void>;
}

/** Longest path of a socket that every platform takes. */
const maxSocketPath = 103;
/** In the directory of an instance: where its records go. No tenant is called so. */
const sinkFile = '.sink';
const pattern = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * @param spools A directory with a directory for each instance.
 * @param sink Tells where records go from another place: the name of one that wrote elsewhere is not taken.
 * @param named What the operator calls this process; undefined takes the name of one that ran here and runs no more, or `fresh`.
 * @throws PosternError INVALID_OPTION where the directory cannot be used, or the name is in use
 */
export async function claimInstance(
  spools: string,
  sink: string,
  named: string | undefined,
  fresh: string,
): Promise<Claim> {
  try {
    await mkdir(spools, { recursive: true, mode: 0o700 });
    if (named !== undefined) {
      const claim = await tryClaim(spools, named);
      if (claim !== undefined) return await noting(claim, sink);
      throw new Error(`another process is running as instance ${named} here; give each its own --instance`);
    }
    for (const entry of (await readdir(spools, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!entry.isDirectory() || !pattern.test(entry.name)) continue;
      if ((await readFile(join(spools, entry.name, sinkFile), 'utf8').catch(() => '')) !== sink) continue;
      const claim = await tryClaim(spools, entry.name);
      if (claim !== undefined) return claim;
    }
    return await noting((await tryClaim(spools, fresh)) as Claim, sink);
  } catch (error) {
    const hint = 'name a directory that this process can write to, or choose another --decision-log-mode';
    const message = `--decision-log-spool-dir ${spools} cannot be used: ${messageOf(error)}; ${hint}`;
    throw new PosternError('INVALID_OPTION', message, { field: '--decision-log-spool-dir' }, error);
  }
}

async function noting(claim: Claim, sink: string): Promise<Claim> {
  await writeFile(join(claim.directory, sinkFile), sink, { mode: 0o600 });
  return claim;
}

/** Undefined where another process has it. */
async function tryClaim(spools: string, instance: string): Promise<Claim | undefined> {
  const path = join(spools, `${createHash('sha256').update(instance).digest('hex').slice(0, 8)}.lock`);
  if (Buffer.byteLength(path) > maxSocketPath) {
    throw new Error(`its path is too long for a socket in it (${maxSocketPath} bytes): shorten it`);
  }
  const server = (await listen(path)) ?? ((await isStale(path)) ? await listen(path) : undefined);
  if (server === undefined) return undefined;
  const directory = join(spools, instance);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let released: Promise<void> | undefined;
  return {
    instance,
    directory,
    release() {
      released ??= new Promise((resolve) => server.close(() => resolve()));
      return released;
    },
  };
}

/** Undefined where the path is taken. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server.unref()));
  });
}

/**
 * Whether nobody listens on a socket; then it is taken away. By a rename first: of two processes that saw the same stale
 * one, the second would otherwise take away the socket on which the first listens by now.
 */
async function isStale(path: string): Promise<boolean> {
  if (await answers(path)) return false;
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  if (await answers(aside)) {
    await rename(aside, path);
    return false;
  }
  await rm(aside, { force: true });
  return true;
}

/** Only a refusal says that nobody listens: one that is too busy, or belongs to another user, lives. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
