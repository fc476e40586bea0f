// TLS on the gRPC port, with real sockets: who gets in, as whom, and how certificates are renewed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { type ChannelCredentials, Client, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DecisionService } from '../../../src/gen/postern/v1/decision_service_pb.ts';
import { formatAddress } from '../../../src/server/address.ts';
import { openTls, type Tls, type TlsFiles } from '../../../src/server/grpc/tls.ts';
import { type Servers, startServers } from '../../../src/server/start.ts';
import { type Certificate, createCertificate } from '../../authn/x509.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { unary } from '../grpc-client.ts';
import { openGates } from '../servers.ts';
import { askWho, channelOf, channelOptions, startWhoServer } from './who.ts';

const uri = 'spiffe://example/sa/ci';
let authority: Certificate;
let server: Certificate;
let client: Certificate;
let stranger: Certificate;
let impostor: Certificate;
beforeAll(() => {
  authority = createCertificate({ name: 'authority' });
  server = createCertificate({ name: 'server', issuer: authority, sanDns: ['localhost'] });
  client = createCertificate({ name: 'client', issuer: authority, sanUris: [uri], sanDns: ['ci.example'] });
  stranger = createCertificate({ name: 'client', issuer: createCertificate({ name: 'other' }), sanUris: [uri] });
  impostor = createCertificate({ name: 'client', issuer: createCertificate({ name: 'authority' }), sanUris: [uri] });
});

let directory: string;
let files: TlsFiles;
const closers: (() => unknown)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-tls-'));
  files = { cert: path('cert'), key: path('key'), clientCa: path('ca'), requireClientCert: false };
  await write(server, authority);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(directory, { recursive: true });
});

function path(name: string): string {
  return join(directory, `${name}.pem`);
}

async function write({ cert, key }: Certificate, ca: Certificate): Promise<void> {
  await writeFile(path('cert'), cert);
  await writeFile(path('key'), key);
  await writeFile(path('ca'), ca.cert);
}

const messages: string[] = [];
const log = {
  info: (_: object, message: string) => void messages.push(message),
  error: (fields: object, message: string) => void messages.push(`${message} ${JSON.stringify(fields)}`),
};

/** A server that tells what its caller shows. */
async function listen(tlsFiles: TlsFiles): Promise<{ readonly port: number; readonly tls: Tls }> {
  messages.length = 0;
  const tls = await openTls(tlsFiles, log, { debounceMs: 5 });
  closers.push(() => tls.close());
  const { port, close } = await startWhoServer(tls.credentials);
  closers.push(close);
  return { port, tls };
}

function channel(shown: Certificate | undefined, trusted = authority): ChannelCredentials {
  return channelOf(trusted, shown);
}

const asClient = { certificate: { sanUris: [uri], sanDns: ['ci.example'], expiresAt: expect.any(Number) } };

describe('a client', () => {
  test('with a certificate by the authority is known by its names', async () => {
    const { port } = await listen(files);
    const shown = await askWho(port, channel(client));
    expect(shown).toMatchObject(asClient);
    expect(Math.abs((shown.certificate?.expiresAt ?? 0) - Date.now() - 3_600_000)).toBeLessThan(120_000);
  });

  test('without a certificate is let in as nobody', async () => {
    const { port } = await listen(files);
    expect(await askWho(port, channel(undefined))).toEqual({});
  });

  test('with a certificate by somebody else is nobody', async () => {
    const { port } = await listen(files);
    expect(await askWho(port, channel(stranger))).toEqual({});
  });

  test('with a certificate by somebody else who goes by the name of the authority is turned away', async () => {
    const { port } = await listen(files);
    await expect(askWho(port, channel(impostor))).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test('with a certificate that has expired, or is not valid yet, is nobody', async () => {
    const { port } = await listen(files);
    const past = { notBefore: new Date(0), notAfter: new Date(Date.now() - 60_000) };
    const future = { notBefore: new Date(Date.now() + 60_000) };
    for (const dates of [past, future]) {
      const wrong = createCertificate({ name: 'client', issuer: authority, sanUris: [uri], ...dates });
      expect(await askWho(port, channel(wrong))).toEqual({});
    }
  });

  test('is asked for no certificate where no authority is named', async () => {
    const { port } = await listen({ ...files, clientCa: undefined });
    expect(await askWho(port, channel(client))).toEqual({});
  });

  test.for([
    ['without a certificate', (): Certificate | undefined => undefined],
    ['with one by somebody else', () => stranger],
    ['with one by an impostor', () => impostor],
    ['with one that signs itself', () => createCertificate({ name: 'client' })],
  ] as const)('%s is turned away where certificates are required', async ([, shown]) => {
    const { port } = await listen({ ...files, requireClientCert: true });
    await expect(askWho(port, channel(shown()))).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(await askWho(port, channel(client))).toMatchObject(asClient);
  });

  test('that speaks in the clear is turned away', async () => {
    const { port } = await listen(files);
    await expect(askWho(port, credentials.createInsecure())).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test('that trusts another authority turns the server away', async () => {
    const { port } = await listen(files);
    await expect(askWho(port, channel(client, stranger))).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe('renewed files', () => {
  test('are in force for connections to come, for server and clients', async () => {
    const { port } = await listen(files);
    expect(await askWho(port, channel(client))).toMatchObject(asClient);
    const nextAuthority = createCertificate({ name: 'next' });
    const next = createCertificate({ name: 'server', issuer: nextAuthority, sanDns: ['localhost'] });
    const nextClient = createCertificate({ name: 'client', issuer: nextAuthority, sanUris: ['spiffe://next'] });
    await write(next, nextAuthority);
    await expect
      .poll(() => askWho(port, channel(nextClient, nextAuthority)).catch(() => undefined))
      .toMatchObject({ certificate: { sanUris: ['spiffe://next'] } });
    expect(await askWho(port, channel(client, nextAuthority))).toEqual({});
    expect(messages).toContain('TLS certificates have been renewed');
  });

  test('end sessions that could be resumed: an authority that is gone does not count through them', async () => {
    const { port } = await listen(files);
    const first = await handshake(port);
    expect(await handshake(port, first)).toBe(true);
    await write(server, createCertificate({ name: 'next' }));
    await expect.poll(() => messages).toContain('TLS certificates have been renewed');
    expect(await handshake(port, first)).toBe(false);
  });

  test.for<[string, string, () => string, RegExp]>([
    ['a key of another certificate', 'key', () => client.key, /--tls-key .* is not the private key/],
    ['half a key', 'key', () => server.key.slice(0, 60), /--tls-key .* is not the private key/],
    ['half a certificate', 'cert', () => server.cert.slice(0, 300), /--tls-cert .* holds no certificate in PEM/],
    ['nothing', 'ca', () => '', /--tls-client-ca .* holds no certificate in PEM/],
  ])('that hold %s change nothing, and the operator is told', async ([, name, text, message]) => {
    const { port } = await listen(files);
    await writeFile(path(name), text());
    await expect.poll(() => messages.join('\n')).toMatch(message);
    expect(messages.join('\n')).not.toContain('PRIVATE KEY');
    expect(await askWho(port, channel(client))).toMatchObject(asClient);
  });

  test('that hold what they held before are no news', async () => {
    await listen(files);
    await write(server, authority);
    await writeFile(path('key'), 'x');
    await expect.poll(() => messages.join('\n')).toMatch(/is not the private key/);
    expect(messages).not.toContain('TLS certificates have been renewed');
  });

  test('that are gone change nothing', async () => {
    const { port } = await listen(files);
    await rm(path('key'));
    await expect.poll(() => messages.join('\n')).toMatch(/--tls-key .* cannot be read: there is no such file/);
    expect(await askWho(port, channel(client))).toMatchObject(asClient);
  });

  test('change nothing after closing, and closing twice is closing once', async () => {
    const { tls } = await listen(files);
    await Promise.all([tls.close(), tls.close()]);
    const other = await openTls(files, log, { debounceMs: 5 });
    closers.push(() => other.close());
    messages.length = 0;
    await writeFile(path('ca'), stranger.cert);
    await expect.poll(() => messages).toHaveLength(1);
  });
});

/** One bare TLS connection: the session that the server gives, or whether it took the one it gave before. */
function handshake(port: number): Promise<Buffer>;
function handshake(port: number, session: Buffer): Promise<boolean>;
function handshake(port: number, session?: Buffer): Promise<Buffer | boolean> {
  return new Promise<Buffer | boolean>((resolve, reject) => {
    const { cert, key } = client;
    const where = { host: '127.0.0.1', port, servername: 'localhost', ALPNProtocols: ['h2'] };
    const socket: TLSSocket = connect({ ...where, ca: authority.cert, cert, key, ...(session && { session }) });
    socket.once('error', reject);
    if (session === undefined) socket.once('session', resolve);
    else socket.once('secureConnect', () => resolve(socket.isSessionReused()));
    closers.push(() => socket.destroy());
    // Tickets come behind the handshake, and only to who reads.
    socket.resume();
  });
}

describe("the sidecar's servers", () => {
  let servers: Servers | undefined;
  afterEach(() => servers?.close(0));
  const loopback = { host: '127.0.0.1', port: 0 };
  const start = (tls: TlsFiles) =>
    startServers(
      { pdp: createFakePdp(), gates: openGates(), log, metricsText: () => '' },
      { grpcAddress: loopback, httpAddress: loopback, socket: { path: join(directory, 's'), mode: 0o600 }, tls },
    );

  test('speak TLS over TCP, and plain on the socket', async () => {
    servers = await start(files);
    const question = { subject: 'user:read', action: 'read', object: 'doc:1' };
    const address = formatAddress(servers.grpcAddress as NonNullable<Servers['grpcAddress']>);
    for (const [target, how] of [
      [address, channel(undefined)],
      [`unix:${join(directory, 's')}`, credentials.createInsecure()],
    ] as const) {
      const caller = new Client(target, how, channelOptions);
      expect(await unary(caller, DecisionService.method.check, question)).toMatchObject({
        decision: { allowed: true },
      });
      caller.close();
    }
  });

  test.for([
    ['cert', 'tls-cert'],
    ['key', 'tls-key'],
    ['ca', 'tls-client-ca'],
  ] as const)('do not start without the file of %s, and name the option', async ([name, option]) => {
    await rm(path(name));
    await expect(start(files)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      metadata: { option },
      message: expect.stringContaining(`--${option} ${path(name)} cannot be read: there is no such file`),
    });
  });
});
