/**
 * For whom a call is judged, and by which graph: the way from a caller and the name of a tenant to a gate. Shared by
 * administration.ts and decisions.ts, so that nobody is let in by one whom the other refuses.
 */
import type { Identity } from '../authn/identity.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { PosternError } from '../model/errors.ts';
import type { Replica } from '../replica/replica.ts';
import { notReady, type Tenants } from '../replica/tenants.ts';
import { actorOf, checkTenant } from './acting.ts';
import { createReadGate, type ReadGate } from './reads/gate.ts';

export interface Judging {
  /** @param name Empty where one tenant is served. @throws PosternError NOT_PERMITTED, INVALID_TENANT, UNKNOWN_TENANT */
  tenantFor(caller: Identity, name: string, signal: AbortSignal | undefined): Promise<Replica>;
  /** @param onBehalfOf The subject to act for, or empty. @throws PosternError NOT_PERMITTED, INVALID_SUBJECT */
  gateAt(caller: Identity, replica: Replica, snapshot: Snapshot, onBehalfOf: string): ReadGate;
}

/** @param now Milliseconds since 1970. */
export function createJudging(tenants: Tenants, now: () => number): Judging {
  return {
    async tenantFor(caller, name, signal) {
      // A credential for other tenants causes no look at the store, and learns nothing.
      if (name !== '') checkTenant(caller, name);
      const replica = await tenants.find(name, signal);
      checkTenant(caller, replica.tenant);
      return replica;
    },
    gateAt(caller, { tenant }, snapshot, onBehalfOf) {
      const nowMs = now();
      const reader = actorOf(caller, snapshot, onBehalfOf, nowMs);
      return createReadGate({ tenant, snapshot, reader, nowMs });
    },
  };
}

/** @throws PosternError NOT_READY */
export function snapshotOf(replica: Replica): Snapshot {
  if (replica.current === undefined) throw notReady(replica);
  return replica.current;
}

/**
 * The replica of a tenant that is listed; undefined where it is not served here, or not any more. Tenants that are
 * loaded on demand are loaded for this, one after the other: a list without them would pass for the whole.
 */
export async function foundOf(tenants: Tenants, tenant: string, signal: AbortSignal | undefined) {
  if (signal?.aborted === true)
    throw new PosternError('CANCELLED', 'the call was given up before the list was complete');
  try {
    return await tenants.find(tenant, signal);
  } catch (error) {
    if (error instanceof PosternError && error.code === 'UNKNOWN_TENANT') return undefined;
    throw error;
  }
}

/** Whether a gate lets through. @throws what it throws that is no refusal */
export function passes(gate: () => void): boolean {
  try {
    gate();
    return true;
  } catch (error) {
    if (error instanceof PosternError && error.code === 'NOT_PERMITTED') return false;
    throw error;
  }
}
