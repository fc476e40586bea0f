/**
 * JSON Web Tokens to identities. The library checks signature and claims; here is what has to hold, and what is said
 * where it does not. Never shows any part of a token.
 */
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { PosternError } from '../model/errors.ts';
import { problemOfSubject } from '../model/names.ts';
import type { IssuerEntry } from './auth-file.ts';
import { type Identity, unauthenticated } from './identity.ts';

/** How far the clocks of issuer and sidecar may be apart. */
const clockToleranceS = 30;
/** `typ` of tokens that are for access, and not for logging out, proving possession or telling of events (RFC 8725, 3.11). */
const usualTypes = ['jwt', 'at+jwt'];

/** Whether a bearer token has the form of one: three parts. */
export function isJwt(token: string): boolean {
  return token.split('.').length === 3;
}

/**
 * Who a token is of.
 * @param keysOf The keys of an issuer.
 * @throws PosternError UNAUTHENTICATED, or AUTH_UNAVAILABLE where its issuer's keys cannot be had
 */
export async function identifyJwt(
  token: string,
  issuers: ReadonlyMap<string, IssuerEntry>,
  keysOf: (entry: IssuerEntry) => JWTVerifyGetKey,
  now: number,
): Promise<Identity> {
  // What an unverified token says of its issuer chooses by which keys it is verified, and nothing else.
  const { iss, exp } = readUnverified(token);
  const entry = issuers.get(String(iss));
  if (entry === undefined) throw unauthenticated('the issuer of the token is not one that is accepted here');
  // Before its keys are asked for: while they cannot be had, a token must not last longer than it says.
  if (typeof exp === 'number' && exp <= now / 1_000 - clockToleranceS) throw unauthenticated(expired);
  const payload = await verify(token, entry, keysOf(entry), now);
  const id = payload[entry.claim];
  if (typeof id !== 'string') throw unauthenticated(`the claim "${entry.claim}" of the token is not text`);
  const subject = `${entry.subjectType}:${id}`;
  const problem = problemOfSubject(subject);
  if (problem !== undefined) {
    throw unauthenticated(`the claim "${entry.claim}" of the token makes a subject that ${problem}`);
  }
  return { subject, operator: false, tenants: entry.tenants, how: 'jwt' };
}

function readUnverified(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw unauthenticated('the token cannot be read');
  }
}

async function verify(token: string, entry: IssuerEntry, keys: JWTVerifyGetKey, now: number): Promise<JWTPayload> {
  const { issuer, audience, algorithms, claim, typ } = entry;
  let type: unknown;
  let payload: JWTPayload;
  try {
    const verified = await jwtVerify(token, keys, {
      issuer,
      audience: [...audience],
      algorithms: [...algorithms],
      requiredClaims: ['exp', claim],
      clockTolerance: clockToleranceS,
      currentDate: new Date(now),
      ...(typ === undefined ? {} : { typ }),
    });
    payload = verified.payload;
    type = verified.protectedHeader.typ;
  } catch (error) {
    if (error instanceof PosternError) throw error;
    throw unauthenticated(explain(error));
  }
  if (typ === undefined && type !== undefined && !usualTypes.includes(toShortType(String(type)))) {
    throw unauthenticated('the token is of a type ("typ") that is not for access');
  }
  return payload;
}

function toShortType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

const expired = 'the token has expired; get a new one from its issuer';
const explanations: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: expired,
  ERR_JOSE_ALG_NOT_ALLOWED: 'the token is signed with an algorithm that is not accepted here',
  ERR_JWKS_NO_MATCHING_KEY: 'the token is signed with a key that its issuer does not publish',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'the token does not say with which key it is signed, and its issuer has several',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'the signature of the token is wrong',
};

function explain(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return explainClaim(error);
  const known = error instanceof errors.JOSEError ? explanations[error.code] : undefined;
  return known ?? 'the token cannot be verified';
}

function explainClaim({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (reason === 'missing') return `the token has no claim "${claim}"`;
  if (claim === 'nbf' && reason === 'check_failed') return 'the token is not valid yet; compare the clocks';
  if (claim === 'aud') return 'the token is for another audience';
  if (claim === 'typ') return 'the token is of another type ("typ") than is accepted here';
  return `the claim "${claim}" of the token is not what it must be`;
}
