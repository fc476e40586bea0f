/**
 * A sidecar of real parts in this process, for tests that ask it from a child
 * process: memory store, replica, PDP, gRPC over TCP and a Unix socket.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { createIds } from '../../src/decision-log/ids.ts';
import { createNoLog } from '../../src/decision-log/no-log.ts';
import { formatRevision } from '../../src/model/change.ts';
import { createPdp } from '../../src/pdp/pdp.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { Replica } from '../../src/replica/replica.ts';
import { formatAddress } from '../../src/server/address.ts';
import { startServers } from '../../src/server/start.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';

export interface TestSidecar {
  /** "127.0.0.1:41233". */
  readonly address: string;
  /** "unix:/tmp/.../postern.sock". */
  readonly socket: string;
  /** The revision token of the policy. */
  readonly revision: string;
  close(): Promise<void>;
}

/** @param policy Text of a policy file; undefined starts one that never gets a policy. */
export async function startTestSidecar(policy: string | undefined): Promise<TestSidecar> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-cli-'));
  const store = createMemoryStore();
  const revision = policy === undefined ? undefined : await store.commit('default', changesOf(policy));
  const replica = new Replica({
    store,
    tenant: 'default',
    graph: graphOptions,
    compareIntervalMs: 60_000,
    retryMs: 100,
    now: Date.now,
    onEvent: () => {},
  });
  if (policy !== undefined) await new Promise((resolve) => replica.onSnapshot(resolve));
  const pdp = createPdp({
    replicas: [replica],
    log: createNoLog(),
    nextId: createIds(),
    now: Date.now,
    allowAssertedGroups: true,
  });
  const servers = await startServers(
    { pdp, log: { info: () => {}, error: () => {} }, metricsText: async () => '' },
    {
      grpcAddress: { host: '127.0.0.1', port: 0 },
      httpAddress: undefined,
      socket: { path: join(directory, 'postern.sock'), mode: 0o600 },
    },
  );
  return {
    address: servers.grpcAddress === undefined ? '' : formatAddress(servers.grpcAddress),
    socket: `unix:${servers.socket}`,
    revision: revision === undefined ? '' : formatRevision(revision),
    async close() {
      await servers.close(1000);
      await replica.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function changesOf(policy: string) {
  const parsed = parsePolicy(policy, 'policy.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map((problem) => problem.message).join('\n'));
  return parsed.records.map((record) => ({ op: 'put' as const, record }));
}
