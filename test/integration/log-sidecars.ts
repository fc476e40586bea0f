/** Whole sidecars over a real Redis that serve their decision log, for tests that read it. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client as ConnectClient, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { Client } from '@grpc/grpc-js';
import { afterEach, beforeEach } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { DecisionLogService } from '../../src/gen/postern/v1/decision_log_service_pb.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { formatAddress } from '../../src/server/address.ts';
import { startSidecar } from '../../src/sidecar/sidecar.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createGrpcClient } from '../server/grpc-client.ts';

/** Of an operator, who reads every log. */
export const operatorToken = 'pst_operator';
const policy = `version: 1
roles: { viewer: { permissions: ['doc:read'] } }
bindings: [{ subject: 'user:alice', role: viewer, scope: '*' }]
`;
const logger = createLogger({ level: 'silent', format: 'json' });

export interface LogSidecar {
  readonly address: string;
  readonly client: Client;
  readonly reads: ConnectClient<typeof DecisionLogService>;
  /** Ends it now, and not after the test. */
  close(): Promise<void>;
}

export interface LogSidecars {
  /** What ends after the test, the last first. */
  readonly closers: (() => Promise<unknown>)[];
  /** Writes a policy by which user:alice may read documents. */
  load(url: string, tenant?: string): Promise<void>;
  start(redis: string, instance: string, flags?: Readonly<Record<string, string>>): Promise<LogSidecar>;
}

/** Called once a file, outside of tests. */
export function useLogSidecars(): LogSidecars {
  const closers: (() => Promise<unknown>)[] = [];
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-logs-'));
    const sha256 = createHash('sha256').update(operatorToken).digest('hex');
    const auth = `version: 1\ntokens:\n  - { sha256: '${sha256}', subject: 'service:operator', operator: true }\n`;
    await writeFile(join(directory, 'auth.yaml'), auth, { mode: 0o600 });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    closers,
    async load(url, tenant = 'default') {
      const store = createRedisStore(parseRedisUrl(url));
      const parsed = parsePolicy(policy, 'policy.yaml');
      if (!parsed.ok) throw new Error('the policy of these tests is not valid');
      await store.commit(
        tenant,
        parsed.records.map((record) => ({ op: 'put', record })),
      );
      await store.close();
    },
    async start(redis, instance, flags = {}) {
      const all = {
        redis,
        grpcAddress: '127.0.0.1:0',
        http: false,
        adminAuth: join(directory, 'auth.yaml'),
        serveDecisionLog: true,
        decisionLogInterval: '1ms',
        decisionLogSpoolDir: join(directory, 'spool', instance),
        ...flags,
      };
      const options = parseOptions({ flags: all, env: {}, suggest: () => undefined, instance });
      const sidecar = await startSidecar(options, logger);
      await sidecar.ready;
      const address = sidecar.servers.grpcAddress ? formatAddress(sidecar.servers.grpcAddress) : '';
      const client = createGrpcClient(address);
      const close = async () => {
        client.close();
        await sidecar.close(200);
      };
      closers.push(close);
      const transport = createGrpcTransport({ baseUrl: `http://${address}` });
      return { address, client, reads: createClient(DecisionLogService, transport), close };
    },
  };
}
