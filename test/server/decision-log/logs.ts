/** Servers with a DecisionLogService over real files, graphs in memory, and callers who are told apart by their tokens. */
import { type Client as ConnectClient, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type { Client } from '@grpc/grpc-js';
import { createDecisionReads } from '../../../src/admin/decisions.ts';
import { type Credentials, type Identity, unauthenticated } from '../../../src/authn/identity.ts';
import { createFileSource } from '../../../src/decision-log/query/file-source.ts';
import type { LogSource } from '../../../src/decision-log/query/source.ts';
import { DecisionLogService } from '../../../src/gen/postern/v1/decision_log_service_pb.ts';
import { parsePolicy } from '../../../src/policy-file/parse.ts';
import type { Replica } from '../../../src/replica/replica.ts';
import { Tenants } from '../../../src/replica/tenants.ts';
import { createMemoryStore } from '../../../src/store/memory/memory-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { createQuietReplica } from '../../replica/quiet-replica.ts';
import { createFakePdp } from '../fake-pdp.ts';
import { createGrpcClient } from '../grpc-client.ts';
import { type RunningServers, runServers } from '../servers.ts';

/** user:ada may read everything, user:eve all but decisions, user:bob those of one object, and others nothing. */
export const policy = `version: 1
roles:
  auditor: { permissions: ['*:read_decisions'] }
  reader: { permissions: ['*:read_policy', 'doc:read_decisions'] }
  deputy: { permissions: ['*:impersonate'] }
bindings:
  - { subject: 'user:ada', role: auditor, scope: '*' }
  - { subject: 'user:eve', role: reader, scope: '*' }
  - { subject: 'user:bob', role: auditor, scope: 'doc:42' }
  - { subject: 'service:deputy', role: deputy, scope: '*' }
`;

const identities: Readonly<Record<string, Partial<Identity>>> = {
  ada: { subject: 'user:ada' },
  eve: { subject: 'user:eve' },
  bob: { subject: 'user:bob' },
  deputy: { subject: 'service:deputy' },
  operator: { subject: 'service:operator', operator: true },
  elsewhere: { subject: 'user:ada', tenants: ['other'] },
};

/** The header of somebody of the table above. */
export function as(name: string): { readonly authorization: string } {
  return { authorization: `Bearer ${name}` };
}

async function authenticate({ authorization }: Credentials): Promise<Identity> {
  const known = identities[authorization?.replace('Bearer ', '') ?? ''];
  if (known === undefined) throw unauthenticated('the token is not known');
  return { subject: '', operator: false, tenants: undefined, how: 'token', ...known };
}

export interface LogServers {
  readonly running: RunningServers;
  readonly client: Client;
  readonly store: Store;
  readonly transports: Readonly<
    Record<'connect over HTTP/2' | 'gRPC over HTTP' | 'gRPC', ConnectClient<typeof DecisionLogService>>
  >;
  close(): Promise<void>;
}

/** @param directory Of the log; or a source in its place. */
export async function startLogServers(directory: string | LogSource, heartbeatMs = 60_000): Promise<LogServers> {
  const store = createMemoryStore();
  const parsed = parsePolicy(policy, 'policy.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const replicas: Replica[] = [];
  for (const tenant of ['default', 'other']) {
    await store.commit(
      tenant,
      parsed.records.map((record) => ({ op: 'put', record })),
    );
    const replica = createQuietReplica(store, tenant);
    await new Promise((resolve) => replica.onSnapshot(resolve));
    replicas.push(replica);
  }
  const decisions = createDecisionReads({
    tenants: new Tenants(replicas),
    source: typeof directory === 'string' ? createFileSource(directory) : directory,
    listTenants: () => store.tenants(),
    now: Date.now,
    heartbeatMs,
  });
  const running = await runServers(createFakePdp(), () => '', { authenticate, decisions });
  const client = createGrpcClient(running.tcp);
  const over = (transport: Parameters<typeof createClient>[1]) => createClient(DecisionLogService, transport);
  return {
    running,
    client,
    store,
    transports: {
      'connect over HTTP/2': over(createConnectTransport({ baseUrl: running.url, httpVersion: '2' })),
      'gRPC over HTTP': over(createGrpcTransport({ baseUrl: running.url })),
      gRPC: over(createGrpcTransport({ baseUrl: `http://${running.tcp}` })),
    },
    async close() {
      client.close();
      await running.close();
      for (const replica of replicas) await replica.close();
      await store.close();
    },
  };
}
