/**
 * TLS for the gRPC port: certificate, key and the authorities of clients from files, followed as they are renewed.
 * Called by the gRPC server. Files that do not belong together, or are half written, change nothing: what was in
 * force stays. The grpc-js provider for files is not used, because it drops all connections meanwhile.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { messageOf, PosternError } from '../../model/errors.ts';
import { explainFileError } from '../../policy-file/load.ts';
import { type WatchOptions, watchPolicyFile } from '../../policy-file/watch.ts';
import type { ServerLog } from '../errors.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate with its chain. */
  readonly cert: string;
  readonly key: string;
  /** Those who sign certificates of clients; undefined asks clients for none. */
  readonly clientCa: string | undefined;
  /** Whether clients without a certificate of `clientCa` are turned away. */
  readonly requireClientCert: boolean;
}

export interface Tls {
  readonly credentials: ServerCredentials;
  /** Stops following the files; idempotent. */
  close(): Promise<void>;
}

/** @throws PosternError INVALID_OPTION, naming the option whose file is wrong */
export async function openTls(files: TlsFiles, log: ServerLog, watch: WatchOptions = {}): Promise<Tls> {
  let current: SecureContextOptions | undefined;
  let credentials: FollowedCredentials | undefined;
  let running = Promise.resolve();

  const reload = async (): Promise<void> => {
    try {
      const next = await readContext(files);
      if (isSame(next, current)) return;
      current = next;
      credentials?.replace(next);
      log.info({ cert: files.cert }, 'TLS certificates have been renewed');
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'TLS files are not valid; the certificates before them stay in force');
    }
  };
  // Watching begins before the first reading; one reading at a time, so that an older one never replaces a newer one.
  const paths = [files.cert, files.key, ...(files.clientCa === undefined ? [] : [files.clientCa])];
  const onChange = () => {
    if (credentials !== undefined) running = running.then(reload);
  };
  const watches = paths.map((path) => watchPolicyFile(path, onChange, watch));
  const close = async () => {
    await Promise.all(watches.map((its) => its.close()));
    await running;
  };
  try {
    await Promise.all(watches.map((its) => its.ready));
    current = await readContext(files);
    credentials = new FollowedCredentials(files, current);
    return { credentials, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Those of the library take a client certificate always or never. */
class FollowedCredentials extends ServerCredentials {
  constructor({ clientCa, requireClientCert }: TlsFiles, context: SecureContextOptions) {
    super({ requestCert: clientCa !== undefined, rejectUnauthorized: requireClientCert }, context);
  }

  /** For connections to come; those that are open go on. */
  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

async function readContext({ cert, key, clientCa }: TlsFiles): Promise<SecureContextOptions> {
  const context = {
    cert: await read(cert, 'tls-cert'),
    key: await read(key, 'tls-key'),
    ...(clientCa === undefined ? {} : { ca: await read(clientCa, 'tls-client-ca') }),
  };
  attempt('tls-cert', cert, 'holds no certificate in PEM', () => new X509Certificate(context.cert));
  if (context.ca !== undefined) {
    // OpenSSL takes a file without a certificate for a list of none.
    attempt(
      'tls-client-ca',
      clientCa as string,
      'holds no certificate in PEM',
      () => new X509Certificate(context.ca as Buffer),
    );
  }
  const problem = 'is not the private key, in PEM and without a passphrase, of --tls-cert';
  attempt('tls-key', key, problem, () => createSecureContext(context));
  return context;
}

async function read(path: string, option: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw wrong(option, path, `cannot be read: ${explainFileError(error)}`, error);
  }
}

function attempt(option: string, path: string, problem: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw wrong(option, path, `${problem} (${messageOf(error)})`, error);
  }
}

function wrong(option: string, path: string, problem: string, cause: unknown): PosternError {
  return new PosternError('INVALID_OPTION', `--${option} ${path} ${problem}`, { option }, cause);
}

function isSame(a: SecureContextOptions, b: SecureContextOptions | undefined): boolean {
  return (['cert', 'key', 'ca'] as const).every((part) => String(a[part]) === String(b?.[part]));
}
