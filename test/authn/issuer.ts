/** An issuer of JSON Web Tokens for tests, and a real HTTP server that publishes its keys. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly publicJwk: JWK;
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

export async function createSigningKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return {
    kid,
    alg,
    publicJwk,
    sign: (claims, header = {}) => new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
  };
}

export interface KeyServer {
  readonly url: string;
  /** How often the keys were asked for. */
  readonly fetches: number;
  publish(...keys: readonly SigningKey[]): void;
  /** Answers with this status from now on; 200 publishes again. */
  fail(status: number): void;
  close(): Promise<void>;
}

export async function startKeyServer(...first: readonly SigningKey[]): Promise<KeyServer> {
  let keys = first;
  let status = 200;
  let fetches = 0;
  const server = createServer((_, response) => {
    fetches += 1;
    response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' });
    response.end(JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    get fetches() {
      return fetches;
    },
    publish(...next) {
      keys = next;
    },
    fail(next) {
      status = next;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}
