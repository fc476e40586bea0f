// A caller that asks as fast as it is answered, one by one and in batches, and notes the decision id of every answer
// that it got: what a decision log is counted against. Called by tests of crashes and outages.
import { fromBinary } from '@bufbuild/protobuf';
import type { ServiceError } from '@grpc/grpc-js';
import { vi } from 'vitest';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { createGrpcClient, encoded, errorInfoOf, pathOf, unaryBytes } from '../server/grpc-client.ts';

const { check, batchCheck } = DecisionService.method;

export interface Load {
  /** Questions under way at a time, one by one. */
  readonly single?: number;
  /** Batches under way at a time, and questions in each. */
  readonly batches?: number;
  readonly batchSize?: number;
  /** For how long a question may take, in milliseconds. */
  readonly deadlineMs?: number;
  readonly tenant?: string;
}

export interface Asking {
  /** Decision ids in the order in which they arrived. */
  readonly answered: readonly string[];
  /** How often which error came instead of an answer: its code in Postern's words, or the number of gRPC's. */
  readonly errors: ReadonlyMap<string, number>;
  /** Waits until so many more were answered. */
  more(answers: number, withinMs?: number): Promise<void>;
  /** Asks no more, and waits for what is under way. */
  stop(): Promise<void>;
}

/** Begins; ends by itself where the process that it asks is gone. */
export function ask(address: string, load: Load = {}): Asking {
  const { single = 16, batches = 2, batchSize = 100, deadlineMs = 30_000, tenant = 'default' } = load;
  const client = createGrpcClient(address);
  const answered: string[] = [];
  const errors = new Map<string, number>();
  let isOver = false;
  let next = 0;
  const question = () => ({ subject: 'user:alice', action: 'read', object: `doc:${++next % 1000}` });
  const send = (path: string, bytes: Buffer) =>
    unaryBytes(client, path, bytes, {}, { deadline: Date.now() + deadlineMs });

  const askOne = async () => {
    const bytes = await send(pathOf(check), encoded(check.input, { ...question(), tenant }));
    answered.push(fromBinary(check.output, bytes).decision?.decisionId ?? '');
  };
  const askMany = async () => {
    const checks = Array.from({ length: batchSize }, question);
    const bytes = await send(pathOf(batchCheck), encoded(batchCheck.input, { tenant, checks }));
    for (const { decisionId } of fromBinary(batchCheck.output, bytes).decisions) answered.push(decisionId);
  };
  const repeat = async (once: () => Promise<void>) => {
    while (!isOver) {
      try {
        await once();
      } catch (error) {
        const name = nameOf(error as ServiceError);
        errors.set(name, (errors.get(name) ?? 0) + 1);
        if (name === 'gone') isOver = true;
      }
    }
  };
  const loops = Promise.all([
    ...Array.from({ length: single }, () => repeat(askOne)),
    ...Array.from({ length: batches }, () => repeat(askMany)),
  ]);
  return {
    answered,
    errors,
    async more(answers, withinMs = 60_000) {
      const wanted = answered.length + answers;
      const check = () => {
        if (answered.length < wanted) throw new Error(`${answered.length} answers, and not ${wanted}`);
      };
      await vi.waitFor(check, { timeout: withinMs, interval: 2 });
    },
    async stop() {
      isOver = true;
      await loops;
      client.close();
    },
  };
}

const unavailable = 14;

function nameOf(error: ServiceError): string {
  try {
    return errorInfoOf(error).reason;
  } catch {
    return error.code === unavailable ? 'gone' : String(error.code);
  }
}
