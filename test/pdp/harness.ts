/** A PDP over a memory store, with a log that keeps its records and a clock that the test sets. */
import { vi } from 'vitest';
import { createIds } from '../../src/decision-log/ids.ts';
import type { DecisionEntry, DecisionLog } from '../../src/decision-log/log.ts';
import type { Change, Revision } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import type { Query } from '../../src/model/query.ts';
import { createPdp, type RunningPdp } from '../../src/pdp/pdp.ts';
import type { Call, View } from '../../src/pdp/view.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { Tenants } from '../../src/replica/tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { createQuietReplica } from '../replica/quiet-replica.ts';
import { readinessOf } from './ready.ts';

export const call: Call = { source: 'check', caller: 'unix', traceId: '' };

export interface PdpHarness {
  readonly pdp: RunningPdp;
  readonly store: Store;
  readonly log: readonly DecisionEntry[];
  /** Commits, and waits until the PDP answers from that revision. */
  readonly commit: (tenant: string, records: readonly EntityRecord[], deletes?: readonly Change[]) => Promise<Revision>;
  readonly view: (tenant?: string) => View;
  close(): Promise<void>;
}

export async function startPdp(
  tenants: readonly string[],
  options: { nowMs?: number; allowAssertedGroups?: boolean; takesPath?: (id: string) => boolean } = {},
): Promise<PdpHarness> {
  const store = createMemoryStore();
  const log: DecisionEntry[] = [];
  const replicas = tenants.map((tenant) => createQuietReplica(store, tenant));
  const served = new Tenants(replicas);
  const pdp = createPdp({
    tenants: served,
    log: {
      hasRoom: true,
      takesPath: options.takesPath,
      append: (entry: DecisionEntry) => log.push(entry),
    } as unknown as DecisionLog,
    nextId: createIds(),
    now: () => options.nowMs ?? 1_000,
    allowAssertedGroups: options.allowAssertedGroups ?? false,
    readiness: readinessOf(served),
  });
  return {
    pdp,
    store,
    log,
    async commit(tenant, records, deletes = []) {
      const revision = await store.commit(tenant, [
        ...records.map((record): Change => ({ op: 'put', record })),
        ...deletes,
      ]);
      const replica = replicas.find((candidate) => candidate.tenant === tenant) as Replica;
      await vi.waitFor(async () => {
        if (replica.current?.revision.number !== revision.number) throw new Error('not there yet');
      });
      return revision;
    },
    view: (tenant = '') => pdp.view(tenant, '') as View,
    async close() {
      for (const replica of replicas) await replica.close();
      await store.close();
    },
  };
}

export function query(subject: string, action: string, object: string, more: Partial<Query> = {}): Query {
  return { subject, action, object, reach: 'inherited', assertedGroups: [], ...more };
}

export const viewer: EntityRecord = { kind: 'role', name: 'viewer', permissions: ['doc:read'] };

export function bound(subject: string, scope: string, role = 'viewer'): EntityRecord {
  return { kind: 'binding', subject, role, scope };
}

/** What the act throws. */
export function catching(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
