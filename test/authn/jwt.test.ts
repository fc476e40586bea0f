// JSON Web Tokens against a real server of keys: what is accepted, what is refused, and what is neither.
import { createHmac, createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type JWTPayload, UnsecuredJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { bearer, nowMs, type Opened, openAuth } from './file.ts';
import { createSigningKey, type KeyServer, type SigningKey, startKeyServer } from './issuer.ts';

const nowS = nowMs / 1000;
const issuer = 'https://issuer.example';
const claims: JWTPayload = { iss: issuer, aud: 'postern', sub: 'alice', exp: nowS + 60 };

let first: SigningKey;
let second: SigningKey;
let rsa: SigningKey;
let stranger: SigningKey;
beforeAll(async () => {
  [first, second, rsa, stranger] = await Promise.all([
    createSigningKey('k1'),
    createSigningKey('k2', 'EdDSA'),
    createSigningKey('k3', 'RS256'),
    createSigningKey('k1'),
  ]);
});

let server: KeyServer;
let opened: Opened;
const file = (url: string, more = '') => `version: 1
jwt:
  - { issuer: '${issuer}', audience: postern, jwks: '${url}', subject: { type: user, claim: sub }${more} }
`;
beforeEach(async () => {
  server = await startKeyServer(first, rsa);
  opened = await openAuth(file(server.url));
});
afterEach(async () => {
  await opened.close();
  await server.close();
});

const authenticate = (token: string) => opened.authenticator.authenticate(bearer(token));

async function refusal(token: string): Promise<PosternError> {
  const error = await authenticate(token).catch((thrown: unknown) => thrown);
  if (!(error instanceof PosternError)) throw new Error(`it was not refused: ${String(error)}`);
  // Neither the token nor what is in it.
  for (const part of [...token.split('.'), 'alice']) {
    if (part.length > 3) expect(JSON.stringify([error, error.message, error.cause])).not.toContain(part);
  }
  return error;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

describe('a token', () => {
  test('makes the subject that its claim names, and never an operator', async () => {
    const identity = { subject: 'user:alice', operator: false, tenants: undefined, how: 'jwt' };
    expect(await authenticate(await first.sign({ ...claims, operator: true }))).toEqual(identity);
    expect(await authenticate(await rsa.sign({ ...claims, aud: ['other', 'postern'] }))).toEqual(identity);
  });

  test('has the tenants of its issuer', async () => {
    await opened.close();
    opened = await openAuth(file(server.url, ', tenants: [acme]'));
    expect(await authenticate(await first.sign(claims))).toMatchObject({ tenants: ['acme'] });
  });

  test.for([['JWT'], ['at+jwt'], ['AT+JWT'], ['application/at+jwt']])('of the type %s is for access', async ([typ]) => {
    expect(await authenticate(await first.sign(claims, { typ }))).toMatchObject({ subject: 'user:alice' });
  });

  test('may be 30 seconds out of step with the clock here', async () => {
    expect(await authenticate(await first.sign({ ...claims, exp: nowS - 29, nbf: nowS + 30 }))).toBeDefined();
  });

  test('that has expired is refused also while its keys cannot be had', async () => {
    await server.close();
    expect(await refusal(await first.sign(claims))).toMatchObject({ code: 'AUTH_UNAVAILABLE' });
    const error = await refusal(await first.sign({ ...claims, exp: nowS - 30 }));
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringMatching(/has expired/) });
    server = await startKeyServer(first);
  });

  test.for<[string, Record<string, unknown>, RegExp]>([
    ['that has expired', { exp: nowS - 30 }, /has expired/],
    ['without an end', { exp: undefined }, /has no claim "exp"/],
    ['whose end is text', { exp: 'never' }, /claim "exp" .* is not what it must be/],
    ['that is not valid yet', { nbf: nowS + 31 }, /is not valid yet/],
    ['for another audience', { aud: 'other' }, /for another audience/],
    ['for no audience', { aud: undefined }, /has no claim "aud"/],
    ['for a part of the audience', { aud: 'post' }, /for another audience/],
    ['of another issuer', { iss: `${issuer}/` }, /issuer of the token is not one/],
    ['of no issuer', { iss: undefined }, /issuer of the token is not one/],
    ['of a list of issuers', { iss: [issuer] }, /is not what it must be/],
    ['without the claim', { sub: undefined }, /has no claim "sub"/],
    ['whose claim is empty', { sub: '' }, /claim "sub" of the token makes a subject that has an empty id/],
    ['whose claim is a star', { sub: '*' }, /is a wildcard/],
    ['whose claim holds a newline', { sub: 'alice\nbob' }, /holds a control character/],
    ['whose claim holds half a character', { sub: 'a\ud800' }, /surrogate pair/],
    ['whose claim is too long', { sub: 'a'.repeat(257) }, /more than 256 bytes/],
    ['whose claim is a number', { sub: 7 }, /claim "sub" .* is not/],
    ['whose claim is a list', { sub: ['alice'] }, /claim "sub" .* is not/],
  ])('%s is refused', async ([, changed, message]) => {
    const error = await refusal(await first.sign({ ...claims, ...changed }));
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringMatching(message) });
  });

  test.for([['logout+jwt'], ['dpop+jwt'], ['application/secevent+jwt'], ['']])(
    'of the type "%s" is not for access',
    async ([typ]) => {
      const error = await refusal(await first.sign(claims, { typ }));
      expect(error.message).toMatch(/"typ"/);
    },
  );

  test('must be of the one type where the file says which', async () => {
    await opened.close();
    opened = await openAuth(file(server.url, ', typ: at+jwt'));
    expect((await refusal(await first.sign(claims))).message).toMatch(/another type/);
    expect((await refusal(await first.sign(claims, { typ: 'JWT' }))).message).toMatch(/another type/);
    expect(await authenticate(await first.sign(claims, { typ: 'at+jwt' }))).toBeDefined();
  });

  test('whose payload was changed is refused', async () => {
    const [header, , signature] = (await first.sign(claims)).split('.');
    const error = await refusal(`${header}.${encode({ ...claims, sub: 'root' })}.${signature}`);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'the signature of the token is wrong' });
  });

  test('signed by another with the same key id is refused', async () => {
    expect((await refusal(await stranger.sign(claims))).message).toBe('the signature of the token is wrong');
  });

  test.for([['a.b.c'], ['..'], ['eyJhbGciOiJFUzI1NiJ9.e30.'], [`${encode({ alg: 'ES256' })}.${encode([])}.AAAA`]])(
    '%s is refused',
    async ([text]) => {
      expect(await refusal(text as string)).toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  test('with a critical header that is not understood is refused', async () => {
    const header = encode({ alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 });
    const error = await refusal(`${header}.${encode(claims)}.${'A'.repeat(86)}`);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'the token cannot be verified' });
  });
});

describe('an algorithm', () => {
  test('none is refused, and no keys are fetched for it', async () => {
    const unsecured = new UnsecuredJWT(claims).encode();
    expect((await refusal(unsecured)).message).toMatch(/an algorithm that is not accepted|cannot be verified/);
    expect((await refusal(`${encode({ alg: 'None' })}.${encode(claims)}.`)).message).toMatch(/not accepted|verified/);
    expect(server.fetches).toBe(0);
  });

  test('HS256 with the public key as the secret is refused', async () => {
    const publicKey = createPublicKey({ key: { ...rsa.publicJwk }, format: 'jwk' })
      .export({ type: 'spki', format: 'pem' })
      .toString();
    for (const secret of [publicKey, publicKey.trim(), JSON.stringify(rsa.publicJwk)]) {
      const signed = `${encode({ alg: 'HS256', kid: rsa.kid })}.${encode(claims)}`;
      const signature = createHmac('sha256', secret).update(signed).digest('base64url');
      expect((await refusal(`${signed}.${signature}`)).message).toMatch(/algorithm that is not accepted/);
    }
    expect(server.fetches).toBe(0);
  });

  test('that the file does not name is refused', async () => {
    await opened.close();
    opened = await openAuth(file(server.url, ', algorithms: [RS256]'));
    expect((await refusal(await first.sign(claims))).message).toMatch(/algorithm that is not accepted/);
    expect(await authenticate(await rsa.sign(claims))).toBeDefined();
  });
});

describe('keys', () => {
  test('that are new are picked up, and those that were withdrawn are refused', async () => {
    await authenticate(await first.sign(claims));
    server.publish(second);
    expect(await authenticate(await second.sign(claims))).toMatchObject({ subject: 'user:alice' });
    expect((await refusal(await first.sign(claims))).message).toMatch(/a key that its issuer does not publish/);
  });

  test('that nobody knows are asked for only now and then', async () => {
    await opened.close();
    opened = await openAuth(file(server.url), { keyCooldownMs: 3_600_000 });
    const unknown = await second.sign(claims);
    for (let i = 0; i < 20; i++) {
      expect((await refusal(unknown)).message).toMatch(/a key that its issuer does not publish/);
    }
    await Promise.all(Array.from({ length: 20 }, async () => authenticate(await first.sign(claims))));
    expect(server.fetches).toBe(1);
  });

  test('of other issuers do not count', async () => {
    const other = await startKeyServer(stranger);
    await opened.write(
      `${file(server.url)}  - { issuer: evil, audience: postern, jwks: '${other.url}', subject: { type: guest, claim: sub } }\n`,
    );
    await expect.poll(() => opened.events.at(-1)).toMatchObject({ kind: 'loaded', issuers: 2 });
    expect((await refusal(await stranger.sign(claims))).message).toBe('the signature of the token is wrong');
    expect(await authenticate(await stranger.sign({ ...claims, iss: 'evil' }))).toMatchObject({
      subject: 'guest:alice',
    });
    await other.close();
  });

  test.for([[500], [404], [302], [204]])(
    'that come with the status %i cannot be had: nobody is refused for that, and the operator is told once',
    async ([status]) => {
      server.fail(status as number);
      const token = await first.sign(claims);
      expect(await refusal(token)).toMatchObject({ code: 'AUTH_UNAVAILABLE' });
      expect(await refusal(token)).toMatchObject({ code: 'AUTH_UNAVAILABLE' });
      const told = opened.events.filter(({ kind }) => kind === 'keys-unavailable');
      expect(told).toEqual([{ kind: 'keys-unavailable', url: server.url, why: expect.any(String) }]);
      server.fail(200);
      expect(await authenticate(token)).toBeDefined();
    },
  );

  test('of a server that is gone cannot be had', async () => {
    await server.close();
    expect(await refusal(await first.sign(claims))).toMatchObject({ code: 'AUTH_UNAVAILABLE' });
    expect(opened.events.at(-1)).toMatchObject({ why: expect.stringMatching(/ECONNREFUSED/) });
  });

  test('that are damaged cannot be had', async () => {
    server.publish({ ...first, publicJwk: { ...first.publicJwk, x: 'AAAA' } });
    expect(await refusal(await first.sign(claims))).toMatchObject({ code: 'AUTH_UNAVAILABLE' });
  });
});

describe('a file of keys', () => {
  test('is read beside the file that names it, and followed', async () => {
    await opened.close();
    const set = (...keys: readonly SigningKey[]) => JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) });
    opened = await openAuth(file('./keys.json'), {}, { 'keys.json': set(first) });
    expect(await authenticate(await first.sign(claims))).toMatchObject({ subject: 'user:alice' });
    expect((await refusal(await rsa.sign(claims))).message).toMatch(/does not publish/);
    await writeFile(`${opened.directory}/keys.json`, set(rsa));
    const token = await rsa.sign(claims);
    await expect.poll(() => authenticate(token).catch(() => undefined)).toMatchObject({ subject: 'user:alice' });
    expect((await refusal(await first.sign(claims))).message).toMatch(/does not publish/);
  });

  test.for([
    ['is not there', undefined, /there is no such file/],
    ['is not JSON', 'secret-part', /is not a JSON Web Key Set: it is not JSON$/m],
    ['is no key set', '{"keys":{}}', /is not a JSON Web Key Set/],
    ['is empty', '{"keys":[]}', /holds no key/],
    ['holds a shared key', '{"keys":[{"kty":"oct","k":"secret-part"}]}', /only public keys belong there/],
    ['holds a private key', '{"keys":[{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"secret-part"}]}', /private/],
  ] as const)('that %s is refused', async ([, content, message]) => {
    const files: Record<string, string> = content === undefined ? {} : { 'keys.json': content };
    const error = await openAuth(file('keys.json'), {}, files).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'INVALID_OPTION', metadata: { option: 'admin-auth' } });
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('secret-part');
  });
});
