import { fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  DecisionService,
  StreamCheckRequestSchema,
  type StreamCheckResponse,
  StreamCheckResponseSchema,
} from '../../../src/gen/postern/v1/decision_service_pb.ts';
import { createFakePdp, type FakePdp } from '../fake-pdp.ts';
import { createGrpcClient, encoded, errorInfoOf, pathOf } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';

const asIs = (bytes: Buffer) => bytes;
const allowed = { subject: 'user:read', action: 'read', object: 'doc:1' };
const denied = { ...allowed, subject: 'user:write' };

let pdp: FakePdp;
let running: RunningServers;
let client: Client;

beforeEach(async () => {
  pdp = createFakePdp();
  running = await runServers(pdp);
  client = createGrpcClient(running.tcp);
});
afterEach(async () => {
  client.close();
  await running.close();
});

function open(): ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest(pathOf(DecisionService.method.streamCheck), asIs, asIs);
}

function message(init: MessageInitShape<typeof StreamCheckRequestSchema>): Buffer {
  return encoded(StreamCheckRequestSchema, init);
}

async function answersOf(call: ClientDuplexStream<Buffer, Buffer>): Promise<StreamCheckResponse[]> {
  const answers: StreamCheckResponse[] = [];
  for await (const bytes of call) answers.push(fromBinary(StreamCheckResponseSchema, bytes as Buffer));
  return answers;
}

describe('StreamCheck', () => {
  it('answers each question in order, under its id', async () => {
    const call = open();
    const ids = [1n, 0n, 18446744073709551615n, 1n << 40n];
    for (const [i, id] of ids.entries()) call.write(message({ id, check: i % 2 === 0 ? allowed : denied }));
    call.end();
    const answers = await answersOf(call);
    expect(answers.map((answer) => answer.id)).toEqual(ids);
    const decisions = answers.map(({ result }) =>
      result.case === 'check' ? result.value.decision?.allowed : undefined,
    );
    expect(decisions).toEqual([true, false, true, false]);
    expect(pdp.calls[0]?.call.source).toBe('stream');
  });

  it('answers 20,000 questions of a caller that reads late', async () => {
    const call = open();
    const count = 20_000;
    call.pause();
    for (let i = 0; i < count; i++) call.write(message({ id: BigInt(i), check: i % 3 === 0 ? allowed : denied }));
    call.end();
    const answers = await answersOf(call);
    const wrong = answers.filter(
      ({ id, result }, i) =>
        id !== BigInt(i) || result.case !== 'check' || result.value.decision?.allowed !== (i % 3 === 0),
    );
    expect(answers).toHaveLength(count);
    expect(wrong).toEqual([]);
  });

  it.each([
    ['a malformed name', { ...allowed, subject: 'user:*' }, 'INVALID_ARGUMENT', 3],
    ['an unknown reach', { ...allowed, reach: 9 as 0 }, 'INVALID_ARGUMENT', 3],
    ['an unknown tenant', { ...allowed, tenant: 'other' }, 'NOT_FOUND', 5],
    ['a defect', { ...allowed, subject: 'crash:boom' }, 'INTERNAL', 13],
    ['no question', undefined, 'INVALID_ARGUMENT', 3],
  ])('%s is answered with an error, and the stream goes on', async (_what, check, _name, code) => {
    const call = open();
    call.write(check === undefined ? message({ id: 1n }) : message({ id: 1n, check }));
    call.write(message({ id: 2n, check: allowed }));
    call.end();
    const [first, second] = await answersOf(call);
    expect(first).toMatchObject({ id: 1n, result: { case: 'error', value: { code, details: [{}] } } });
    expect(second).toMatchObject({ id: 2n, result: { case: 'check', value: { decision: { allowed: true } } } });
  });

  it('bytes that are no message end the stream', async () => {
    const call = open();
    call.write(message({ id: 1n, check: allowed }));
    call.write(Buffer.from('12ff', 'hex'));
    const error = await answersOf(call).catch((cause: ServiceError) => cause);
    expect(error).toMatchObject({ code: 3 });
    expect(errorInfoOf(error as ServiceError).reason).toBe('INVALID_REQUEST');
  });

  it('a question that waits for a revision holds back those behind it', async () => {
    const call = open();
    call.write(message({ id: 1n, check: { ...allowed, atLeast: 'e1.2' } }));
    call.write(message({ id: 2n, check: denied }));
    call.end();
    const answers = answersOf(call);
    await vi.waitFor(() => expect(pdp.waiting).toBe(1));
    expect(pdp.calls).toEqual([]);
    pdp.reach();
    expect((await answers).map((answer) => answer.id)).toEqual([1n, 2n]);
  });

  it('a caller that goes away is forgotten', async () => {
    const call = open();
    call.on('error', () => undefined);
    call.write(message({ id: 1n, check: { ...allowed, atLeast: 'e1.2' } }));
    await vi.waitFor(() => expect(pdp.waiting).toBe(1));
    call.cancel();
    await vi.waitFor(() => expect(pdp.waiting).toBe(0));
    expect(pdp.calls).toEqual([]);
    expect(running.errors).toEqual([]);
  });
});
