// Administration over a memory store, as a sidecar puts it together; with a store that a test may get in the way of.
import { createAdministration } from '../../src/admin/administration.ts';
import type { Administration, CommitRequest } from '../../src/admin/api.ts';
import type { Identity } from '../../src/authn/identity.ts';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { suggest } from '../../src/policy-file/suggest.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { Tenants } from '../../src/replica/tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createQuietReplica } from '../replica/quiet-replica.ts';

export const operator: Identity = { subject: 'service:operator', operator: true, tenants: undefined, how: 'token' };

export function caller(subject: string, fields: Partial<Identity> = {}): Identity {
  return { subject, operator: false, tenants: undefined, how: 'token', ...fields };
}

/** A commit with the defaults of the wire. */
export function request(fields: Partial<CommitRequest>): CommitRequest {
  return {
    tenant: '',
    changes: [],
    expected: '',
    why: '',
    dryRun: false,
    onBehalfOf: '',
    allowNoAdministrator: false,
    ...fields,
  };
}

export interface AdministrationHarness {
  readonly administration: Administration;
  readonly store: Store;
  readonly replica: Replica;
  close(): Promise<void>;
}

export interface HarnessOptions {
  /** The text of the policy that the tenant begins with. */
  readonly policy: string;
  /** Stands between administration and the store. */
  readonly wrap?: (store: Store) => Store;
  readonly readOnly?: string;
  readonly onTenantsChanged?: () => Promise<void>;
}

export async function startAdministration(options: HarnessOptions): Promise<AdministrationHarness> {
  const parsed = parsePolicy(options.policy, 'policy.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  const memory = createMemoryStore();
  await memory.commit(
    'default',
    parsed.records.map((record) => ({ op: 'put', record })),
  );
  const store = options.wrap?.(memory) ?? memory;
  const replica = createQuietReplica(memory, 'default');
  await new Promise((resolve) => replica.onSnapshot(resolve));
  const administration = createAdministration({
    tenants: new Tenants([replica]),
    store,
    readOnly: options.readOnly,
    graph: graphOptions,
    suggest,
    now: Date.now,
    onTenantsChanged: options.onTenantsChanged ?? (async () => {}),
  });
  return {
    administration,
    store: memory,
    replica,
    async close() {
      await replica.close();
      await memory.close();
    },
  };
}
