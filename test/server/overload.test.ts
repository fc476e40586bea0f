// Real servers with more to do than they may: what is refused, and how; what is not; and what goes when callers go.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RetryInfoSchema, StatusSchema } from '../../src/gen/google/rpc/status_pb.ts';
import { BatchCheckRequestSchema, DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { Admission } from '../../src/server/admission.ts';
import type { Clock } from '../../src/server/clock.ts';
import type { Gates } from '../../src/server/gates.ts';
import { LongWork } from '../../src/server/long-work.ts';
import { createFakePdp, type FakePdp } from './fake-pdp.ts';
import { createGrpcClient, encoded, errorInfoOf, pathOf, unary, unaryBytes } from './grpc-client.ts';
import { openGates, type RunningServers, runServers } from './servers.ts';

const asIs = (bytes: Buffer) => bytes;
const { method } = DecisionService;
const allowed = { subject: 'user:read', action: 'read', object: 'doc:1' };
const waits = { ...allowed, atLeast: 'e1.2' };
const manyChecks = { checks: Array.from({ length: 1_000 }, () => allowed) };

let pdp: FakePdp;
let running: RunningServers;
let client: Client;
afterEach(async () => {
  client.close();
  await running.close();
});

async function start(gates: Gates): Promise<void> {
  pdp = createFakePdp();
  running = await runServers(pdp, () => 'some 1', {}, gates);
  client = createGrpcClient(running.tcp);
}

function failed(promise: Promise<unknown>): Promise<ServiceError> {
  return promise.then(
    () => expect.fail('was answered'),
    (error: ServiceError) => error,
  );
}

const inFlight = (count: number) => vi.waitFor(() => expect(running.gates.admission.inFlight).toBe(count));

function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${running.url}/postern.v1.DecisionService/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
}

describe('when as much is in progress as may be', () => {
  it('gRPC says RESOURCE_EXHAUSTED, why, and when to come again', async () => {
    await start(openGates({ maxInFlight: 1 }));
    const waiting = unary(client, method.check, waits);
    await inFlight(1);
    const error = await failed(unary(client, method.check, waits));
    expect(error.code).toBe(8);
    expect(errorInfoOf(error)).toMatchObject({ reason: 'OVERLOADED', metadata: { limit: 'max-in-flight' } });
    const { details } = fromBinary(StatusSchema, error.metadata.get('grpc-status-details-bin')[0] as Buffer);
    const retry = details.map((detail) => anyUnpack(detail, RetryInfoSchema)).find((info) => info !== undefined);
    expect(retry?.retryDelay?.seconds).toBe(1n);
    pdp.reach();
    expect((await waiting).decision?.allowed).toBe(true);
    await inFlight(0);
  });

  it('HTTP says 429, why, and when to come again', async () => {
    await start(openGates({ maxInFlight: 1 }));
    const waiting = unary(client, method.check, waits);
    await inFlight(1);
    const response = await post('Check', allowed);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await response.json()).toMatchObject({
      code: 'resource_exhausted',
      details: [{ debug: { reason: 'OVERLOADED' } }, { type: 'google.rpc.RetryInfo' }],
    });
    pdp.reach();
    await waiting;
    await inFlight(0);
    expect((await post('Check', allowed)).status).toBe(200);
    await inFlight(0);
  });

  it('what is answered at once is answered, and health, probes and metrics are', async () => {
    await start(openGates({ maxInFlight: 1 }));
    const waiting = unary(client, method.check, waits);
    await inFlight(1);
    expect((await unary(client, method.check, allowed)).decision?.allowed).toBe(true);
    const health = await unaryBytes(client, '/grpc.health.v1.Health/Check', Buffer.alloc(0));
    expect([...health]).toEqual([8, 1]);
    for (const path of ['livez', 'readyz', 'metrics']) {
      expect((await fetch(`${running.url}/${path}`)).status).toBe(200);
    }
    pdp.reach();
    await waiting;
  });

  it('neither lists nor streams nor batches begin', async () => {
    await start(openGates({ maxInFlight: 1 }));
    const waiting = unary(client, method.check, waits);
    await inFlight(1);
    const list = client.makeServerStreamRequest(
      pathOf(method.listObjects),
      asIs,
      asIs,
      encoded(method.listObjects.input, { subject: 'user:read', action: 'read', type: 'doc' }),
    );
    const stream = client.makeBidiStreamRequest(pathOf(method.streamCheck), asIs, asIs);
    const errors = [list, stream].map(
      (call) => new Promise<ServiceError>((resolve) => call.once('error', resolve).resume()),
    );
    for (const error of await Promise.all(errors))
      expect([error.code, errorInfoOf(error).reason]).toEqual([8, 'OVERLOADED']);
    expect((await failed(unary(client, method.batchCheck, { checks: [allowed] }))).code).toBe(8);
    expect((await failed(unary(client, method.listSubjects, { action: 'read', object: 'doc:1' }))).code).toBe(8);
    expect(pdp.calls).toEqual([]);
    pdp.reach();
    await waiting;
  });

  it('by bytes, a large batch is refused and a small one is not', async () => {
    await start(openGates({ maxHeldBytes: 2_000 }));
    const waiting = unary(client, method.check, waits);
    await inFlight(1);
    const error = await failed(unary(client, method.batchCheck, manyChecks));
    expect(errorInfoOf(error).metadata.limit).toBe('max-held-bytes');
    expect((await unary(client, method.batchCheck, { checks: [allowed] })).decisions).toHaveLength(1);
    pdp.reach();
    await waiting;
  });
});

describe('when turns have been too long for a while', () => {
  it('a check that comes late in one is refused, over gRPC and HTTP', async () => {
    let nowMs = 0;
    let endTurn = () => {};
    const clock: Clock = {
      now: () => nowMs,
      nextTurn(callback) {
        endTurn = callback;
      },
    };
    const longWork = new LongWork(clock);
    const limits = { maxQueueDelayMs: 100, maxInFlight: 10, maxHeldBytes: 1e6 };
    const admission = new Admission(limits, clock, longWork, () => undefined);
    await start({ admission, longWork, maxConcurrentStreams: 100 });
    for (let i = 0; i < 2; i++) {
      admission.enter();
      nowMs += 150;
      endTurn();
    }
    admission.enter();
    expect((await unary(client, method.check, allowed)).decision?.allowed).toBe(true);
    nowMs += 150;
    const error = await failed(unary(client, method.check, allowed));
    expect([error.code, errorInfoOf(error).metadata.limit]).toEqual([8, 'max-queue-delay']);
    expect((await post('Check', allowed)).status).toBe(429);
    expect(admission.shed.queue_delay).toBe(2);
    nowMs += 1;
    endTurn();
    expect((await unary(client, method.check, allowed)).decision?.allowed).toBe(true);
    expect(running.errors).toEqual([]);
  });
});

describe('a call that may take long, where those before it will take too long', () => {
  it('is refused by its headers, whatever the size of its message', async () => {
    const gates = openGates();
    vi.spyOn(gates.longWork, 'meanMs', 'get').mockReturnValue(100_000);
    await start(gates);
    const ends = Array.from({ length: 4 }, () => gates.admission.expectLongWork());
    const large = { checks: Array.from({ length: 10_000 }, () => ({ ...allowed, object: `doc:${'x'.repeat(200)}` })) };
    for (let i = 0; i < 3; i++) {
      const error = await failed(unary(client, method.batchCheck, large));
      expect([error.code, errorInfoOf(error).metadata.limit]).toEqual([8, 'max-queue-delay']);
    }
    expect(pdp.calls).toEqual([]);
    ends[0]?.();
    expect((await unary(client, method.batchCheck, { checks: [allowed] })).decisions).toHaveLength(1);
    expect((await unary(client, method.batchCheck, { checks: [allowed] })).decisions).toHaveLength(1);
  });
});

describe('long work', () => {
  /** A clock by which each look takes a millisecond, and whose turns are the test's. */
  function slowClock() {
    let nowMs = 0;
    const turns: (() => void)[] = [];
    const clock: Clock = { now: () => nowMs++, nextTurn: (callback) => void turns.push(callback) };
    return { clock, turn: () => turns.splice(0).forEach((callback) => void callback()) };
  }

  async function startSlowly(maxQueueDelayMs: number) {
    const { clock, turn } = slowClock();
    const longWork = new LongWork(clock);
    const limits = { maxQueueDelayMs, maxInFlight: 10, maxHeldBytes: 1e9 };
    const admission = new Admission(limits, clock, longWork, () => undefined);
    await start({ admission, longWork, maxConcurrentStreams: 100 });
    return turn;
  }

  function beginBatch(options: { deadline?: number } = {}) {
    const settled = { error: undefined as ServiceError | undefined };
    const bytes = encoded(BatchCheckRequestSchema, { checks: Array.from({ length: 10_000 }, () => allowed) });
    const call = client.makeUnaryRequest(pathOf(method.batchCheck), asIs, asIs, bytes, options, (error) => {
      settled.error = error ?? undefined;
    });
    return { call, settled };
  }

  it('whose caller has gone away is not gone on with', async () => {
    const turn = await startSlowly(1e9);
    const { call } = beginBatch();
    await vi.waitFor(() => expect(pdp.calls.length).toBeGreaterThan(0));
    const before = pdp.calls.length;
    expect(before).toBeLessThan(10_000);
    call.cancel();
    await inFlight(0);
    for (let i = 0; i < 3; i++) turn();
    await nextTurn();
    expect(pdp.calls).toHaveLength(before);
  });

  it('whose deadline has passed is not gone on with', async () => {
    const turn = await startSlowly(1e9);
    const { settled } = beginBatch({ deadline: Date.now() + 300 });
    await vi.waitFor(() => expect(settled.error?.code).toBe(4));
    const before = pdp.calls.length;
    expect(before).toBeLessThan(10_000);
    for (let i = 0; i < 3; i++) turn();
    await inFlight(0);
    expect(pdp.calls).toHaveLength(before);
  });

  it('lets a check through, and once it is late, no more of its kind', async () => {
    const turn = await startSlowly(20);
    const { settled } = beginBatch();
    await vi.waitFor(() => expect(pdp.calls.length).toBeGreaterThan(0));
    expect((await unary(client, method.check, allowed)).decision?.allowed).toBe(true);
    // Each look at the clock takes a millisecond.
    while (running.gates.longWork.delayMs <= 20);
    expect(errorInfoOf(await failed(unary(client, method.batchCheck, manyChecks))).metadata.limit).toBe(
      'max-queue-delay',
    );
    expect((await unary(client, method.batchCheck, { checks: [allowed] })).decisions).toHaveLength(1);
    while (running.gates.longWork.delayMs > 0) turn();
    await inFlight(0);
    expect(settled.error).toBeUndefined();
  });
});
