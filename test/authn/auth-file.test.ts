// The file that says who may administer: what it means, what is refused and where, and that no problem shows a token.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuthFileResult, parseAuthFile } from '../../src/authn/auth-file.ts';
import { describeProblem, formatProblems } from '../../src/policy-file/format-problems.ts';
import { sha256 } from './file.ts';

const hash = sha256('a token');

function parse(text: string): AuthFileResult {
  return parseAuthFile(text, '/etc/postern/auth.yaml');
}

/** Every problem as "line:column: message". */
function problemsOf(text: string): string[] {
  const result = parse(text);
  if (result.ok) return [];
  return result.problems.map((problem) => `${problem.line}:${problem.column}: ${describeProblem(problem)}`);
}

describe('a file', () => {
  test('with everything is read', () => {
    const result = parse(`version: 1
tokens:
  - sha256: ${hash.toUpperCase()}
    subject: service:ci
    operator: true
    expires_at: 2027-01-01T00:00:00Z
    tenants: [default]
    note: the pipeline
jwt:
  - issuer: https://issuer.example
    audience: postern
    jwks: ./keys/jwks.json
    subject: { type: user, claim: email }
  - { issuer: b, audience: [x, y], jwks: 'http://127.0.0.1:1/k', subject: { type: app, claim: sub }, algorithms: [PS512], typ: at+jwt }
mtls:
  - san_uri: spiffe://example/ns/x/sa/*
    subject: { type: service, from: rest }
  - { san_dns: CI.example, subject: 'service:ci', operator: true }
`);
    if (!result.ok) throw new Error(formatProblems(result));
    const { tokens, issuers, certificates } = result.file;
    expect([...tokens]).toEqual([
      [
        hash,
        {
          hash: Buffer.from(hash, 'hex'),
          subject: 'service:ci',
          operator: true,
          expiresAt: Date.UTC(2027, 0),
          tenants: ['default'],
        },
      ],
    ]);
    expect(issuers.get('https://issuer.example')).toEqual({
      issuer: 'https://issuer.example',
      audience: ['postern'],
      keys: { kind: 'file', path: '/etc/postern/keys/jwks.json' },
      subjectType: 'user',
      claim: 'email',
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      typ: undefined,
      tenants: undefined,
    });
    expect(issuers.get('b')).toMatchObject({
      audience: ['x', 'y'],
      keys: { kind: 'url', url: 'http://127.0.0.1:1/k' },
      algorithms: ['PS512'],
      typ: 'at+jwt',
    });
    expect(certificates).toEqual([
      {
        kind: 'uri',
        name: 'spiffe://example/ns/x/sa/',
        isPrefix: true,
        subject: { type: 'service' },
        operator: false,
        tenants: undefined,
      },
      { kind: 'dns', name: 'ci.example', isPrefix: false, subject: 'service:ci', operator: true, tenants: undefined },
    ]);
  });

  test('with nobody in it lets nobody in, and is legal', () => {
    expect(parse('version: 1')).toMatchObject({ ok: true, file: { tokens: new Map(), certificates: [] } });
  });
});

const token = (fields: string) => `version: 1\ntokens: [{ ${fields} }]`;
const issuer = (fields: string) =>
  `version: 1\njwt: [{ ${['issuer: i', 'audience: a', 'subject: { type: user, claim: sub }', fields].join(', ')} }]`;
const certificate = (fields: string) => `version: 1\nmtls: [{ ${fields} }]`;
const good = `sha256: '${hash}', subject: 'user:a'`;

const refused: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
  ['an empty file', '', /is empty; begin with "version: 1"/],
  ['an unknown key, with a suggestion', token(`${good}, expires: never`), /unknown key "expires"; known here: sha256/],
  ['a mistyped key, with what was meant', token(`${good}, oprator: true`), /did you mean "operator"/],
  ['a hash that is too short', token("sha256: abcd, subject: 'user:a'"), /2:20: "sha256" must be 64 hexadecimal/],
  ['a hash that is a number', token("sha256: 12, subject: 'user:a'"), /2:20: "sha256" must be 64 hexadecimal/],
  ['a missing hash', token("subject: 'user:a'"), /2:10: "sha256" is missing/],
  ['the hash of nothing', token(`sha256: ${sha256('')}, subject: 'user:a'`), /the hash of an empty text/],
  [
    'a hash that is there twice',
    `version: 1\ntokens: [{ ${good} }, { ${good} }]`,
    /same as that of item 1 of "tokens"/,
  ],
  ['a missing subject, an operator too', token(`sha256: '${hash}', operator: true`), /"subject" is missing/],
  ['a subject without a type', token(`sha256: '${hash}', subject: alice`), /subject "alice" has no colon/],
  ['a wildcard', token(`sha256: '${hash}', subject: 'user:*'`), /is a wildcard; name one subject/],
  ['everyone', token(`sha256: '${hash}', subject: '*'`), /is a wildcard; name one subject/],
  ['a group', token(`sha256: '${hash}', subject: 'group:ops'`), /subject "group:ops" is a group;/],
  ['nobody in particular', token(`sha256: '${hash}', subject: anonymous`), /is nobody in particular/],
  ['a time without an offset', token(`${good}, expires_at: '2027-01-01T00:00:00'`), /is not a time; write RFC 3339/],
  ['a tenant that is none', token(`${good}, tenants: [A]`), /tenant "A" is not legal/],
  ['no tenant at all', token(`${good}, tenants: []`), /"tenants" is empty/],
  ['HS256', issuer('jwks: ./k, algorithms: [HS256]'), /HS256 lets everybody who checks a token make one/],
  ['the algorithm none', issuer('jwks: ./k, algorithms: [none]'), /"none" is no signature/],
  ['an unknown algorithm', issuer('jwks: ./k, algorithms: [ES265]'), /is not one of RS256.*did you mean "ES256"/],
  ['keys in the clear', issuer("jwks: 'http://issuer.example/k'"), /"jwks" must be an https URL/],
  ['keys in the clear from a name like loopback', issuer("jwks: 'http://127.0.0.1.nip.example/k'"), /an https URL/],
  ['keys by another protocol', issuer("jwks: 'file:///etc/k'"), /"jwks" must be an https URL/],
  ['a password in a URL', issuer("jwks: 'https://u:p@issuer.example/k'"), /must not hold a user or a password/],
  ['an issuer without an audience', 'version: 1\njwt: [{ issuer: i, jwks: ./k }]', /"audience" is missing/],
  [
    'an issuer of groups',
    'version: 1\njwt: [{ issuer: i, audience: a, jwks: ./k, subject: { type: group, claim: g } }]',
    /type "group" is a group;/,
  ],
  [
    'an issuer that is there twice',
    'version: 1\njwt:\n  - &i { issuer: i, audience: a, jwks: ./k, subject: { type: user, claim: sub } }\n  - { issuer: i, audience: b, jwks: ./k, subject: { type: user, claim: sub } }',
    /4:15: is the same as that of item 1 of "jwt"/,
  ],
  ['a certificate without a name', certificate("subject: 'service:a'"), /either "san_uri" or "san_dns"/],
  ['a certificate with both names', certificate("san_uri: a, san_dns: b, subject: 'service:a'"), /either "san_uri" or/],
  ['a star in the authority', certificate("san_uri: 'spiffe://example*', subject: 'service:a'"), /may have one \*/],
  ['a star that is the authority', certificate("san_uri: 'spiffe://*', subject: 'service:a'"), /may have one \*/],
  ['a star in the middle', certificate("san_uri: 'spiffe://e/*/x', subject: 'service:a'"), /may have one \*/],
  ['a star in a DNS name', certificate("san_dns: '*.example', subject: 'service:a'"), /"san_dns" must be exact/],
  ['the rest of no star', certificate('san_uri: a, subject: { type: s, from: rest }'), /needs a "san_uri" that ends/],
  [
    'operators by a star',
    certificate("san_uri: 'spiffe://e/*', subject: 'service:a', operator: true"),
    /an operator needs a "san_uri" without a \*/,
  ],
];

test.for(refused)('%s is refused', ([, text, problem]) => {
  expect(problemsOf(text).join('\n')).toMatch(problem);
});

test('all problems are told at once, in the order of their places', () => {
  const text = `version: 1
tokens:
  - { sha256: x, subject: alice }
  - { sha256: '${hash}', subject: 'user:b', tenants: [Default] }
jwt:
  - { issuer: i, audience: a, jwks: 'http://x.example', subject: { type: group, claim: c }, algorithms: [HS512, none] }
`;
  const places = problemsOf(text).map((problem) => problem.split(':').slice(0, 2).join(':'));
  expect(places).toEqual(['3:15', '3:27', '4:112', '6:37', '6:74', '6:106', '6:113']);
});

const secrets = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_'), minLength: 24 });

test('no problem shows a token that was put in a wrong place', () => {
  const places = [
    (s: string) => token(`sha256: ${s}, subject: 'user:a'`),
    (s: string) => token(`sha256: '${s}', subject: 'user:a'`),
    (s: string) => token(`sha256: [${s}], subject: 'user:a'`),
    (s: string) => token(`${good}, token: ${s}`),
    (s: string) => token(`${good}, ${s}: x`),
    (s: string) => token(`${good}, operator: ${s}`),
    (s: string) => token(`${good}, expires_at: '${s}'`),
    (s: string) => token(`${good}, tenants: ['${s}.']`),
    (s: string) => token(`sha256: '${hash}', subject: ${s}`),
    (s: string) => token(`sha256: '${hash}', subject: "${s}`),
    (s: string) => token(`sha256: '${hash}', subject: *${s}`),
    (s: string) => token(`sha256: !${s} x, subject: 'user:a'`),
    (s: string) => `version: ${s}`,
    (s: string) => `version: 1\n${s}: 1\n${s}: 2`,
    (s: string) => `version: 1\ntokens: ${s}`,
    (s: string) => issuer(`jwks: 'https://${s}:${s}@x.example/'`),
    (s: string) => issuer(`jwks: ./k, algorithms: ['${s}']`),
    (s: string) => certificate(`san_uri: 'x*${s}', subject: '${s}'`),
    (s: string) => certificate(`san_uri: a, subject: { type: s, from: '${s}' }`),
  ];
  let told = 0;
  fc.assert(
    fc.property(fc.constantFrom(...places), secrets, (place, secret) => {
      const result = parse(place(secret));
      if (result.ok) return;
      told += 1;
      expect(JSON.stringify(result)).not.toContain(secret);
      expect(formatProblems(result)).not.toContain(secret.slice(0, 20));
    }),
    { numRuns: 1_000 },
  );
  expect(told).toBeGreaterThan(900);
});
