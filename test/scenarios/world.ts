/**
 * What a scenario is put to: a tenant in a memory store with its replica, the PDP and administration, and a clock that
 * the scenario sets. Called by run.ts.
 */
import { createAdministration } from '../../src/admin/administration.ts';
import type { Administration, ReadOptions } from '../../src/admin/api.ts';
import type { Identity } from '../../src/authn/identity.ts';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { createIds } from '../../src/decision-log/ids.ts';
import type { DecisionLog } from '../../src/decision-log/log.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import { createPdp } from '../../src/pdp/pdp.ts';
import type { Call, View } from '../../src/pdp/view.ts';
import { suggest } from '../../src/policy-file/suggest.ts';
import { Tenants } from '../../src/replica/tenants.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { readinessOf } from '../pdp/ready.ts';
import { createQuietReplica } from '../replica/quiet-replica.ts';

const tenant = 'default';
const operator: Identity = { subject: 'service:operator', operator: true, tenants: undefined, how: 'token' };

export const call: Call = { source: 'check', caller: 'unix', traceId: '' };

export interface World {
  readonly administration: Administration;
  view(): View;
  setTime(nowMs: number): void;
  close(): Promise<void>;
}

/** "operator", or a subject. */
export function identityOf(as: string): Identity {
  return as === 'operator' ? operator : { ...operator, subject: as, operator: false };
}

/** Reads everything on one page. */
export function readOf({ on_behalf_of = '' }: { on_behalf_of?: string | undefined }): ReadOptions {
  return { tenant, page: { size: 1_000, token: '' }, atLeast: '', onBehalfOf: on_behalf_of };
}

export async function createWorld(records: readonly EntityRecord[], startMs: number): Promise<World> {
  let nowMs = startMs;
  const now = () => nowMs;
  const store = createMemoryStore({ now });
  await store.commit(
    tenant,
    records.map((record) => ({ op: 'put', record })),
  );
  const replica = createQuietReplica(store, tenant, now);
  const tenants = new Tenants();
  const first = new Promise<void>((resolve) => replica.onSnapshot(() => resolve()));
  tenants.add(replica);
  await first;
  const pdp = createPdp({
    tenants,
    log: { hasRoom: true, append: () => {} } as unknown as DecisionLog,
    nextId: createIds(),
    now,
    allowAssertedGroups: true,
    readiness: readinessOf(tenants),
  });
  return {
    administration: createAdministration({
      tenants,
      store,
      readOnly: undefined,
      graph: graphOptions,
      suggest,
      now,
      onTenantsChanged: async () => {},
    }),
    view: () => pdp.view(tenant, '') as View,
    setTime(ms) {
      nowMs = ms;
    },
    async close() {
      await replica.close();
      await store.close();
    },
  };
}

/** What comes of it, or the code of its refusal. Anything else is thrown. */
export async function outcomeOf<T>(act: () => T | Promise<T>): Promise<T | PosternError> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof PosternError && error.code !== 'INTERNAL') return error;
    throw error;
  }
}
