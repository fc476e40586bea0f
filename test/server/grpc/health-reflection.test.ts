import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Client } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakePdp, type FakePdp } from '../fake-pdp.ts';
import { createGrpcClient, unaryBytes } from '../grpc-client.ts';
import { createFakeAdministration } from '../policy/fake-administration.ts';
import { type RunningServers, runServers } from '../servers.ts';

const asIs = (bytes: Buffer) => bytes;
const serving = 1;
const notServing = 2;

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

/** A message with one string field. */
function withString(field: number, value: string): Buffer {
  return Buffer.from(new BinaryWriter().tag(field, WireType.LengthDelimited).string(value).finish());
}

/** Content of the length-delimited fields of a number, wherever they stand on the top level. */
function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === wanted && type === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(type, field);
  }
  return found;
}

function servingStatus(bytes: Buffer): number {
  const reader = new BinaryReader(bytes);
  reader.tag();
  return reader.int32();
}

describe('grpc.health.v1', () => {
  it.each(['', 'postern.v1.DecisionService'])('"%s" is SERVING only while the PDP is ready', async (service) => {
    const check = async () =>
      servingStatus(await unaryBytes(client, '/grpc.health.v1.Health/Check', withString(1, service)));
    expect(await check()).toBe(serving);
    pdp.setReady(false);
    expect(await check()).toBe(notServing);
    pdp.setReady(true);
    expect(await check()).toBe(serving);
  });

  it('a policy that is too old takes decisions out of service, and not administration', async () => {
    const never = () => Promise.reject(new Error('not asked'));
    const all = await runServers(pdp, () => '', { administration: createFakeAdministration(), authenticate: never });
    const asking = createGrpcClient(all.tcp);
    const statuses = async () => {
      const names = ['', 'postern.v1.DecisionService', 'postern.v1.PolicyService'];
      const asked = names.map((name) => unaryBytes(asking, '/grpc.health.v1.Health/Check', withString(1, name)));
      return (await Promise.all(asked)).map(servingStatus);
    };
    pdp.setBehind([{ tenant: 'default', dataAgeMs: 75_000, reason: 'the store is not followed' }]);
    expect(await statuses()).toEqual([notServing, notServing, serving]);
    pdp.setBehind([]);
    expect(await statuses()).toEqual([serving, serving, serving]);
    pdp.setReady(false);
    expect(await statuses()).toEqual([notServing, notServing, notServing]);
    asking.close();
    await all.close();
  });

  it('a service that is not there is NOT_FOUND', async () => {
    const answer = unaryBytes(client, '/grpc.health.v1.Health/Check', withString(1, 'other'));
    await expect(answer).rejects.toMatchObject({ code: 5 });
  });

  it('Watch tells of every change, and of a drain, which does not wait for it', async () => {
    const call = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', asIs, asIs, withString(1, ''));
    const answers = call[Symbol.asyncIterator]();
    const next = async () => servingStatus((await answers.next()).value);
    expect(await next()).toBe(serving);
    pdp.setReady(false);
    expect(await next()).toBe(notServing);
    pdp.setReady(true);
    expect(await next()).toBe(serving);
    const closed = running.servers.close(60_000);
    expect(await next()).toBe(notServing);
    expect((await answers.next()).done).toBe(true);
    await closed;
  });
});

describe.each(['v1', 'v1alpha'])('grpc.reflection.%s', (version) => {
  const fileContainingSymbol = 4;
  const listServices = 7;

  async function ask(field: number, value: string): Promise<Buffer> {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const call = client.makeBidiStreamRequest(path, asIs, asIs);
    call.end(withString(field, value));
    for await (const answer of call) return answer as Buffer;
    throw new Error('no answer');
  }

  it('lists the service', async () => {
    const [list] = fieldsOf(await ask(listServices, '*'), 6);
    const names = fieldsOf(list ?? Buffer.alloc(0), 1).map((service) =>
      Buffer.from(fieldsOf(service, 1)[0] ?? []).toString(),
    );
    expect(names).toEqual(['postern.v1.DecisionService']);
  });

  it('gives the file of a method with everything that it imports', async () => {
    const [response] = fieldsOf(await ask(fileContainingSymbol, 'postern.v1.DecisionService.Check'), 4);
    const files = fieldsOf(response ?? Buffer.alloc(0), 1).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const service = files.find((file) => file.service.length > 0)?.service[0];
    expect(service?.method.map((method) => method.name)).toContain('StreamCheck');
    expect(files.map((file) => file.name).sort()).toEqual([
      'google/protobuf/any.proto',
      'google/protobuf/duration.proto',
      'google/protobuf/struct.proto',
      'google/rpc/status.proto',
      'postern/v1/decision.proto',
      'postern/v1/decision_service.proto',
    ]);
  });
});
