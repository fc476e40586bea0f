/**
 * The public keys of issuers: sets that are fetched and kept for a while, and sets from files. That keys cannot be had
 * says nothing about a token: it is AUTH_UNAVAILABLE, never a refusal of the token.
 */
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { messageOf, PosternError } from '../model/errors.ts';

export interface RemoteKeysOptions {
  /** How long after a fetch a token with an unknown key may cause the next one, in milliseconds. */
  readonly cooldownMs: number;
  /** How long a fetch may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when a set that could be had cannot be had any more. */
  readonly onUnavailable: (url: string, why: string) => void;
}

/** How long fetched keys are used without asking again: a key that its issuer withdrew is trusted no longer. */
const maxAgeMs = 600_000;

/** Keys at a URL, fetched when a token first needs them. */
export function createRemoteKeys(url: string, options: RemoteKeysOptions): JWTVerifyGetKey {
  const { cooldownMs: cooldownDuration, timeoutMs: timeoutDuration, onUnavailable } = options;
  const keys = createRemoteJWKSet(new URL(url), { cooldownDuration, timeoutDuration, cacheMaxAge: maxAgeMs });
  let failing = false;
  return async (header, token) => {
    try {
      const key = await keys(header, token);
      failing = false;
      return key;
    } catch (error) {
      if (isAboutToken(error)) throw error;
      if (!failing) onUnavailable(url, explain(error));
      failing = true;
      throw new PosternError('AUTH_UNAVAILABLE', 'the keys of the issuer of the token cannot be had; try again later');
    }
  };
}

/** Keys in a file; throws where the text is no set of public keys. */
export function parseKeySet(text: string): JWTVerifyGetKey {
  const set = parseJson(text) as JSONWebKeySet;
  const keys = createLocalJWKSet(set);
  if (set.keys.length === 0) throw new Error('it holds no key');
  if (set.keys.some((key) => key.kty === 'oct' || 'd' in key || 'priv' in key || 'k' in key)) {
    throw new Error('it holds a private or a shared key; only public keys belong there');
  }
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new PosternError('AUTH_UNAVAILABLE', 'the key set of the issuer of the token is damaged; mend its file');
    }
  };
}

/** The parser's own message quotes the text, and the text may be a private key by mistake. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** fetch says "fetch failed", and why only in its cause. */
function explain(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${messageOf(error)}${cause}`;
}
