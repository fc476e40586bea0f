/**
 * What goes wrong with a connection to Redis, in words that say what to do: those of TLS libraries do not. Called by
 * whoever hears the errors of a client.
 */

/** How a connection with TLS was made. */
export interface TlsUsed {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What went wrong with a connection. */
export interface PlacedError extends Error {
  /** Where, in the form host:port. */
  place?: string;
  /** Whether the other side had not sent anything. */
  unanswered?: boolean;
}

/** No Sentinel could name the primary; what each of them said is told in words that say what to do. */
export class NoPrimaryError extends Error {
  constructor(problems: string) {
    super(`no Sentinel could name the primary: ${problems}`);
    this.name = 'NoPrimaryError';
  }
}

/** What the client says where a connection ended and nobody said why, or where the reason was told before. */
export const connectionClosed = 'Connection is closed.';

/** By the code that Node gives, or a part of the message where the other side said it. */
const hints: readonly (readonly [about: RegExp, hint: string])[] = [
  [
    /UNABLE_TO_|SELF_SIGNED_CERT|CERT_SIGNATURE_FAILURE/,
    'the certificate of Redis is not by an authority that is trusted here: name its authority with --redis-ca',
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    'the certificate of Redis is not valid at this time: renew it, or set the clocks right',
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    'the certificate of Redis is for other names than the one that it is reached by: issue one for this name, too, or ' +
      'write its name in --redis and let Sentinels and Clusters announce names instead of addresses',
  ],
  [
    /alert (certificate (required|expired|revoked|unknown)|(bad|unsupported) certificate|unknown ca|handshake failure)/,
    'Redis wants a certificate of this client that it trusts: name it with --redis-cert and --redis-key',
  ],
  [
    /wrong version number|packet length too long/,
    'what listens there does not speak TLS: write redis://, or its port for TLS',
  ],
];

/** What is known only together with how the connection was made. */
const wantsCertificate =
  'Redis ended the connection: where it wants a certificate of its clients, name one with --redis-cert and --redis-key';
const wantsTls = 'it ended the connection at once: where it speaks TLS, write rediss for redis in --redis';
const silent = 'nothing answers there, or it does not speak TLS: then write redis://, or its port for TLS';

/**
 * The message of an error, with where it was, where that is known, and a hint where there is one.
 * @param tls What the connection was made with; undefined without TLS.
 */
export function describeConnectionError(error: PlacedError, tls: TlsUsed | undefined): string {
  if (error instanceof NoPrimaryError) return error.message;
  // A Cluster says that it found nobody; the last node says why.
  if ('lastNodeError' in error && error.lastNodeError instanceof Error)
    return describeConnectionError(error.lastNodeError, tls);
  return at(error, withHint(error, tls));
}

/** The same without the place. */
export function withHint(error: PlacedError, tls: TlsUsed | undefined): string {
  const { message } = error;
  const about = `${(error as NodeJS.ErrnoException).code ?? ''} ${message}`;
  const hint = hints.find(([pattern]) => pattern.test(about))?.[1] ?? hintOf(about, error, tls);
  return hint === undefined ? message : `${message.replace(/:?\s*$/, '')}: ${hint}`;
}

/** Words about an error, with its place before them. */
export function at({ place }: PlacedError, words: string): string {
  return place === undefined || words.includes(place) ? words : `${place}: ${words}`;
}

function hintOf(about: string, { unanswered = false }: PlacedError, tls: TlsUsed | undefined): string | undefined {
  const isCutOff = /ECONNRESET|EPIPE/.test(about);
  if (tls === undefined) return isCutOff && unanswered ? wantsTls : undefined;
  // The refusal of a certificate that is missing may be overtaken by the end of the connection.
  if (tls.cert === undefined && (isCutOff || about.includes(connectionClosed))) return wantsCertificate;
  return about.includes('ETIMEDOUT') ? silent : undefined;
}
