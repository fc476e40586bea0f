/** What a caller shows, and who that makes them. Plain data, shared by the adapters that collect it and those who judge. */
import { PosternError } from '../model/errors.ts';
import { problemOfSubject, typeOf } from '../model/names.ts';

/** A client certificate whose chain the transport has verified. */
export interface ClientCertificate {
  /** URIs of its subject alternative names. */
  readonly sanUris: readonly string[];
  /** DNS names of its subject alternative names. */
  readonly sanDns: readonly string[];
  /** Milliseconds since 1970: a connection may outlive the certificate that opened it. */
  readonly expiresAt: number;
}

export interface Credentials {
  /** The header as it came; undefined where there is none. Several are joined by a comma, and so refused. */
  readonly authorization: string | undefined;
  /** Undefined where none was given, or the one given was not verified. */
  readonly certificate: ClientCertificate | undefined;
}

export interface Identity {
  /** A legal subject: never anonymous, a wildcard or a group. */
  readonly subject: string;
  /** The root of trust: may do whatever is valid. */
  readonly operator: boolean;
  /** Only these; undefined is all. Whoever serves a tenant checks it. */
  readonly tenants: readonly string[] | undefined;
  readonly how: 'token' | 'jwt' | 'mtls';
}

/**
 * Who shows these credentials. A token counts before a certificate, and a wrong token is refused whatever the
 * certificate says: who sends one means to be that one.
 * @throws PosternError UNAUTHENTICATED, which says what is wrong and nothing of what was sent; AUTH_UNAVAILABLE where
 * it cannot be known now
 */
export type Authenticate = (credentials: Credentials) => Promise<Identity>;

/**
 * The refusal of credentials. It carries no cause: errors of libraries hold what was in a token.
 * @param message Must not hold anything that the caller sent.
 */
export function unauthenticated(message: string): PosternError {
  return new PosternError('UNAUTHENTICATED', message);
}

/** What is wrong with a subject that is to sign in, or undefined. */
export function problemOfIdentity(subject: string): string | undefined {
  return problemOfSubject(subject) ?? problemOfIdentityType(typeOf(subject));
}

/** What is wrong with the type of such a subject, or undefined; that it is a legal type is checked elsewhere. */
export function problemOfIdentityType(type: string): string | undefined {
  if (type === 'group') return 'is a group; what it does could not be told from what another member does: name one';
  return type === 'anonymous' ? 'is nobody in particular; name who it is' : undefined;
}
