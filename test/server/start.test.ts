import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DecisionService, StreamCheckRequestSchema } from '../../src/gen/postern/v1/decision_service_pb.ts';
import type { HostPort } from '../../src/server/address.ts';
import { type Servers, type ServersOptions, startServers } from '../../src/server/start.ts';
import { createFakePdp } from './fake-pdp.ts';
import { createGrpcClient, encoded, errorInfoOf, pathOf, unary } from './grpc-client.ts';
import { openGates, runServers } from './servers.ts';

const asIs = (bytes: Buffer) => bytes;
const { method } = DecisionService;
const allowed = { subject: 'user:read', action: 'read', object: 'doc:1' };
const waits = { ...allowed, atLeast: 'e1.2' };
const checkPath = '/postern.v1.DecisionService/Check';
const json = { 'content-type': 'application/json' };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

function start(options: Partial<ServersOptions>): Promise<Servers> {
  const log = { info: () => undefined, error: () => undefined };
  const nothing: ServersOptions = { grpcAddress: undefined, httpAddress: undefined, socket: undefined };
  return startServers(
    { pdp: createFakePdp(), gates: openGates(), log, metricsText: () => '' },
    { ...nothing, ...options },
  );
}

describe('a bind that fails', () => {
  async function taken(use: (address: HostPort) => Promise<void>): Promise<void> {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    await use({ host: '127.0.0.1', port: address.port });
    other.close();
  }

  it.each([
    ['grpcAddress', 'grpc-address'],
    ['httpAddress', 'http-address'],
  ] as const)('%s in use names the address and the option', (name, option) =>
    taken(async (address) => {
      const error = await start({ [name]: address }).catch((cause: Error) => cause);
      expect(error).toMatchObject({ code: 'INVALID_OPTION', metadata: { option } });
      expect(String(error)).toContain(`127.0.0.1:${address.port} is in use`);
    }),
  );

  it('of HTTP leaves gRPC and the socket closed too', () =>
    taken(async (httpAddress) => {
      const path = join(directory, 's.sock');
      const loopback = { host: '127.0.0.1', port: 0 };
      const options = { grpcAddress: loopback, httpAddress, socket: { path, mode: 0o660 } };
      await expect(start(options)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    }));

  it.each([
    [
      'an address of another machine',
      { grpcAddress: { host: '192.0.2.1', port: 0 } },
      /not an address of this machine/,
    ],
    ['the same for HTTP', { httpAddress: { host: '192.0.2.1', port: 0 } }, /not an address of this machine/],
    ['a directory that is not there', { socket: { path: '/nowhere/at/all/s.sock', mode: 0o660 } }, /does not exist/],
    ['a path that is too long', { socket: { path: `/tmp/${'x'.repeat(120)}`, mode: 0o660 } }, /longer than 107/],
  ])('%s is said to be that', async (_what, options, message) => {
    await expect(start(options)).rejects.toThrow(message);
  });
});

describe('the file of the Unix socket', () => {
  it('gets the mode that was asked for, and goes with the server', async () => {
    const path = join(directory, 's.sock');
    const servers = await start({ socket: { path, mode: 0o600 } });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await servers.close(1000);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('that a killed process left is replaced', async () => {
    const path = join(directory, 's.sock');
    const script = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    await once(spawn(process.execPath, ['-e', script, path]), 'exit');
    expect((await stat(path)).isSocket()).toBe(true);
    const servers = await start({ socket: { path, mode: 0o660 } });
    const client = createGrpcClient(`unix:${path}`);
    expect((await unary(client, method.check, allowed)).decision?.allowed).toBe(true);
    client.close();
    await servers.close(1000);
  });

  it('that another process answers on is left alone', async () => {
    const path = join(directory, 's.sock');
    const first = await start({ socket: { path, mode: 0o660 } });
    await expect(start({ socket: { path, mode: 0o660 } })).rejects.toThrow(/in use by another process/);
    const client = createGrpcClient(`unix:${path}`);
    expect((await unary(client, method.check, allowed)).decision?.allowed).toBe(true);
    client.close();
    await first.close(1000);
  });

  it('that is no socket is left alone', async () => {
    const path = join(directory, 'precious');
    await writeFile(path, 'data');
    await expect(start({ socket: { path, mode: 0o660 } })).rejects.toThrow(/not a socket/);
    expect((await stat(path)).size).toBe(4);
  });
});

describe('a drain', () => {
  it('lets a call in flight finish and takes no new one, over gRPC', async () => {
    const pdp = createFakePdp();
    const running = await runServers(pdp);
    const client = createGrpcClient(running.tcp);
    const inFlight = unary(client, method.check, waits);
    await vi.waitFor(() => expect(pdp.waiting).toBe(1));
    const closed = running.servers.close(10_000);
    const fresh = createGrpcClient(running.tcp);
    await expect(unary(fresh, method.check, allowed)).rejects.toMatchObject({ code: 14 });
    pdp.reach();
    expect((await inFlight).decision?.allowed).toBe(true);
    await closed;
    expect(running.errors).toEqual([]);
    for (const each of [client, fresh]) each.close();
    await running.close();
  });

  it.each(['1.1', '2'] as const)(
    'lets a request in flight finish and takes no new one, over HTTP/%s',
    async (version) => {
      const pdp = createFakePdp();
      const running = await runServers(pdp);
      const { createConnectTransport } = await import('@connectrpc/connect-node');
      const { createClient } = await import('@connectrpc/connect');
      const transport = createConnectTransport({ baseUrl: running.url, httpVersion: version });
      const inFlight = createClient(DecisionService, transport).check(waits);
      await vi.waitFor(() => expect(pdp.waiting).toBe(1));
      const closed = running.servers.close(10_000);
      await expect(fetch(running.url)).rejects.toThrow();
      pdp.reach();
      expect((await inFlight).decision?.allowed).toBe(true);
      await closed;
      await running.close();
    },
  );

  it('does not wait for idle connections, kept alive or silent', async () => {
    const running = await runServers(createFakePdp());
    const answer = await fetch(`${running.url}${checkPath}`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify(allowed),
    });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    const { connect } = await import('node:net');
    const silent = connect(running.servers.httpAddress?.port ?? 0, '127.0.0.1');
    await once(silent, 'connect');
    await running.servers.close(60_000);
    silent.destroy();
    await running.close();
  });

  it('ends a StreamCheck between two questions, with UNAVAILABLE and why', async () => {
    const running = await runServers(createFakePdp());
    const client = createGrpcClient(running.tcp);
    const call = client.makeBidiStreamRequest(pathOf(method.streamCheck), asIs, asIs);
    call.write(encoded(StreamCheckRequestSchema, { id: 1n, check: allowed }));
    await once(call, 'data');
    const failed = once(call, 'error').catch((error) => [error]);
    call.resume();
    const ended = new Promise((resolve) => call.once('error', resolve));
    await running.servers.close(60_000);
    const error = (await ended) as Parameters<typeof errorInfoOf>[0];
    expect(error.code).toBe(14);
    expect(errorInfoOf(error).reason).toBe('NOT_READY');
    await failed;
    client.close();
    await running.close();
  });

  it('cuts off at its deadline what does not finish, and says so', async () => {
    const pdp = createFakePdp();
    const running = await runServers(pdp);
    const client = createGrpcClient(running.tcp);
    const stuck = unary(client, method.check, waits);
    const failed = expect(stuck).rejects.toMatchObject({ code: expect.any(Number) });
    await vi.waitFor(() => expect(pdp.waiting).toBe(1));
    await running.servers.close(50);
    await failed;
    expect(running.errors).toEqual([{ fields: { deadlineMs: 50 }, message: expect.stringMatching(/cut off/) }]);
    client.close();
    await running.close();
  });

  it('twice is once', async () => {
    const running = await runServers(createFakePdp());
    await Promise.all([running.servers.close(1000), running.servers.close(1000)]);
    await running.servers.close(1000);
    await running.close();
  });
});
