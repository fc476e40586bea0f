// DecisionLogService over real sockets, on every transport: what is read, by whom, and how streams end.
import { Code, type ConnectError } from '@connectrpc/connect';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DecisionLogService, type TailResponse } from '../../../src/gen/postern/v1/decision_log_service_pb.ts';
import { decisionLine, gapLine, useLogDirectory } from '../../decision-log/query/logs.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient, errorInfoOf, pathOf, unary, unaryBytes } from '../grpc-client.ts';
import { runServers } from '../servers.ts';
import { as, type LogServers, startLogServers } from './logs.ts';

const log = useLogDirectory();
const { query } = DecisionLogService.method;
const tenant = 'default';
const transports = ['connect over HTTP/2', 'gRPC over HTTP', 'gRPC'] as const;

let servers: LogServers;
beforeEach(async () => {
  servers = await startLogServers(log.path);
});
afterEach(() => servers.close());

function post(name: string, body: string, headers: Record<string, string> = as('ada')): Promise<Response> {
  const path = `${servers.running.url}/${DecisionLogService.typeName}/${name}`;
  return fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

async function failed<T = ConnectError>(promise: Promise<unknown>): Promise<T> {
  return promise.then(
    () => expect.fail('was answered'),
    (error: T) => error,
  );
}

/** A tail that is under way: it has been heard of once. */
async function tail(over: (typeof transports)[number], request: object, who = 'ada') {
  const abort = new AbortController();
  const events = servers.transports[over]
    .tail({ tenants: [tenant], ...request }, { headers: as(who), signal: abort.signal })
    [Symbol.asyncIterator]();
  const next = async () => (await events.next()).value as TailResponse | undefined;
  return { next, abort };
}

const seqOf = ({ entries }: Pick<TailResponse, 'entries'>) =>
  entries.map(({ record }) => (record.case === 'decision' ? Number(record.value.seq) : record.case));

describe('Query', () => {
  it.each(transports)('gives records in messages, and the lines they were read from, over %s', async (over) => {
    const attributes = { ip: '10.0.0.7', nested: { n: 1 } };
    const lines = [
      decisionLine('a', 1, { attributes, binding: ['user:alice', 'r', '*', 'allow'], results: 3, trace_id: 't' }),
      gapLine('a', 2, 4),
      decisionLine('a', 5, { object: undefined, allowed: true, enforced_allowed: false, masked: ['subject'] }),
    ];
    await log.append('a', lines);
    const { entries, nextPageToken } = await servers.transports[over].query({ tenant }, { headers: as('ada') });
    expect(entries.map(({ line }) => line)).toEqual(lines);
    expect(nextPageToken).toBe('');
    expect(entries.map(({ record }) => record)).toMatchObject([
      {
        case: 'decision',
        value: {
          origin: { instance: 'a', tenant: 'default' },
          seq: 1n,
          subject: 'user:alice',
          allowed: true,
          enforcedAllowed: true,
          binding: '["user:alice","r","*","allow"]',
          attributes,
          results: 3n,
          traceId: 't',
        },
      },
      { case: 'gap', value: { first: 2n, last: 4n, cause: 'buffer_full' } },
      { case: 'decision', value: { object: '', enforcedAllowed: false, masked: ['subject'] } },
    ]);
  });

  it('by curl takes a header and an object, and goes on by its token', async () => {
    await log.append('a', [decisionLine('a', 1), decisionLine('a', 2), decisionLine('a', 3)]);
    const answer: unknown = await (await post('Query', JSON.stringify({ tenant, pageSize: 2 }))).json();
    expect(answer).toMatchObject({ entries: [{ decision: { seq: '1' } }, { decision: { seq: '2' } }] });
    const { nextPageToken } = answer as { readonly nextPageToken: string };
    const second = await post('Query', JSON.stringify({ tenant, pageSize: 2, pageToken: nextPageToken }));
    expect(await second.json()).toMatchObject({ entries: [{ decision: { seq: '3' } }], nextPageToken: '' });
  });

  it('filters by what it is asked for', async () => {
    await log.append('a', [decisionLine('a', 1), decisionLine('a', 2, { allowed: false, subject: 'user:bob' })]);
    const ask = async (filter: object) => {
      const answer = await unary(servers.client, query, { tenant, filter }, as('ada'));
      return seqOf(answer as Pick<TailResponse, 'entries'>);
    };
    expect(await ask({ allowed: false })).toEqual([2]);
    expect(await ask({ allowed: true })).toEqual([1]);
    expect(await ask({ subject: 'user:bob' })).toEqual([2]);
    expect(await ask({ objectType: 'folder' })).toEqual([]);
    expect(await ask({})).toEqual([1, 2]);
  });

  it('refuses a token of another question, of another tenant, and one that is none', async () => {
    await log.append('a', [decisionLine('a', 1), decisionLine('a', 2)]);
    const { nextPageToken } = await unary(servers.client, query, { tenant, pageSize: 1 }, as('ada'));
    const others = [
      { tenant, filter: { subject: 'user:bob' }, pageToken: nextPageToken },
      { tenant, since: { seconds: 1n, nanos: 0 }, pageToken: nextPageToken },
      { tenant: 'other', pageToken: nextPageToken },
      { tenant, pageToken: 'none' },
    ];
    for (const request of others) {
      const error = await failed<never>(unary(servers.client, query, request, as('ada')));
      expect(errorInfoOf(error)).toMatchObject({ reason: 'INVALID_PAGE_TOKEN', metadata: { field: 'page_token' } });
    }
    expect(
      await unary(servers.client, query, { tenant, pageSize: 9, pageToken: nextPageToken }, as('ada')),
    ).toMatchObject({
      entries: [{ record: { value: { seq: 2n } } }],
    });
  });

  it('refuses what is wrong with a request, all at once, and what it does not know', async () => {
    const nanos = 1;
    const since = { seconds: 5n, nanos };
    const request = { tenant, since, until: { seconds: -1n, nanos: 0 }, filter: { action: 'x'.repeat(2_000) } };
    const error = await failed(servers.transports.gRPC.query(request, { headers: as('ada') }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.message).toContain('3 problems');
    for (const field of ['since', 'until', 'filter.action']) expect(error.message).toContain(field);
    expect((await post('Query', '{"tenants":["default"]}')).status).toBe(400);
    const large = await failed(servers.transports.gRPC.query({ tenant, pageSize: 1_001 }, { headers: as('ada') }));
    expect(large.code).toBe(Code.ResourceExhausted);
  });
});

describe('the right to read', () => {
  const refused = ['eve', 'bob', 'deputy'];

  it.each(refused)('is not with %s, who is told which action it takes, and nothing of the log', async (who) => {
    await log.append('a', [decisionLine('a', 1, { subject: 'user:secret' })]);
    const error = await failed<never>(unary(servers.client, query, { tenant }, as(who)));
    expect(error).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(errorInfoOf(error)).toMatchObject({ reason: 'NOT_PERMITTED', metadata: { action: 'read_decisions' } });
    expect(JSON.stringify(error)).not.toContain('secret');
    const { next } = await tail('gRPC', {}, who);
    expect((await failed(next())).code).toBe(Code.PermissionDenied);
  });

  it('is asked before anything else of the request: what is wrong with a page tells nothing', async () => {
    const error = await failed<never>(unary(servers.client, query, { tenant, pageToken: 'none' }, as('eve')));
    expect(error).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('is with operators, and with whom a caller who may acts for', async () => {
    await log.append('a', [decisionLine('a', 1)]);
    expect((await unary(servers.client, query, { tenant }, as('operator'))).entries).toHaveLength(1);
    const request = { tenant, onBehalfOf: 'user:ada' };
    expect((await unary(servers.client, query, request, as('deputy'))).entries).toHaveLength(1);
    const eve = await failed<never>(unary(servers.client, query, { tenant, onBehalfOf: 'user:eve' }, as('operator')));
    expect(eve).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('ends at the tenants that the credential is good for', async () => {
    const error = await failed<never>(unary(servers.client, query, { tenant }, as('elsewhere')));
    expect(error).toMatchObject({ code: status.PERMISSION_DENIED });
    expect((await unary(servers.client, query, { tenant: 'other' }, as('elsewhere'))).entries).toEqual([]);
  });

  it.each(DecisionLogService.methods)('begins with a credential, for $name before its bytes are read', async (each) => {
    const error = await failed<never>(unaryBytes(servers.client, pathOf(each), Buffer.from('0aff', 'hex')));
    expect(error).toMatchObject({ code: status.UNAUTHENTICATED });
    expect((await post('Query', '{"unheard', {})).status).toBe(401);
  });

  it.each(transports)('ends a tail when it is withdrawn, over %s', async (over) => {
    await log.append('a', [decisionLine('a', 1)]);
    const { next } = await tail(over, { start: { case: 'newest', value: 1 } });
    expect(seqOf((await next()) as TailResponse)).toEqual([1]);
    await servers.store.commit(tenant, [{ op: 'delete', kind: 'binding', key: '["user:ada","auditor","*","allow"]' }]);
    await log.append('a', [decisionLine('a', 2)]);
    expect((await failed(next())).code).toBe(Code.PermissionDenied);
  });
});

describe('Tail', () => {
  it.each(transports)('gives the newest, then what is written, until its caller goes, over %s', async (over) => {
    await log.append('a', [decisionLine('a', 1), decisionLine('a', 2), decisionLine('a', 3)]);
    const { next, abort } = await tail(over, { start: { case: 'newest', value: 2 } });
    const first = (await next()) as TailResponse;
    const seen = seqOf(first);
    if (seen.length < 2) seen.push(...seqOf((await next()) as TailResponse));
    expect(seen).toEqual([2, 3]);
    await log.append('a', [decisionLine('a', 4)]);
    const second = (await next()) as TailResponse;
    expect(seqOf(second)).toEqual([4]);
    expect(second.heartbeat).toMatchObject({ records: 3n, problem: '' });
    abort.abort();
    await failed(next());
    expect(servers.running.errors).toEqual([]);
  });

  it('begins at a time', async () => {
    await log.append('a', [decisionLine('a', 1), decisionLine('a', 2)]);
    const time = new Date(JSON.parse(decisionLine('a', 2)).time).getTime();
    const since = { seconds: BigInt(Math.floor(time / 1000)), nanos: (time % 1000) * 1_000_000 };
    const { next, abort } = await tail('gRPC', { start: { case: 'since', value: since } });
    expect(seqOf((await next()) as TailResponse)).toEqual([2]);
    abort.abort();
  });

  it.each(transports)('ends at the end of the log where that is asked for, over %s', async (over) => {
    await log.append('a', [decisionLine('a', 1), decisionLine('a', 2)]);
    const { next } = await tail(over, { untilEnd: true, start: { case: 'newest', value: 5 } });
    const seen: unknown[] = [];
    for (let event = await next(); event !== undefined; event = await next()) seen.push(...seqOf(event));
    expect(seen).toEqual([1, 2]);
  });

  it('gives lines that are no records where nothing in particular is asked for', async () => {
    await log.append('a', ['{"torn', decisionLine('a', 1)]);
    const read = async (filter: object) => {
      const { next } = await tail('gRPC', { untilEnd: true, filter, start: { case: 'since', value: { seconds: 0n } } });
      const lines: string[] = [];
      for (let event = await next(); event !== undefined; event = await next()) {
        lines.push(...event.entries.map(({ problem }) => problem));
      }
      return lines;
    };
    expect(await read({})).toEqual([expect.stringContaining('is not JSON'), '']);
    expect(await read({ subject: 'user:alice' })).toEqual(['']);
  });

  it('tells that there is nothing new, so that a dead connection is noticed', async () => {
    await servers.close();
    servers = await startLogServers(log.path, 1);
    await log.append('a', [decisionLine('a', 1)]);
    const { next, abort } = await tail('gRPC', {});
    for (let i = 0; i < 3; i++) {
      const heartbeat = (await next())?.heartbeat;
      expect(Number(heartbeat?.time?.seconds)).toBeGreaterThan(1_700_000_000);
    }
    abort.abort();
  });

  it('of every tenant follows those that the caller may read', async () => {
    await log.append('a', [decisionLine('a', 1)]);
    const { next, abort } = await tail('gRPC', { tenants: ['*'], start: { case: 'newest', value: 1 } });
    expect(seqOf((await next()) as TailResponse)).toEqual([1]);
    abort.abort();
    const none = await tail('gRPC', { tenants: ['*'] }, 'eve');
    expect((await failed(none.next())).code).toBe(Code.PermissionDenied);
    const mixed = await tail('gRPC', { tenants: ['*', 'default'] });
    expect((await failed(mixed.next())).code).toBe(Code.InvalidArgument);
    const many = await tail('gRPC', { tenants: Array.from({ length: 101 }, (_, i) => `t${i}`) });
    expect((await failed(many.next())).code).toBe(Code.ResourceExhausted);
  });

  it.each(transports)('ends with a word when the server does, over %s', async (over) => {
    await log.append('a', [decisionLine('a', 1)]);
    const { next } = await tail(over, { start: { case: 'newest', value: 1 } });
    await next();
    const ended = failed(next());
    await servers.running.servers.close(1_000);
    expect(await ended).toMatchObject({ code: Code.Unavailable, message: expect.stringContaining('tail again') });
  });
});

it('where it is not served, every method says how to have it', async () => {
  const off = await runServers(createFakePdp());
  const client = createGrpcClient(off.tcp);
  for (const each of DecisionLogService.methods) {
    const error = await failed<never>(unaryBytes(client, pathOf(each), Buffer.alloc(0), as('ada')));
    expect(error).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining('--serve-decision-log'),
    });
  }
  const response = await fetch(`${off.url}/${DecisionLogService.typeName}/Query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(response.status).toBe(501);
  client.close();
  await off.close();
});
