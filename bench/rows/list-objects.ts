/** ListObjects with 100,000 results over gRPC: how soon the first are there, and all. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { ListObjectsRequestSchema, ListObjectsResponseSchema } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { median, type Row } from '../measure.ts';
import { startSidecar } from '../sidecar.ts';

const rounds = 15;
const count = 100_000;

export async function listObjectsRows(directory: string): Promise<Row[]> {
  const policy = join(directory, 'many-objects.yaml');
  const objects = Object.fromEntries(Array.from({ length: count }, (_, i) => [`doc:d${i}`, `folder:f${i % 100}`]));
  const folders = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`folder:f${i}`, {}]));
  const bindings = Array.from({ length: 100 }, (_, i) => ({
    subject: 'group:readers',
    role: 'reader',
    scope: `folder:f${i}`,
  }));
  await writeFile(
    policy,
    JSON.stringify({
      version: 1,
      roles: { reader: { permissions: ['doc:read'] } },
      groups: { readers: ['user:alice'] },
      objects: { ...folders, ...objects },
      bindings,
    }),
  );
  const sidecar = await startSidecar(
    '--policy',
    policy,
    '--decision-log=file',
    '--decision-log-dir',
    join(directory, 'list-log'),
  );
  const client = new Client(`127.0.0.1:${sidecar.port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  const request = Buffer.from(
    toBinary(
      ListObjectsRequestSchema,
      create(ListObjectsRequestSchema, { subject: 'user:alice', action: 'read', type: 'doc' }),
    ),
  );
  const results: { first: number; all: number }[] = [];
  for (let round = 0; round < rounds + 3; round++) results.push(await listOnce(client, request));
  client.close();
  await sidecar.stop();
  const warm = results.slice(3);
  const first = median(warm.map((result) => result.first));
  const all = median(warm.map((result) => result.all));
  return [
    {
      what: 'ListObjects with 100,000 results, first result / all',
      measured: `${first.toFixed(1)} ms / ${all.toFixed(0)} ms`,
      atLeast: '10 ms / 150 ms',
      kept: first <= 10 && all <= 150,
      how: `grpc-js client in another process, objects through 100 folders and a group, decoded after the clock, median of ${rounds}`,
    },
  ];
}

/** Milliseconds until the first message that holds objects, and until the end. */
function listOnce(client: Client, request: Buffer): Promise<{ first: number; all: number }> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const messages: Buffer[] = [];
    let first = 0;
    const call = client.makeServerStreamRequest(
      '/postern.v1.DecisionService/ListObjects',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      request,
    );
    call.on('data', (message: Buffer) => {
      // The head of the list alone is no result; a message with objects is longer than any head.
      if (first === 0 && message.length > 1_000) first = performance.now() - started;
      messages.push(message);
    });
    call.on('error', reject);
    call.on('end', () => {
      const all = performance.now() - started;
      const objects = messages.reduce(
        (sum, message) => sum + fromBinary(ListObjectsResponseSchema, message).objects.length,
        0,
      );
      if (objects === count) resolve({ first, all });
      else reject(new Error(`${objects} objects came instead of ${count}`));
    });
  });
}
