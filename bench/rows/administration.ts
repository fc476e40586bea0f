/** A grant through PolicyService: as its caller sees it over a real Redis, and what judging it costs by itself. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { planChanges } from '../../src/admin/plan.ts';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { CommitRequestSchema } from '../../src/gen/postern/v1/policy_service_pb.ts';
import { applyChanges } from '../../src/graph/apply.ts';
import { emptySnapshot, type Snapshot } from '../../src/graph/snapshot.ts';
import type { Change } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { suggest } from '../../src/policy-file/suggest.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { startRedis } from '../../test/setup/redis-server.ts';
import { randomGraph, sized } from '../graphs.ts';
import { percentile, type Row } from '../measure.ts';
import { startSidecar } from '../sidecar.ts';

const commits = 1_000;
const warmUp = 50;
const token = 'pst_bench';
const administrator: readonly EntityRecord[] = [
  { kind: 'role', name: 'administrator', permissions: ['*'] },
  { kind: 'binding', subject: 'user:administrator', role: 'administrator', scope: '*' },
];

export async function administrationRows(): Promise<Row[]> {
  const small = await judgeMs(10_000);
  const large = await judgeMs(1_000_000);
  const roundTripMs = await commitMs();
  return [
    {
      what: 'a grant by PolicyService.Commit, 10,000 bindings, p50 / p99',
      measured: `${percentile(roundTripMs, 0.5).toFixed(1)} ms / ${percentile(roundTripMs, 0.99).toFixed(1)} ms`,
      atLeast: '',
      kept: undefined,
      how: `gRPC client, sidecar and Redis on the same two cores, one after another; judged, committed and applied by the sidecar when it returns; ${commits} commits`,
    },
    {
      what: 'judging and validating that grant alone, p50 at 10,000 / at 1,000,000 bindings',
      measured: `${(small * 1_000).toFixed(0)} us / ${(large * 1_000).toFixed(0)} us`,
      atLeast: '',
      kept: undefined,
      how: `planChanges() for an administrator who is not an operator; ${commits} calls`,
    },
  ];
}

/** The median of planning one grant, in milliseconds. */
async function judgeMs(bindings: number): Promise<number> {
  const snapshot = snapshotOf([...randomGraph(sized(bindings)), ...administrator]);
  const took: number[] = [];
  for (let i = 0; i < commits + warmUp; i++) {
    const started = performance.now();
    planChanges({
      snapshot,
      changes: [{ op: 'put', record: grantTo(`user:new${i}`) }],
      subject: 'user:administrator',
      allowNoAdministrator: false,
      nowMs: Date.now(),
      suggest,
    });
    took.push(performance.now() - started);
  }
  return percentile(took.slice(warmUp), 0.5);
}

async function commitMs(): Promise<number[]> {
  const redis = await startRedis();
  const directory = await mkdtemp(join(tmpdir(), 'postern-bench-'));
  const authFile = join(directory, 'auth.yaml');
  const sha256 = createHash('sha256').update(token).digest('hex');
  const entry = `  - { sha256: '${sha256}', subject: 'user:administrator' }`;
  await writeFile(authFile, `version: 1\ntokens:\n${entry}\n`, { mode: 0o600 });
  const store = createRedisStore(parseRedisUrl(redis.url));
  await store.commit('default', toPuts([...randomGraph(sized(10_000)), ...administrator]));
  const sidecar = await startSidecar('--redis', redis.url, '--decision-log=off', '--admin-auth', authFile);
  const client = new Client(`127.0.0.1:${sidecar.port}`, credentials.createInsecure());
  const took: number[] = [];
  for (let i = 0; i < commits + warmUp; i++) {
    const started = performance.now();
    await commitGrant(client, `user:new${i}`);
    took.push(performance.now() - started);
  }
  client.close();
  await sidecar.stop();
  await store.close();
  await redis.stop();
  await rm(directory, { recursive: true });
  return took.slice(warmUp);
}

function commitGrant(client: Client, subject: string): Promise<void> {
  const { role, scope } = grantTo(subject);
  const record = { case: 'binding', value: { subject, role, scope } } as const;
  const changes = [{ change: { case: 'put', value: { record } } as const }];
  const request = create(CommitRequestSchema, { changes });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/postern.v1.PolicyService/Commit',
      (message: typeof request) => Buffer.from(toBinary(CommitRequestSchema, message)),
      (bytes: Buffer) => bytes,
      request,
      metadata,
      { deadline: Date.now() + 5_000 },
      (error) => (error === null ? resolve() : reject(error)),
    );
  });
}

function grantTo(subject: string) {
  return { kind: 'binding', subject, role: 'role15', scope: 'folder:core0' } as const;
}

function snapshotOf(records: readonly EntityRecord[]): Snapshot {
  return applyChanges(emptySnapshot(graphOptions), toPuts(records), { epoch: 'bench', number: 1 });
}

function toPuts(records: readonly EntityRecord[]): Change[] {
  return records.map((record) => ({ op: 'put', record }));
}
