/**
 * What goes wrong with a connection to Redis, in words that say what to do: those of TLS libraries do not. Called by
 * whoever hears the errors of a client.
 */

/** How a connection with TLS was made. */
interface TlsUsed {
  readonly cert?: string;
}

/** By the code that Node gives, or a part of the message where the other side said it. */
const hints: readonly (readonly [about: RegExp, hint: string])[] = [
  [
    /UNABLE_TO_|SELF_SIGNED_CERT|CERT_SIGNATURE_FAILURE/,
    'the certificate of Redis is not by an authority that is trusted here: name its authority with --redis-ca',
  ],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, 'the certificate of Redis is not valid at this time'],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, 'the certificate of Redis is for other names than the one that it is reached by'],
  [
    /alert (certificate required|bad certificate|unknown ca|handshake failure)/,
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
const silent = 'nothing answers there, or it does not speak TLS: then write redis://, or its port for TLS';

/**
 * The message of an error, with a hint where there is one.
 * @param tls What the connection was made with; undefined without TLS.
 */
export function describeConnectionError(error: Error, tls: TlsUsed | undefined): string {
  // A Cluster says that it found nobody; the last node says why.
  if ('lastNodeError' in error && error.lastNodeError instanceof Error)
    return describeConnectionError(error.lastNodeError, tls);
  const { message } = error;
  const about = `${(error as NodeJS.ErrnoException).code ?? ''} ${message}`;
  const hint =
    hints.find(([pattern]) => pattern.test(about))?.[1] ?? (tls === undefined ? undefined : hintOfTls(about, tls));
  return hint === undefined ? message : `${message.trim()}: ${hint}`;
}

function hintOfTls(about: string, tls: TlsUsed): string | undefined {
  // The refusal of a certificate that is missing may be overtaken by the end of the connection.
  if (tls.cert === undefined && /ECONNRESET|EPIPE/.test(about)) return wantsCertificate;
  return about.includes('ETIMEDOUT') ? silent : undefined;
}
