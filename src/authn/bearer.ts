/** Bearer tokens: out of the header, and whether one is known. Never shows any part of what was sent. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { TokenEntry } from './auth-file.ts';
import { type Identity, unauthenticated } from './identity.ts';

/** RFC 6750, section 2.1; the scheme's case does not matter. */
const bearerPattern = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
/** Longer than any token that is meant; what is sent is hashed or parsed before anything is known of it. */
const maxHeaderLength = 16_384;

/** @throws PosternError UNAUTHENTICATED where the header holds no bearer token */
export function parseBearer(header: string): string {
  const [, token] = header.length > maxHeaderLength ? [] : (bearerPattern.exec(header) ?? []);
  if (token !== undefined) return token;
  throw unauthenticated('the authorization header holds no bearer token; send "authorization: Bearer" and the token');
}

/**
 * Who a static token is of, or undefined where it is none of them. The look-up is by a hash of what was sent: how long
 * it takes tells about the hash, and nobody can choose tokens whose hashes come nearer and nearer to a known one.
 * @throws PosternError UNAUTHENTICATED where it has expired
 */
export function identifyToken(
  token: string,
  tokens: ReadonlyMap<string, TokenEntry>,
  now: number,
): Identity | undefined {
  const hash = createHash('sha256').update(token).digest();
  const entry = tokens.get(hash.toString('hex'));
  if (entry === undefined || !timingSafeEqual(entry.hash, hash)) return undefined;
  if (entry.expiresAt !== undefined && now >= entry.expiresAt) {
    throw unauthenticated('the token has expired; ask an operator for a new one');
  }
  return { subject: entry.subject, operator: entry.operator, tenants: entry.tenants, how: 'token' };
}
