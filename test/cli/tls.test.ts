// TLS to the sidecar: its certificate is verified, and the one of the caller is a credential.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCertificate } from '../authn/x509.ts';
import { examplePolicy } from './example-policy.ts';
import { postern } from './postern.ts';
import { startTestSidecar, type TestSidecar } from './sidecar.ts';

let directory = '';
let sidecar: TestSidecar;
const file = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-cli-tls-'));
  const authority = createCertificate({ name: 'authority' });
  const server = createCertificate({ name: 'sidecar', issuer: authority, sanDns: ['localhost'] });
  const client = createCertificate({ name: 'client', issuer: authority, sanUris: ['spiffe://example/ci'] });
  const other = createCertificate({ name: 'other' });
  await Promise.all([
    writeFile(file('ca.pem'), authority.cert),
    writeFile(file('server.pem'), server.cert),
    writeFile(file('server.key'), server.key),
    writeFile(file('client.pem'), client.cert),
    writeFile(file('client.key'), client.key),
    writeFile(file('other.pem'), other.cert),
  ]);
  sidecar = await startTestSidecar(examplePolicy, {
    signIn: ['user:alice'],
    tls: { cert: file('server.pem'), key: file('server.key'), clientCa: file('ca.pem'), requireClientCert: true },
  });
});

afterAll(async () => {
  await sidecar.close();
  await rm(directory, { recursive: true });
});

const ask = (...args: readonly string[]) =>
  postern(['check', 'user:alice', 'read', 'doc:42', '--address', sidecar.address, ...args]);
const certificate = () => ['--tls-cert', file('client.pem'), '--tls-key', file('client.key')];

test('a question over TLS is answered to who shows a certificate, and the token is known', async () => {
  const [answer, me] = await Promise.all([
    ask('--tls-ca', file('ca.pem'), ...certificate()),
    postern(['whoami', '--address', sidecar.address, '--tls-ca', file('ca.pem'), ...certificate()], {
      env: { POSTERN_TOKEN: sidecar.tokens['user:alice'] ?? '' },
    }),
  ]);
  expect(answer).toMatchObject({ code: 0, stderr: '' });
  expect(me).toEqual({ code: 0, stdout: 'user:alice (by token)\n', stderr: '' });
});

test('a sidecar whose certificate nobody trusts gets no question, and one that wants TLS answers none without', async () => {
  const [foreign, none, plain] = await Promise.all([
    ask('--tls-ca', file('other.pem'), ...certificate()),
    ask('--tls-ca', file('ca.pem')),
    ask(),
  ]);
  for (const run of [foreign, none, plain]) {
    expect(run).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(/^postern: cannot reach a sidecar/),
    });
  }
  expect(foreign.stderr).toContain('certificate');
  expect(plain.stderr).toContain('add --tls-ca where it speaks TLS');
});

test('a sidecar that does not speak TLS is told in one line, without what the library says', async () => {
  const plain = await startTestSidecar(examplePolicy);
  const run = await postern(['health', '--address', plain.address, '--tls-ca', file('ca.pem')]);
  await plain.close();
  expect(run).toEqual({
    code: 2,
    stdout: '',
    stderr: `postern: the sidecar at ${plain.address} does not speak TLS: leave --tls-ca out, and --tls-cert with --tls-key (INVALID_OPTION)\n`,
  });
});

test('files that are missing, or do not belong together, are told with the option that names them', async () => {
  const [missing, half, wrong] = await Promise.all([
    ask('--tls-ca', file('nowhere.pem')),
    ask('--tls-cert', file('client.pem')),
    ask('--tls-cert', file('client.pem'), '--tls-key', file('server.key')),
  ]);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('--tls-ca') });
  expect(missing.stderr).toContain('there is no such file (INVALID_OPTION)');
  expect(half).toMatchObject({ code: 2, stderr: 'postern: --tls-cert needs --tls-key (INVALID_OPTION)\n' });
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be used: ') });
});

test('a token that would go over the net in the clear is told about', async () => {
  const { stderr } = await postern(['whoami', '--address', 'sidecar.invalid:7678', '--timeout', '2s'], {
    env: { POSTERN_TOKEN: 'pst_secret' },
  });
  expect(stderr).toMatch(/^the token goes to sidecar\.invalid:7678 without TLS; add --tls-ca/);
  expect(stderr).not.toContain('pst_secret');
});
