/** Verified client certificates to identities, by the names that they are for. Pure. */
import { problemOfSubject } from '../model/names.ts';
import type { CertificateEntry } from './auth-file.ts';
import { type ClientCertificate, type Identity, unauthenticated } from './identity.ts';

/**
 * Who a certificate is of, by the first entry that matches one of its names.
 * @throws PosternError UNAUTHENTICATED where none does, or it has expired since the connection was opened
 */
export function identifyCertificate(
  certificate: ClientCertificate,
  entries: readonly CertificateEntry[],
  now: number,
): Identity {
  // Negated: a time that could not be read is not a number, and no comparison with it holds.
  if (!(now < certificate.expiresAt)) {
    throw unauthenticated('the client certificate has expired; connect again with a new one');
  }
  for (const entry of entries) {
    const rest = matchName(certificate, entry);
    if (rest === undefined) continue;
    const subject = typeof entry.subject === 'string' ? entry.subject : `${entry.subject.type}:${rest}`;
    const problem = problemOfSubject(subject);
    if (problem !== undefined) throw unauthenticated(`the client certificate names a subject that ${problem}`);
    return { subject, operator: entry.operator, tenants: entry.tenants, how: 'mtls' };
  }
  throw unauthenticated('the client certificate is of nobody who is known here; an operator can add its name');
}

/** What the star stands for, empty where there is none; undefined where no name matches. */
function matchName({ sanUris, sanDns }: ClientCertificate, { kind, name, isPrefix }: CertificateEntry) {
  if (kind === 'dns') return sanDns.some((dns) => dns.toLowerCase() === name) ? '' : undefined;
  if (!isPrefix) return sanUris.includes(name) ? '' : undefined;
  return sanUris.find((uri) => uri.length > name.length && uri.startsWith(name))?.slice(name.length);
}
