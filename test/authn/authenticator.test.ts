// Bearer tokens and certificates, through the authenticator; JSON Web Tokens are in jwt.test.ts.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientCertificate } from '../../src/authn/identity.ts';
import { createToken } from '../../src/authn/new-token.ts';
import { PosternError } from '../../src/model/errors.ts';
import { bearer, nowMs, type Opened, openAuth, sha256 } from './file.ts';

const tokens = { ci: createToken(), root: createToken(), old: createToken(), soon: createToken() };
/** Legal as a JSON Web Token to look at, and a token like any other here. */
const dotted = 'aaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbb.cccccccccccccccc';
const text = `version: 1
tokens:
  - { sha256: '${tokens.ci.sha256}', subject: 'service:ci', tenants: [acme, beta] }
  - { sha256: '${tokens.root.sha256.toUpperCase()}', subject: 'user:root', operator: true }
  - { sha256: '${tokens.old.sha256}', subject: 'user:old', expires_at: 2026-06-01T12:00:00Z }
  - { sha256: '${tokens.soon.sha256}', subject: 'user:soon', expires_at: 2026-06-01T12:00:00.001Z }
  - { sha256: '${sha256(dotted)}', subject: 'user:dotted' }
mtls:
  - { san_uri: 'spiffe://example/sa/root', subject: 'service:root', operator: true, tenants: [acme] }
  - { san_uri: 'spiffe://example/sa/*', subject: { type: service, from: rest } }
  - { san_uri: 'spiffe://example/*', subject: 'service:other' }
  - { san_dns: ci.example, subject: 'service:dns' }
`;

let opened: Opened;
beforeAll(async () => {
  opened = await openAuth(text);
});
afterAll(() => opened.close());

function withCertificate(names: Partial<ClientCertificate>): ClientCertificate {
  return { sanUris: [], sanDns: [], expiresAt: nowMs + 1, ...names };
}

const authenticate = (authorization: string | undefined, certificate?: ClientCertificate) =>
  opened.authenticator.authenticate({ authorization, certificate });

async function refusal(authorization: string | undefined, certificate?: ClientCertificate): Promise<string> {
  const error = await authenticate(authorization, certificate).catch((thrown: unknown) => thrown);
  if (!(error instanceof PosternError)) throw new Error('it was not refused');
  expect(error.code).toBe('UNAUTHENTICATED');
  expect(error.cause).toBeUndefined();
  return error.message;
}

describe('a token', () => {
  test('makes its subject, with its tenants', async () => {
    expect(await authenticate(`Bearer ${tokens.ci.token}`)).toEqual({
      subject: 'service:ci',
      operator: false,
      tenants: ['acme', 'beta'],
      how: 'token',
    });
  });

  test('of an operator makes an operator of all tenants', async () => {
    const identity = await authenticate(`bearer   ${tokens.root.token}`);
    expect(identity).toEqual({ subject: 'user:root', operator: true, tenants: undefined, how: 'token' });
  });

  test('is refused from the instant on at which it expires, and says that it has expired', async () => {
    expect(await refusal(`Bearer ${tokens.old.token}`)).toMatch(/has expired/);
    expect(await authenticate(`Bearer ${tokens.soon.token}`)).toMatchObject({ subject: 'user:soon' });
  });

  test('that looks like a JSON Web Token is still a token', async () => {
    expect(await authenticate(`Bearer ${dotted}`)).toMatchObject({ subject: 'user:dotted', how: 'token' });
  });

  test('is not known by its hash, its beginning, or in other letters', async () => {
    const { token, sha256: hash } = tokens.ci;
    for (const other of [hash, token.slice(0, -1), `${token}A`, token.toUpperCase()]) {
      expect(await refusal(`Bearer ${other}`)).toMatch(/not one that is known here/);
    }
  });
});

describe('a header', () => {
  test.for([
    ['', 'with nothing in it'],
    ['Bearer', 'with the scheme alone'],
    ['Bearer ', 'with no token'],
    [`Basic ${tokens.ci.token}`, 'of another scheme'],
    [tokens.ci.token, 'without a scheme'],
    [`Bearer ${tokens.ci.token}, Bearer ${tokens.root.token}`, 'with two tokens'],
    [`Bearer ${tokens.ci.token} ${tokens.root.token}`, 'with two tokens in one'],
    [` Bearer ${tokens.ci.token}`, 'with a space before'],
    [`Bearer ${tokens.ci.token}\n`, 'with a newline'],
    [`Bearer ${'a'.repeat(20_000)}`, 'that is too long'],
  ])('%# $1 is refused, whatever certificate comes with it', async ([header]) => {
    const message = await refusal(header, withCertificate({ sanDns: ['ci.example'] }));
    expect(message).toMatch(/holds no bearer token/);
  });

  test('that is missing is told, with what to send', async () => {
    expect(await refusal(undefined)).toMatch(/credentials are missing; send a bearer token/);
  });

  test('of any kind is refused without an echo, and never fails otherwise', async () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9._~+/-]{12,60}={0,2}$/);
    const scheme = fc.constantFrom('Bearer ', 'bearer ', 'Basic ', 'DPoP ', '', 'Bearer  ', 'Bearer a.b.');
    const header = fc.oneof(
      fc.tuple(scheme, secret).map(([before, token]) => [before + token, token] as const),
      fc.string({ unit: 'binary', minLength: 12 }).map((any) => [any, any] as const),
      fc.string({ unit: 'binary', minLength: 12 }).map((any) => [`Bearer ${any}`, any] as const),
    );
    await fc.assert(
      fc.asyncProperty(header, async ([text, secretPart]) => {
        expect(await refusal(text)).not.toContain(secretPart);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a certificate', () => {
  test.for([
    ['spiffe://example/sa/root', { subject: 'service:root', operator: true, tenants: ['acme'], how: 'mtls' }],
    ['spiffe://example/sa/ci/a', { subject: 'service:ci/a', operator: false, tenants: undefined, how: 'mtls' }],
    ['spiffe://example/other', { subject: 'service:other', operator: false, tenants: undefined, how: 'mtls' }],
  ])('for %s is the first entry that matches', async ([uri, identity]) => {
    expect(await authenticate(undefined, withCertificate({ sanUris: [uri as string] }))).toEqual(identity);
  });

  test('for a DNS name matches in any case', async () => {
    const certificate = withCertificate({ sanDns: ['x.example', 'CI.Example'] });
    expect(await authenticate(undefined, certificate)).toMatchObject({ subject: 'service:dns' });
  });

  test.for([
    [{ sanUris: ['spiffe://example/'] }, /nobody who is known/],
    [{ sanUris: ['spiffe://example.evil/sa/root'] }, /nobody who is known/],
    [{ sanUris: ['SPIFFE://example/sa/root'] }, /nobody who is known/],
    [{ sanUris: ['ci.example'] }, /nobody who is known/],
    [{ sanDns: ['spiffe://example/sa/root', 'ci.example.evil', '*.example'] }, /nobody who is known/],
    [{ sanUris: ['spiffe://example/sa/*'] }, /a subject that is a wildcard/],
    [{ sanUris: ['spiffe://example/sa/a\nb'] }, /a subject that holds a control character/],
    [{}, /nobody who is known/],
    [{ sanDns: ['ci.example'], expiresAt: nowMs }, /certificate has expired/],
    [{ sanDns: ['ci.example'], expiresAt: Number.NaN }, /certificate has expired/],
  ] as const)('%j is refused', async ([names, message]) => {
    expect(await refusal(undefined, withCertificate(names))).toMatch(message);
  });

  test('does not count beside a token, good or wrong', async () => {
    const certificate = withCertificate({ sanUris: ['spiffe://example/sa/root'] });
    expect(await authenticate(`Bearer ${tokens.ci.token}`, certificate)).toMatchObject({ subject: 'service:ci' });
    expect(await refusal('Bearer wrong', certificate)).toMatch(/not one that is known/);
    expect(await refusal(`Bearer ${tokens.old.token}`, certificate)).toMatch(/expired/);
  });
});

test('every token that is made is known by its hash, and no other', async () => {
  const made = Array.from({ length: 50 }, createToken);
  expect(new Set(made.map(({ token }) => token)).size).toBe(50);
  const entries = made.map(({ sha256: hash }, i) => `  - { sha256: '${hash}', subject: 'user:${i}' }`);
  const many = await openAuth(`version: 1\ntokens:\n${entries.join('\n')}`);
  for (const [i, { token }] of made.entries()) {
    expect(token).toMatch(/^pst_[A-Za-z0-9_-]{43}$/);
    expect(await many.authenticator.authenticate(bearer(token))).toMatchObject({ subject: `user:${i}` });
  }
  await many.close();
});
