import { fromBinary } from '@bufbuild/protobuf';
import type { Client, ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DecisionService, ListObjectsResponseSchema } from '../../../src/gen/postern/v1/decision_service_pb.ts';
import { maxBatchChecks, maxMessageBytes } from '../../../src/model/limits.ts';
import { createFakePdp, type FakePdp, fakeBinding, fakeDecisionId } from '../fake-pdp.ts';
import { createGrpcClient, encoded, errorInfoOf, pathOf, serverStream, unary } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';

const { method } = DecisionService;
const asIs = (bytes: Buffer) => bytes;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

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

const allowed = { subject: 'user:read', action: 'read', object: 'doc:1' };
const denied = { subject: 'user:write', action: 'read', object: 'doc:1' };

describe('Check', () => {
  it('answers with decision, revision and mode', async () => {
    const answer = await unary(client, method.check, allowed);
    expect(answer).toMatchObject({
      decision: { allowed: true, reason: 1, binding: fakeBinding, decisionId: fakeDecisionId, enforcedAllowed: true },
      revision: 'e1.1',
      mode: 1,
    });
  });

  it('hands the PDP the whole question', async () => {
    await unary(client, method.check, { ...denied, reach: 2, context: { assertedGroups: ['group:a', 'group:read'] } });
    expect(pdp.calls[0]?.query).toEqual({ ...denied, reach: 'exact', assertedGroups: ['group:a', 'group:read'] });
  });

  it('an empty message is a malformed question, not a denial', async () => {
    const error = await unary(client, method.check, {}).catch((cause: ServiceError) => cause);
    expect(errorInfoOf(error as ServiceError)).toMatchObject({
      reason: 'INVALID_SUBJECT',
      metadata: { field: 'subject' },
    });
  });

  it('hands over who called and in which trace', async () => {
    await unary(client, method.check, allowed, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    expect(pdp.calls[0]?.call).toEqual({
      source: 'check',
      caller: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      traceId,
    });
  });

  it('over the socket the caller is "unix"', async () => {
    const local = createGrpcClient(running.unix);
    await unary(local, method.check, allowed);
    local.close();
    expect(pdp.calls[0]?.call).toEqual({ source: 'check', caller: 'unix', traceId: '' });
  });

  it('many at once get each its own answer', async () => {
    const questions = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? allowed : denied));
    const answers = await Promise.all(questions.map((question) => unary(client, method.check, question)));
    expect(answers.map((answer) => answer.decision?.allowed)).toEqual(
      questions.map((question) => question === allowed),
    );
  });
});

describe('a question for a revision that is yet to come', () => {
  const waits = { ...allowed, atLeast: 'e1.2' };

  it('is answered from it when it comes', async () => {
    const answer = unary(client, method.check, waits);
    await vi.waitFor(() => expect(pdp.waiting).toBe(1));
    pdp.reach();
    expect((await answer).revision).toBe('e1.2');
  });

  it('fails with UNAVAILABLE before its deadline, so that the caller learns why', async () => {
    const deadline = Date.now() + 400;
    const error = await unary(client, method.check, waits, {}, { deadline }).catch((cause: ServiceError) => cause);
    expect(errorInfoOf(error as ServiceError).reason).toBe('REVISION_NOT_REACHED');
    expect(Date.now()).toBeLessThan(deadline);
  });

  it('ends its wait when the caller goes away, and is not asked of the PDP', async () => {
    const path = pathOf(method.check);
    const call = client.makeUnaryRequest(path, asIs, asIs, encoded(method.check.input, waits), () => undefined);
    await vi.waitFor(() => expect(pdp.waiting).toBe(1));
    call.cancel();
    await vi.waitFor(() => expect(pdp.waiting).toBe(0));
    expect(pdp.calls).toEqual([]);
  });

  it('of another epoch is OUT_OF_RANGE', async () => {
    const question = { ...allowed, atLeast: 'other.1' };
    const error = await unary(client, method.check, question).catch((cause: ServiceError) => cause);
    expect(error).toMatchObject({ code: 11 });
  });
});

describe('BatchCheck', () => {
  it('keeps the order and answers each', async () => {
    const answer = await unary(client, method.batchCheck, { checks: [allowed, denied, allowed] });
    expect(answer.decisions.map((decision) => decision.allowed)).toEqual([true, false, true]);
    expect(answer).toMatchObject({ allowed: false, revision: 'e1.1', mode: 1 });
    expect(pdp.calls.map(({ call }) => call.source)).toEqual(['batch', 'batch', 'batch']);
  });

  it.each([
    ['all-of', 2, [allowed, allowed], true],
    ['all-of', 2, [allowed, denied], false],
    ['any-of', 3, [allowed, denied], true],
    ['any-of', 3, [denied, denied], false],
    ['each', 1, [allowed, allowed], false],
  ] as const)('%s (%i) sums up', async (_name, mode, checks, sum) => {
    expect((await unary(client, method.batchCheck, { checks: [...checks], mode })).allowed).toBe(sum);
  });

  it(`takes ${maxBatchChecks} and refuses one more`, async () => {
    const checks = Array.from({ length: maxBatchChecks }, () => allowed);
    expect((await unary(client, method.batchCheck, { checks })).decisions).toHaveLength(maxBatchChecks);
    const more = unary(client, method.batchCheck, { checks: [...checks, allowed] });
    const error = await more.catch((cause: ServiceError) => cause);
    expect(error).toMatchObject({ code: 8 });
    expect(errorInfoOf(error as ServiceError).reason).toBe('TOO_MANY_CHECKS');
  });

  it('a message over the limit is RESOURCE_EXHAUSTED', async () => {
    const question = { ...allowed, tenant: 'x'.repeat(maxMessageBytes) };
    await expect(unary(client, method.check, question)).rejects.toMatchObject({ code: 8 });
  });
});

describe('ListObjects', () => {
  it('sends the whole in parts; what is about all of it comes first, and there is no last page', async () => {
    const parts = await serverStream(client, method.listObjects, { subject: 'user:read', action: 'read', type: 'doc' });
    expect(parts.map((part) => part.objects.length)).toEqual([1000, 1000, 500]);
    expect(parts[0]).toMatchObject({ scopes: ['doc:*'], decisionId: fakeDecisionId, revision: 'e1.1', mode: 1 });
    expect(parts[1]).toMatchObject({ scopes: [], decisionId: '', revision: '', mode: 0 });
    expect(parts.map((part) => part.nextPageToken)).toEqual(['', '', '']);
  });

  it('a page ends with its token', async () => {
    const question = { subject: 'user:read', action: 'read', type: 'doc', pageSize: 1500 };
    const parts = await serverStream(client, method.listObjects, question);
    expect(parts.flatMap((part) => part.objects)).toHaveLength(1500);
    expect(parts.at(-1)?.nextPageToken).toBe('after-1500');
  });

  it('an empty list still says what it is about', async () => {
    await running.close();
    running = await runServers(createFakePdp({ objects: 0 }));
    const other = createGrpcClient(running.tcp);
    const parts = await serverStream(other, method.listObjects, { subject: 'user:read', action: 'read', type: 'doc' });
    other.close();
    expect(parts).toHaveLength(1);
    expect(parts[0]).toMatchObject({ objects: [], scopes: ['doc:*'], decisionId: fakeDecisionId });
  });

  it('a malformed question fails the stream', async () => {
    const answer = serverStream(client, method.listObjects, { subject: 'user:*', action: 'read', type: 'doc' });
    await expect(answer).rejects.toMatchObject({ code: 3 });
  });

  it('a caller that does not read is waited for, and one that goes away ends the list', async () => {
    await running.close();
    pdp = createFakePdp({ objects: 5_000_000 });
    running = await runServers(pdp);
    const other = createGrpcClient(running.tcp);
    const bytes = encoded(method.listObjects.input, { subject: 'user:read', action: 'read', type: 'doc' });
    const call = other.makeServerStreamRequest(pathOf(method.listObjects), asIs, asIs, bytes);
    call.on('error', () => undefined);
    const first = await new Promise<Buffer>((resolve) => call.once('data', resolve));
    call.pause();
    expect(fromBinary(ListObjectsResponseSchema, first).objects).toHaveLength(1000);
    expect(pdp.lists).toEqual([{ ended: false }]);
    call.cancel();
    await vi.waitFor(() => expect(pdp.lists).toEqual([{ ended: true }]));
    other.close();
  });
});

describe('the other lists, and Explain', () => {
  it('ListSubjects hands page and token on', async () => {
    const question = { action: 'read', object: 'doc:1', type: 'service', pageSize: 7, pageToken: 'next' };
    expect(await unary(client, method.listSubjects, question)).toMatchObject({
      subjects: ['service:read', 'size:7'],
      wildcards: ['user:*'],
      nextPageToken: 'next',
      decisionId: fakeDecisionId,
      revision: 'e1.1',
      mode: 1,
    });
  });

  it('ListActions', async () => {
    const answer = await unary(client, method.listActions, { subject: 'user:read', object: 'doc:1' });
    expect(answer).toMatchObject({ actions: ['read'], patterns: ['Get*'], revision: 'e1.1', mode: 1 });
  });

  it('Explain carries the path, and none where there is none', async () => {
    const answer = await unary(client, method.explain, { check: allowed });
    expect(answer).toMatchObject({
      decision: { allowed: true },
      path: {
        subjectSteps: [{ from: 'user:read', to: 'group:readers' }],
        effect: 'allow',
        roles: ['reader'],
        scope: '*',
      },
      summary: 'yes',
    });
    expect((await unary(client, method.explain, { check: denied })).path).toBeUndefined();
  });

  it('Explain without a question is malformed', async () => {
    const error = await unary(client, method.explain, {}).catch((cause: ServiceError) => cause);
    expect(errorInfoOf(error as ServiceError).metadata).toEqual({ field: 'check' });
  });
});
