/**
 * The text of the file that says who may administer, to what the authenticator looks things up in; or everything that
 * is wrong with it, with line and column. Pure: key sets that it names are read by load.ts. No problem ever shows what
 * may be a token.
 */
import { isType, problemOfTenant, quote } from '../model/names.ts';
import { type AuthFileShape, authFileSchema } from '../policy-file/auth-schema.ts';
import { type Finding, parseDocumentOf } from '../policy-file/document.ts';
import { parseInstant } from '../policy-file/instant.ts';
import type { Path, Rejected } from '../policy-file/problem.ts';
import { suggest } from '../policy-file/suggest.ts';
import { problemOfIdentity, problemOfIdentityType } from './identity.ts';
import { type KeySource, readKeySource } from './key-source.ts';
import { redactProblems } from './redact.ts';

interface Entry {
  /** Undefined is all. */
  readonly tenants: readonly string[] | undefined;
}

export interface TokenEntry extends Entry {
  readonly hash: Buffer;
  readonly subject: string;
  readonly operator: boolean;
  /** Milliseconds since 1970; refused from then on. Undefined is never. */
  readonly expiresAt: number | undefined;
}

export interface IssuerEntry extends Entry {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keys: KeySource;
  readonly subjectType: string;
  readonly claim: string;
  readonly algorithms: readonly string[];
  /** The only `typ` to accept; undefined: one of those that say no more than that it is a token. */
  readonly typ: string | undefined;
}

export interface CertificateEntry extends Entry {
  readonly kind: 'uri' | 'dns';
  /** Lower case for DNS; without the star for a prefix. */
  readonly name: string;
  readonly isPrefix: boolean;
  /** Or the type, where the id is what follows the prefix. */
  readonly subject: string | { readonly type: string };
  readonly operator: boolean;
}

export interface AuthFile {
  /** By the hash in lower-case hexadecimal. */
  readonly tokens: ReadonlyMap<string, TokenEntry>;
  /** By the issuer's name. */
  readonly issuers: ReadonlyMap<string, IssuerEntry>;
  /** The first that matches counts. */
  readonly certificates: readonly CertificateEntry[];
}

export type AuthFileResult = { readonly ok: true; readonly file: AuthFile } | Rejected;

/** What a client can make only with the private key; the others let everybody who checks tokens make them, too. */
const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const usualAlgorithms = ['RS256', 'ES256', 'EdDSA'];
const sha256Pattern = /^[0-9a-f]{64}$/i;
const hashOfNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** The star stands for a part of the path: before it, all of the authority must be fixed. */
const uriPrefixPattern = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/*]+\/[^*]*\*$/;

/** @param path Where the text is from: names it in problems, and key sets are found beside it. */
export function parseAuthFile(text: string, path: string): AuthFileResult {
  const document = parseDocumentOf(authFileSchema, text, path);
  if (!document.ok) return redactProblems(document);
  const reader = createReader(path);
  const file = reader.read(document.data);
  return reader.findings.length === 0 ? { ok: true, file } : redactProblems(document.reject(reader.findings));
}

function createReader(file: string) {
  const findings: Finding[] = [];
  const report = (path: Path, message: string | undefined, suggestion?: string) => {
    if (message !== undefined) findings.push({ path, part: 'value', message, suggestion });
  };

  function read({ tokens = [], jwt = [], mtls = [] }: AuthFileShape): AuthFile {
    return {
      tokens: byKey(tokens, 'tokens', 'sha256', readToken, (entry) => entry.hash.toString('hex')),
      issuers: byKey(jwt, 'jwt', 'issuer', readIssuer, (entry) => entry.issuer),
      certificates: [
        ...byKey(mtls, 'mtls', '', readCertificate, ({ kind, name, isPrefix }) =>
          JSON.stringify([kind, name, isPrefix]),
        ).values(),
      ],
    };
  }

  /** Entries that cannot be read are reported and left out. */
  function byKey<Item, Read>(
    items: readonly Item[],
    list: string,
    field: string,
    readItem: (item: Item, path: Path) => Read | undefined,
    keyOf: (entry: Read) => string,
  ): ReadonlyMap<string, Read> {
    const entries = new Map<string, Read>();
    const places = new Map<string, number>();
    items.forEach((item, i) => {
      const entry = readItem(item, [list, i]);
      if (entry === undefined) return;
      const key = keyOf(entry);
      const first = places.get(key);
      const at = field === '' ? [list, i] : [list, i, field];
      if (first !== undefined) report(at, `is the same as that of item ${first + 1} of ${quote(list)}; keep one`);
      else places.set(key, i);
      entries.set(key, entry);
    });
    return entries;
  }

  function readToken(token: NonNullable<AuthFileShape['tokens']>[number], path: Path): TokenEntry | undefined {
    const { sha256, subject, operator = false, expires_at, tenants } = token;
    checkSubject(subject, [...path, 'subject']);
    checkTenants(tenants, path);
    if (typeof sha256 !== 'string' || !sha256Pattern.test(sha256)) {
      report(
        [...path, 'sha256'],
        '"sha256" must be 64 hexadecimal digits, the hash and never the token itself; `postern token` makes both',
      );
    } else if (sha256.toLowerCase() === hashOfNothing) {
      report([...path, 'sha256'], '"sha256" is the hash of an empty text; `postern token` makes a token');
    } else {
      const expiresAt = expires_at === undefined ? undefined : parseInstant(expires_at);
      return { hash: Buffer.from(sha256, 'hex'), subject, operator, expiresAt, tenants };
    }
    return undefined;
  }

  function readIssuer(entry: NonNullable<AuthFileShape['jwt']>[number], path: Path): IssuerEntry | undefined {
    const { issuer, audience, jwks, subject, algorithms = usualAlgorithms, typ, tenants } = entry;
    checkSubjectType(subject.type, [...path, 'subject', 'type']);
    checkTenants(tenants, path);
    algorithms.forEach((algorithm, i) => {
      report([...path, 'algorithms', i], problemOfAlgorithm(algorithm), suggest(algorithm, asymmetric));
    });
    const keys = readKeySource(jwks, file);
    if ('problem' in keys) report([...path, 'jwks'], `"jwks" ${keys.problem}`);
    if ('problem' in keys) return undefined;
    const audiences = typeof audience === 'string' ? [audience] : audience;
    const { type, claim } = subject;
    return { issuer, audience: audiences, keys, subjectType: type, claim, algorithms, typ, tenants };
  }

  function readCertificate(entry: NonNullable<AuthFileShape['mtls']>[number], path: Path) {
    const { san_uri, san_dns, subject: written, operator = false, tenants } = entry;
    checkTenants(tenants, path);
    const isPrefix = san_uri?.endsWith('*') === true;
    const isFixed = typeof written === 'string';
    if (isFixed) checkSubject(written, [...path, 'subject']);
    else checkSubjectType(written.type, [...path, 'subject', 'type']);
    if (!isFixed && !isPrefix) report([...path, 'subject'], '"from: rest" needs a "san_uri" that ends in *');
    if (operator && isPrefix) report([...path, 'operator'], 'an operator needs a "san_uri" without a *');
    report([...path, 'san_uri'], san_uri === undefined ? undefined : problemOfUri(san_uri));
    if (san_dns?.includes('*')) report([...path, 'san_dns'], '"san_dns" must be exact; write no *');
    if ((san_uri === undefined) === (san_dns === undefined)) {
      report(path, 'must have either "san_uri" or "san_dns"');
      return undefined;
    }
    const subject = isFixed ? written : { type: written.type };
    const name = san_uri?.replace(/\*$/, '') ?? (san_dns as string).toLowerCase();
    const kind = san_uri === undefined ? ('dns' as const) : ('uri' as const);
    return { kind, name, isPrefix, subject, operator, tenants } satisfies CertificateEntry;
  }

  function checkSubject(subject: string, path: Path): void {
    const problem = problemOfIdentity(subject);
    if (problem !== undefined) report(path, `subject ${quote(subject)} ${problem}`);
  }

  function checkSubjectType(type: string, path: Path): void {
    const problem = isType(type)
      ? problemOfIdentityType(type)
      : 'is not legal; a type begins with a letter, as in "user"';
    if (problem !== undefined) report(path, `type ${quote(type)} ${problem}`);
  }

  function checkTenants(tenants: readonly string[] | undefined, path: Path): void {
    tenants?.forEach((tenant, i) => {
      const problem = problemOfTenant(tenant);
      if (problem !== undefined) report([...path, 'tenants', i], `tenant ${quote(tenant)} ${problem}`);
    });
  }

  return { read, findings };
}

function problemOfAlgorithm(algorithm: string): string | undefined {
  if (asymmetric.includes(algorithm)) return undefined;
  if (/^HS\d+$/.test(algorithm)) return `${algorithm} lets everybody who checks a token make one; use RS256 or ES256`;
  if (algorithm.toLowerCase() === 'none') return `${quote(algorithm)} is no signature; use RS256 or ES256`;
  return `algorithm ${quote(algorithm)} is not one of ${asymmetric.join(', ')}`;
}

function problemOfUri(uri: string): string | undefined {
  if (!uri.includes('*')) return undefined;
  return uriPrefixPattern.test(uri)
    ? undefined
    : '"san_uri" may have one *, at its end and behind the first / of the path: spiffe://example/ns/*';
}
