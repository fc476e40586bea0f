/** What the caller of a gRPC call shows: its header, and its certificate where TLS has verified one. */
import type { PeerCertificate } from 'node:tls';
import type { Metadata } from '@grpc/grpc-js';
import type { ClientCertificate, Credentials } from '../../authn/identity.ts';

/** The part of a call that this is about. */
export interface AuthenticatedCall {
  readonly metadata: Metadata;
  /** Holds a certificate only where its chain was verified. */
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate };
}

export function toCredentials(call: AuthenticatedCall): Credentials {
  const headers = call.metadata.get('authorization').map(String);
  const { sslPeerCertificate } = call.getAuthContext();
  return {
    authorization: headers.length === 0 ? undefined : headers.join(', '),
    certificate: sslPeerCertificate === undefined ? undefined : toClientCertificate(sslPeerCertificate),
  };
}

function toClientCertificate({ subjectaltname = '', valid_to }: PeerCertificate): ClientCertificate {
  const names = parseAltNames(subjectaltname);
  const of = (kind: string) => names.flatMap(([its, value]) => (its === kind ? [value] : []));
  return { sanUris: of('URI'), sanDns: of('DNS'), expiresAt: Date.parse(valid_to) };
}

const altName = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/**
 * Node's text of the subject alternative names, as kind and value. It puts values in which a comma or a quote could
 * be taken for the end in quotes, as JSON: a name must not be able to smuggle in another. Empty where any of it is
 * not understood.
 */
export function parseAltNames(text: string): readonly (readonly [kind: string, value: string])[] {
  const names: [string, string][] = [];
  altName.lastIndex = 0;
  while (altName.lastIndex < text.length) {
    const [, kind, value] = altName.exec(text) ?? [];
    if (kind === undefined || value === undefined) return [];
    try {
      names.push([kind, value.startsWith('"') ? (JSON.parse(value) as string) : value]);
    } catch {
      return [];
    }
  }
  return names;
}
