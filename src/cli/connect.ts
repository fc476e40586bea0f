/**
 * Opens the client of a sidecar from the options that name it: its address, the files of TLS, and the token of those
 * who administer. Every command that asks a sidecar comes through here. It must never print a token, nor take one
 * from the command line: lists of processes show that.
 */
import { readFile, stat } from 'node:fs/promises';
import { PosternError } from '../model/errors.ts';
import { type Client, createClient } from './client.ts';
import { note } from './output.ts';
import { tokenVariable } from './variables.ts';

/** As addSidecarOptions gives it. */
export interface ConnectOptions {
  /** "host:port" or "unix:/path". */
  readonly address: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** @throws PosternError INVALID_OPTION */
export async function connect(options: ConnectOptions, token?: string): Promise<Client> {
  const { address, timeout, tlsCa, tlsCert, tlsKey } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const [given, missing] = tlsCert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key'];
    throw new PosternError('INVALID_OPTION', `${given} needs ${missing}`, { field: missing as string });
  }
  const read = async (option: string, path: string | undefined) =>
    path === undefined ? undefined : readOptionFile(option, path);
  const [ca, cert, key] = await Promise.all([
    read('--tls-ca', tlsCa),
    read('--tls-cert', tlsCert),
    read('--tls-key', tlsKey),
  ]);
  const isTls = ca !== undefined || cert !== undefined;
  return createClient({
    address,
    timeoutMs: timeout,
    ...(isTls ? { tls: { ca, cert, key } } : {}),
    ...(token === undefined ? {} : { token }),
  });
}

/**
 * The token of --token-file, or of POSTERN_TOKEN; undefined where there is neither.
 * @throws PosternError INVALID_OPTION
 */
export async function readToken(tokenFile: string | undefined, env: NodeJS.ProcessEnv = process.env) {
  const source = tokenFile === undefined ? tokenVariable : `--token-file ${tokenFile}`;
  const text = tokenFile === undefined ? env[tokenVariable] : String(await readOptionFile('--token-file', tokenFile));
  if (text === undefined || (tokenFile === undefined && text === '')) return undefined;
  const token = text.trim();
  // What a header cannot hold; the token itself must not be quoted.
  const problem = token === '' ? 'is empty' : /^[\x21-\x7e]+$/.test(token) ? undefined : 'holds more than one word';
  if (problem === undefined) {
    if (tokenFile !== undefined) await noteIfReadable(tokenFile);
    return token;
  }
  const message = `${source} ${problem}; it must hold one token and nothing else`;
  throw new PosternError('INVALID_OPTION', message, {
    field: tokenFile === undefined ? tokenVariable : '--token-file',
  });
}

/** Whoever can read the file can be its owner. */
async function noteIfReadable(path: string): Promise<void> {
  const { mode } = await stat(path);
  const isOpen = process.platform !== 'win32' && (mode & 0o004) !== 0;
  if (isOpen) note(`everybody on this machine can read ${path}, and be you; close it with "chmod 600 ${path}"`);
}

async function readOptionFile(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    // Not before: it brings along all that a policy file takes.
    const { explainFileError } = await import('../policy-file/load.ts');
    const message = `${option} ${path} cannot be read: ${explainFileError(error)}`;
    throw new PosternError('INVALID_OPTION', message, { field: option }, error);
  }
}
