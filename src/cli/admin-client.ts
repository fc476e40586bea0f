/**
 * The client of a command that administers: with the token of whoever calls, and a hint where that is missing. Loaded
 * only by such commands, when they run.
 */
import { PosternError } from '../model/errors.ts';
import type { AdminOptions, CredentialOptions } from './admin-options.ts';
import type { Client } from './client.ts';
import { connect, readToken } from './connect.ts';
import { note } from './output.ts';
import { tokenVariable } from './variables.ts';

/** Opens the client, and closes it after the work. @throws PosternError INVALID_OPTION, and what the work throws */
export async function withAdmin<T>(options: CredentialOptions, work: (client: Client) => Promise<T>): Promise<T> {
  const token = await readToken(options.tokenFile);
  const client = await connect(options, token);
  if (token !== undefined && !isPrivate(options)) {
    note(`the token goes to ${options.address} without TLS; add --tls-ca, unless something else encrypts the way`);
  }
  try {
    return await work(client);
  } catch (error) {
    throw token === undefined ? withHint(error, options) : error;
  } finally {
    client.close();
  }
}

/** Tenant and subject, as every request has them. */
export function scopeOf({ tenant = '', onBehalfOf = '' }: AdminOptions) {
  return { tenant, onBehalfOf };
}

/** Whether nobody else sees what is sent: TLS, a Unix socket or this machine. */
function isPrivate({ address, tlsCa, tlsCert }: CredentialOptions): boolean {
  const isLocal = /^(unix:|localhost:|127\.[0-9.]+:|\[::1\]:)/.test(address);
  return isLocal || tlsCa !== undefined || tlsCert !== undefined;
}

function withHint(error: unknown, { tlsCert }: CredentialOptions): unknown {
  if (!(error instanceof PosternError) || error.code !== 'UNAUTHENTICATED' || tlsCert !== undefined) return error;
  const hint = `no token was sent: add --token-file, or set ${tokenVariable}`;
  return new PosternError(error.code, `${error.message}; ${hint}`, error.metadata, error, error.problems);
}
