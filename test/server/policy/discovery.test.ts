import { fromBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Client } from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { BadRequestSchema } from '../../../src/gen/google/rpc/status_pb.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient, unaryBytes } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';
import { authenticate, createFakeAdministration } from './fake-administration.ts';

const asIs = (bytes: Buffer) => bytes;
const name = 'postern.v1.PolicyService';

let running: RunningServers;
let client: Client;
afterEach(async () => {
  client.close();
  await running.close();
});

async function start(served: boolean): Promise<void> {
  running = await runServers(
    createFakePdp(),
    () => '',
    served ? { administration: createFakeAdministration(), authenticate } : {},
  );
  client = createGrpcClient(running.tcp);
}

function withString(field: number, value: string): Buffer {
  return Buffer.from(new BinaryWriter().tag(field, WireType.LengthDelimited).string(value).finish());
}

/** The answer to a reflection request, as text: names stand in it as they are. */
async function reflected(field: number, value: string): Promise<string> {
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const call = client.makeBidiStreamRequest(path, asIs, asIs);
  call.end(withString(field, value));
  for await (const answer of call) return (answer as Buffer).toString('latin1');
  return expect.fail('no answer');
}

it('PolicyService is told of by health and reflection where it is served', async () => {
  await start(true);
  const health = await unaryBytes(client, '/grpc.health.v1.Health/Check', withString(1, name));
  expect([...health]).toEqual([8, 1]);
  expect(await reflected(7, '*')).toContain(name);
  expect(await reflected(4, `${name}.Commit`)).toContain('postern/v1/policy.proto');
});

it('PolicyService is not told of where it is not served', async () => {
  await start(false);
  const health = unaryBytes(client, '/grpc.health.v1.Health/Check', withString(1, name));
  await expect(health).rejects.toMatchObject({ code: 5 });
  expect(await reflected(7, '*')).not.toContain(name);
});

it('google.rpc.BadRequest has the numbers that client libraries know', async () => {
  await start(false);
  const violation = Buffer.concat([withString(1, 'a.b'), withString(2, 'is wrong')]);
  const bytes = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(violation).finish();
  expect(fromBinary(BadRequestSchema, bytes).fieldViolations).toMatchObject([
    { field: 'a.b', description: 'is wrong' },
  ]);
});
