/** From a commit to the first answer of a following sidecar that knows of it, through a real Redis. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { CheckRequestSchema, CheckResponseSchema } from '../src/gen/postern/v1/decision_service_pb.ts';
import { formatRevision } from '../src/model/change.ts';
import type { Store } from '../src/store/store.ts';

/** In the order of the commits. */
export interface VisibilityTimes {
  readonly commitMs: readonly number[];
  /** The commit, and a Check with its revision as at_least. */
  readonly visibleMs: readonly number[];
}

const warmUp = 50;

/** One commit after another, each asked for before the next. @param port Of the sidecar's gRPC. */
export async function timeVisibility(store: Store, port: number, commits: number): Promise<VisibilityTimes> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const visibleMs: number[] = [];
  const commitMs: number[] = [];
  for (let i = 0; i < commits + warmUp; i++) {
    const subject = `user:visible${i}`;
    const started = performance.now();
    const revision = await store.commit('default', [
      { op: 'put', record: { kind: 'binding', subject, role: 'role15', scope: 'folder:core0' } },
    ]);
    commitMs.push(performance.now() - started);
    if (!(await isAllowed(client, subject, formatRevision(revision))))
      throw new Error(`${subject} was denied at its own revision`);
    visibleMs.push(performance.now() - started);
  }
  client.close();
  return { commitMs: commitMs.slice(warmUp), visibleMs: visibleMs.slice(warmUp) };
}

function isAllowed(client: Client, subject: string, atLeast: string): Promise<boolean> {
  const request = create(CheckRequestSchema, { subject, action: 'action15', object: 'doc:core', atLeast });
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/postern.v1.DecisionService/Check',
      (message: typeof request) => Buffer.from(toBinary(CheckRequestSchema, message)),
      (bytes: Buffer) => fromBinary(CheckResponseSchema, bytes),
      request,
      { deadline: Date.now() + 5_000 },
      (error, response) => {
        if (error === null) resolve(response?.decision?.allowed === true);
        else reject(error);
      },
    );
  });
}
