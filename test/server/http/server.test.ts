import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DecisionService } from '../../../src/gen/postern/v1/decision_service_pb.ts';
import { maxMessageBytes } from '../../../src/model/limits.ts';
import { createFakePdp, type FakePdp, fakeDataAgeMs, fakeDecisionId } from '../fake-pdp.ts';
import { type RunningServers, runServers } from '../servers.ts';

const allowed = { subject: 'user:read', action: 'read', object: 'doc:1' };
const denied = { ...allowed, subject: 'user:write' };
const json = { 'content-type': 'application/json' };

let pdp: FakePdp;
let running: RunningServers;
let metrics: () => string;

beforeEach(async () => {
  metrics = () => 'postern_checks_total 1\n';
  pdp = createFakePdp();
  running = await runServers(pdp, () => metrics());
});
afterEach(() => running.close());

function post(body: object, rpc = 'Check', headers: Record<string, string> = json): Promise<Response> {
  return fetch(`${running.url}/postern.v1.DecisionService/${rpc}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe('JSON, as curl sends it', () => {
  it('is answered in JSON, with a denial in so many words', async () => {
    const response = await post(denied);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      decision: {
        allowed: false,
        reason: 'REASON_ROLE_LACKS_PERMISSION',
        binding: '',
        decisionId: fakeDecisionId,
        enforcedAllowed: false,
      },
      revision: 'e1.1',
      mode: 'MODE_ENFORCE',
      dataAgeMs: fakeDataAgeMs,
    });
  });

  it('hands over who called and in which trace', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await post(allowed, 'Check', { ...json, traceparent });
    expect(pdp.calls[0]?.call).toEqual({
      source: 'check',
      caller: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    });
  });

  it('many are answered over connections that are kept alive', async () => {
    for (let i = 0; i < 20; i++) await (await post(i % 2 === 0 ? allowed : denied)).text();
    expect(pdp.calls).toHaveLength(20);
    // The client may open a second one before it knows that the first is free.
    expect(new Set(pdp.calls.map(({ call }) => call.caller)).size).toBeLessThanOrEqual(2);
  });

  it('from a page of another site is not invited: no CORS headers', async () => {
    const response = await fetch(`${running.url}/postern.v1.DecisionService/Check`, {
      method: 'OPTIONS',
      headers: { origin: 'https://example.org', 'access-control-request-method': 'POST' },
    });
    expect(response.ok).toBe(false);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('as a form or as plain text, which a page could send unasked, is refused', async () => {
    expect((await post(allowed, 'Check', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  it('over the limit of a message is refused with LIMIT_EXCEEDED', async () => {
    const response = await post({ ...allowed, tenant: 'x'.repeat(maxMessageBytes) });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ details: [{ debug: { reason: 'LIMIT_EXCEEDED' } }] });
  });

  it('in a compressed answer is right too', async () => {
    const checks = Array.from({ length: 200 }, () => allowed);
    const response = await post({ checks }, 'BatchCheck', { ...json, 'accept-encoding': 'gzip' });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(((await response.json()) as { decisions: object[] }).decisions).toHaveLength(200);
  });
});

describe('generated clients', () => {
  const transports = {
    'Connect over HTTP/1.1': () => createConnectTransport({ baseUrl: running.url, httpVersion: '1.1' }),
    'Connect over HTTP/2': () => createConnectTransport({ baseUrl: running.url, httpVersion: '2' }),
    'gRPC-Web': () => createGrpcWebTransport({ baseUrl: running.url, httpVersion: '1.1' }),
    gRPC: () => createGrpcTransport({ baseUrl: running.url }),
  };

  it.each(Object.entries(transports))('%s reaches every RPC', async (_name, transport) => {
    const client = createClient(DecisionService, transport());
    expect((await client.check(allowed)).decision?.allowed).toBe(true);
    expect((await client.batchCheck({ checks: [allowed, denied], mode: 3 })).allowed).toBe(true);
    expect((await client.listActions({ subject: 'user:read' })).actions).toEqual(['read']);
    expect((await client.listSubjects({ action: 'read' })).wildcards).toEqual(['user:*']);
    expect((await client.explain({ check: allowed })).path?.roles).toEqual(['reader']);
    const parts = await collect(client.listObjects({ subject: 'user:read', action: 'read', type: 'doc' }));
    expect(parts.map((part) => part.objects.length)).toEqual([1000, 1000, 500]);
  });

  it('StreamCheck goes both ways over HTTP/2', async () => {
    const client = createClient(DecisionService, createConnectTransport({ baseUrl: running.url, httpVersion: '2' }));
    async function* questions() {
      yield { id: 1n, check: allowed };
      yield { id: 2n, check: { ...allowed, subject: '' } };
      yield { id: 3n };
      yield { id: 4n, check: denied };
    }
    const answers = await collect(client.streamCheck(questions()));
    expect(answers.map(({ id, result }) => [id, result.case])).toEqual([
      [1n, 'check'],
      [2n, 'error'],
      [3n, 'error'],
      [4n, 'check'],
    ]);
  });

  it('a caller that waits for a revision and goes away ends the wait', async () => {
    const client = createClient(DecisionService, createConnectTransport({ baseUrl: running.url, httpVersion: '1.1' }));
    const gone = new AbortController();
    const answer = client.check({ ...allowed, atLeast: 'e1.2' }, { signal: gone.signal });
    const failed = expect(answer).rejects.toThrow();
    await vi.waitFor(() => expect(pdp.waiting).toBe(1));
    gone.abort();
    await failed;
    await vi.waitFor(() => expect(pdp.waiting).toBe(0));
  });

  it('a deadline that passes while it waits is UNAVAILABLE', async () => {
    const client = createClient(DecisionService, createConnectTransport({ baseUrl: running.url, httpVersion: '1.1' }));
    const answer = client.check({ ...allowed, atLeast: 'e1.2' }, { timeoutMs: 400 });
    await expect(answer).rejects.toMatchObject({
      code: 14,
      rawMessage: expect.stringContaining('did not come in time'),
    });
  });

  it('a list that nobody reads to its end is ended', async () => {
    const client = createClient(DecisionService, createConnectTransport({ baseUrl: running.url, httpVersion: '2' }));
    for await (const part of client.listObjects({ subject: 'user:read', action: 'read', type: 'doc' })) {
      expect(part.objects).toHaveLength(1000);
      break;
    }
    await vi.waitFor(() => expect(pdp.lists).toEqual([{ ended: true }]));
  });
});

describe('the plain paths', () => {
  it('/livez is 200 as long as the process lives; /readyz says whether there is something to answer from', async () => {
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    pdp.setReady(false);
    const response = await fetch(`${running.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'not ready', reason: 'no policy has been loaded yet' });
    expect((await fetch(`${running.url}/livez`)).status).toBe(200);
  });

  it('/readyz says which policies are too old, how old, and why; that does not concern /livez', async () => {
    const behind = [{ tenant: 'default', dataAgeMs: 75_000, reason: 'the store is not followed' }];
    pdp.setBehind(behind);
    const response = await fetch(`${running.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'not ready', reason: 'the policies are too old', behind });
    expect((await fetch(`${running.url}/livez`)).status).toBe(200);
    pdp.setBehind([]);
    expect(await (await fetch(`${running.url}/readyz`)).json()).toEqual({ status: 'ready' });
  });

  it('/metrics is what the telemetry gives, in its content type', async () => {
    const response = await fetch(`${running.url}/metrics?name=x`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('postern_checks_total 1\n');
  });

  it('/metrics that cannot be collected is 500, and logged', async () => {
    metrics = () => {
      throw new Error('no registry');
    };
    expect((await fetch(`${running.url}/metrics`)).status).toBe(500);
    expect(running.errors).toHaveLength(1);
  });

  it.each([
    ['GET', '/', 404],
    ['POST', '/livez', 405],
    ['HEAD', '/livez', 200],
    ['GET', '/postern.v1.DecisionService/Check', 405],
  ])('%s %s is %i', async (method, path, status) => {
    expect((await fetch(`${running.url}${path}`, { method })).status).toBe(status);
  });
});

describe('a connection that speaks neither protocol', () => {
  it('is answered with 400 and closed, and the port goes on', async () => {
    const socket = connect(running.servers.httpAddress?.port ?? 0, '127.0.0.1');
    socket.write('PRI * HTTP/1');
    socket.write('.1 and so on\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400/);
    expect((await post(allowed)).status).toBe(200);
  });

  it('and a preface that comes in pieces is HTTP/2 all the same', async () => {
    const socket = connect(running.servers.httpAddress?.port ?? 0, '127.0.0.1');
    socket.setNoDelay(true);
    socket.write('PRI * HT');
    await new Promise((resolve) => setImmediate(resolve));
    socket.write('TP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.from('000000040000000000', 'hex'));
    const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    // A SETTINGS frame: type 4 on stream 0.
    expect(first[3]).toBe(4);
    socket.destroy();
  });
});
