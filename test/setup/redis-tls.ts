// Certificates for a test's own Redis processes that speak TLS and nothing else: one authority for each process of the
// tests. Called by the setups of Redis and by test files.
import { type Certificate, type CertificateRequest, createCertificate } from '../authn/x509.ts';

let made: Certificate | undefined;
let ofClient: Certificate | undefined;

/** Who vouches for servers and clients alike. */
export function redisAuthority(): Certificate {
  made ??= createCertificate({ name: 'our authority' });
  return made;
}

/** For 127.0.0.1 and this hour, unless said otherwise. */
export function certificateByAuthority(request: Partial<CertificateRequest> = {}): Certificate {
  return createCertificate({ name: 'redis', issuer: redisAuthority(), ...request });
}

/** What a client needs to be let in, as PEM. */
export function redisClientTls(): { readonly ca: string; readonly cert: string; readonly key: string } {
  ofClient ??= certificateByAuthority({ name: 'a client' });
  return { ca: redisAuthority().cert, cert: ofClient.cert, key: ofClient.key };
}
