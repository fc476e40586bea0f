/**
 * A sidecar of real parts in this process, for tests that ask it from a child
 * process: memory store, replicas, PDP, administration, gRPC over TCP and a Unix socket.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdministration } from '../../src/admin/administration.ts';
import { createAuthenticator } from '../../src/authn/authenticator.ts';
import { createToken, printTokenEntry } from '../../src/authn/new-token.ts';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { createIds } from '../../src/decision-log/ids.ts';
import { createNoLog } from '../../src/decision-log/no-log.ts';
import { formatRevision } from '../../src/model/change.ts';
import { createPdp } from '../../src/pdp/pdp.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { suggest } from '../../src/policy-file/suggest.ts';
import { Tenants } from '../../src/replica/tenants.ts';
import { formatAddress } from '../../src/server/address.ts';
import type { TlsFiles } from '../../src/server/grpc/tls.ts';
import { startServers } from '../../src/server/start.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { readinessOf } from '../pdp/ready.ts';
import { createQuietReplica } from '../replica/quiet-replica.ts';
import { openGates } from '../server/servers.ts';

export interface TestSidecar {
  /** "127.0.0.1:41233". */
  readonly address: string;
  /** "unix:/tmp/.../postern.sock". */
  readonly socket: string;
  /** The revision token of the policy. */
  readonly revision: string;
  /** What it follows: other writers commit here. */
  readonly store: Store;
  /** By subject, of those who were named. */
  readonly tokens: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface TestSidecarOptions {
  /** Who may sign in; "service:operator" is one. With none, nobody administers. */
  readonly signIn?: readonly string[];
  readonly tls?: TlsFiles;
  /** Why nothing can be written. */
  readonly readOnly?: string;
}

/** @param policy Text of a policy file; undefined starts one that never gets a policy. */
export async function startTestSidecar(
  policy: string | undefined,
  { signIn = [], tls, readOnly }: TestSidecarOptions = {},
): Promise<TestSidecar> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-cli-'));
  const store = createMemoryStore();
  const revision = policy === undefined ? undefined : await store.commit('default', changesOf(policy));
  const tenants = new Tenants();
  const follow = (tenant: string) => {
    const replica = createQuietReplica(store, tenant);
    const first = new Promise((resolve) => replica.onSnapshot(resolve));
    tenants.add(replica);
    return first;
  };
  const first = follow('default');
  if (policy !== undefined) await first;
  const pdp = createPdp({
    tenants,
    log: createNoLog(),
    nextId: createIds(),
    now: Date.now,
    allowAssertedGroups: true,
    readiness: readinessOf(tenants),
  });
  const administration = createAdministration({
    tenants,
    store,
    readOnly,
    graph: graphOptions,
    suggest,
    now: Date.now,
    async onTenantsChanged() {
      const there = await store.tenants();
      for (const tenant of there) if (!tenants.has(tenant)) await follow(tenant);
      for (const { tenant } of [...tenants.replicas]) {
        if (!there.includes(tenant)) await tenants.remove(tenant)?.close();
      }
    },
  });
  const { tokens, authenticator } = await openAuthenticator(directory, signIn);
  const servers = await startServers(
    {
      pdp,
      gates: openGates(),
      log: { info: () => {}, error: () => {} },
      metricsText: async () => '',
      administration,
      authenticate: authenticator?.authenticate,
    },
    {
      grpcAddress: { host: '127.0.0.1', port: 0 },
      httpAddress: undefined,
      socket: { path: join(directory, 'postern.sock'), mode: 0o600 },
      tls,
    },
  );
  return {
    address: servers.grpcAddress === undefined ? '' : formatAddress(servers.grpcAddress),
    socket: `unix:${servers.socket}`,
    revision: revision === undefined ? '' : formatRevision(revision),
    store,
    tokens,
    async close() {
      await servers.close(1000);
      await authenticator?.close();
      await Promise.all([...tenants.replicas].map((replica) => replica.close()));
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function openAuthenticator(directory: string, signIn: readonly string[]) {
  const made = signIn.map((subject) => ({ subject, ...createToken() }));
  const tokens = Object.fromEntries(made.map(({ subject, token }) => [subject, token]));
  if (made.length === 0) return { tokens, authenticator: undefined };
  const entries = made.map(({ subject, sha256 }) =>
    printTokenEntry({ sha256, subject, operator: subject === 'service:operator', expiresAt: undefined }),
  );
  const file = join(directory, 'auth.yaml');
  await writeFile(file, `version: 1\ntokens:\n${entries.join('\n')}\n`, { mode: 0o600 });
  return { tokens, authenticator: await createAuthenticator({ file, now: Date.now, onEvent: () => {} }) };
}

function changesOf(policy: string) {
  const parsed = parsePolicy(policy, 'policy.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map((problem) => problem.message).join('\n'));
  return parsed.records.map((record) => ({ op: 'put' as const, record }));
}
