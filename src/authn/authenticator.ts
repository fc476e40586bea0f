/**
 * Who a caller is: bearer tokens, JSON Web Tokens and client certificates, by one file that is followed while it is
 * edited. Called by the adapters of administration for every request. What a caller may do is not its affair.
 */
import type { JWTVerifyGetKey } from 'jose';
import type { WatchOptions } from '../policy-file/watch.ts';
import type { IssuerEntry } from './auth-file.ts';
import { identifyToken, parseBearer } from './bearer.ts';
import { identifyCertificate } from './certificate.ts';
import { type FollowEvent, followAuth } from './follow.ts';
import { type Authenticate, unauthenticated } from './identity.ts';
import { identifyJwt, isJwt } from './jwt.ts';
import { createRemoteKeys } from './key-sets.ts';
import type { LoadedAuth } from './load.ts';

export type AuthEvent =
  | FollowEvent
  /** Keys of an issuer could not be fetched; told once, until they can be. */
  | { readonly kind: 'keys-unavailable'; readonly url: string; readonly why: string };

export interface AuthenticatorOptions {
  /** The path of the file. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onEvent: (event: AuthEvent) => void;
  readonly watch?: WatchOptions;
  /** How long after a fetch a token with an unknown key may cause the next one, in milliseconds; default 10,000. */
  readonly keyCooldownMs?: number;
  /** How long fetching keys may take, in milliseconds; default 5,000. */
  readonly keyTimeoutMs?: number;
}

export interface Authenticator {
  readonly authenticate: Authenticate;
  /** Stops following the file; idempotent. */
  close(): Promise<void>;
}

/**
 * Reads the file, and follows it until closed.
 * @throws PosternError INVALID_OPTION where the file cannot be read or is not valid, with all problems
 */
export async function createAuthenticator(options: AuthenticatorOptions): Promise<Authenticator> {
  const { file: path, now, onEvent, watch, keyCooldownMs = 10_000, keyTimeoutMs = 5_000 } = options;
  let current: LoadedAuth | undefined;
  /** Of every URL that the file names: a reload keeps what was fetched. */
  let remoteKeys: ReadonlyMap<string, JWTVerifyGetKey> = new Map();

  const onLoaded = (loaded: LoadedAuth) => {
    const urls = [...loaded.file.issuers.values()].flatMap(({ keys }) => (keys.kind === 'url' ? [keys.url] : []));
    remoteKeys = new Map(urls.map((url) => [url, remoteKeys.get(url) ?? fetchKeys(url)]));
    current = loaded;
  };
  const fetchKeys = (url: string) =>
    createRemoteKeys(url, {
      cooldownMs: keyCooldownMs,
      timeoutMs: keyTimeoutMs,
      onUnavailable: (_, why) => onEvent({ kind: 'keys-unavailable', url, why }),
    });
  const followed = await followAuth({ path, onLoaded, onEvent, watch });

  const authenticate: Authenticate = async ({ authorization, certificate }) => {
    const { file, localKeys } = current as LoadedAuth;
    if (authorization === undefined) {
      if (certificate !== undefined) return identifyCertificate(certificate, file.certificates, now());
      throw unauthenticated('credentials are missing; send a bearer token, or a client certificate where TLS is on');
    }
    const token = parseBearer(authorization);
    const identity = identifyToken(token, file.tokens, now());
    if (identity !== undefined) return identity;
    if (file.issuers.size === 0 || !isJwt(token)) throw unauthenticated('the token is not one that is known here');
    const keys = remoteKeys;
    const keysOf = ({ keys: source }: IssuerEntry) =>
      (source.kind === 'url' ? keys.get(source.url) : localKeys.get(source.path)) as JWTVerifyGetKey;
    return identifyJwt(token, file.issuers, keysOf, now());
  };

  return { authenticate, close: followed.close };
}
