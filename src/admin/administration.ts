/**
 * Administration: who may read and change role graphs, and the way a change takes. Every call is judged for somebody
 * (acting.ts); changes are planned, validated and judged on one snapshot (plan.ts) and written at its revision
 * (commits.ts); reads are answered from snapshots (reads/). It never holds a graph of its own.
 */
import type { Identity } from '../authn/identity.ts';
import { emptySnapshot, type GraphOptions, type Snapshot } from '../graph/snapshot.ts';
import type { Suggest } from '../graph/validate-nearest.ts';
import { formatRevision, parseRevision } from '../model/change.ts';
import { PosternError } from '../model/errors.ts';
import { checked, problemOfTenant, quote } from '../model/names.ts';
import { notReady, type Tenants } from '../replica/tenants.ts';
import { emptyRevision, type Store } from '../store/store.ts';
import { actorOf, checkOperator, checkTenant } from './acting.ts';
import type { Administration, ReadOptions } from './api.ts';
import { commitAt } from './commits.ts';
import { createJudging, foundOf, passes, snapshotOf } from './judging.ts';
import { planChanges } from './plan.ts';
import type { ReadGate } from './reads/gate.ts';
import { listBindings } from './reads/list-bindings.ts';
import { listChangeSets } from './reads/list-change-sets.ts';
import { listMembers } from './reads/list-members.ts';
import { listGroups, listObjects } from './reads/list-nodes.ts';
import { listRoles } from './reads/list-roles.ts';
import { tenantFacts } from './reads/tenant-facts.ts';
import { watch } from './reads/watch.ts';
import { createTurns } from './turns.ts';

/** Commits to one tenant that one process takes at a time: each may be megabytes. */
const maxWaitingCommits = 1_000;

export interface AdministrationOptions {
  readonly tenants: Tenants;
  readonly store: Store;
  /** Why nothing can be written here, for the message; undefined where it can. */
  readonly readOnly: string | undefined;
  readonly graph: GraphOptions;
  readonly suggest: Suggest;
  /** Told when a tenant was created or deleted here; waited for. */
  readonly onTenantsChanged: () => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createAdministration(options: AdministrationOptions): Administration {
  const { tenants, store, now, suggest } = options;
  const { tenantFor, gateAt } = createJudging(tenants, now);
  const inTurn = createTurns(maxWaitingCommits);

  function checkWritable(): void {
    if (options.readOnly !== undefined) throw new PosternError('READ_ONLY', options.readOnly);
  }

  async function gateFor(
    caller: Identity,
    { tenant, atLeast, onBehalfOf }: Omit<ReadOptions, 'page'>,
    signal: AbortSignal | undefined,
  ): Promise<ReadGate> {
    const replica = await tenantFor(caller, tenant, signal);
    if (atLeast !== '') await replica.waitFor(parseRevision(atLeast, 'at_least'), signal);
    return gateAt(caller, replica, snapshotOf(replica), onBehalfOf);
  }

  async function createTenant(caller: Identity, request: Parameters<Administration['createTenant']>[1]) {
    checkWritable();
    checkOperator(caller, 'create a tenant');
    const { tenant, changes, why, dryRun } = request;
    checked(tenant, problemOfTenant(tenant), 'INVALID_TENANT', 'tenant');
    checkTenant(caller, tenant);
    // One that was deleted goes on in its numbers. Read before the list: who comes in between is a conflict.
    const expected = (await store.head(tenant)) ?? emptyRevision;
    if ((await store.tenants()).includes(tenant)) {
      throw new PosternError('ALREADY_EXISTS', `tenant ${quote(tenant)} is there already`, { field: 'tenant' });
    }
    const snapshot = emptySnapshot(options.graph);
    const plan = planChanges({
      snapshot,
      changes,
      subject: undefined,
      allowNoAdministrator: true,
      nowMs: now(),
      suggest,
    });
    if (dryRun) return { revision: formatRevision(expected), changes: plan.described };
    const revision = await store.commit(tenant, plan.changes, {
      expected,
      by: caller.subject,
      ...(why === '' ? {} : { why }),
    });
    await options.onTenantsChanged();
    return { revision: formatRevision(revision), changes: plan.described };
  }

  return {
    commit: async (caller, request, signal) => {
      const replica = await tenantFor(caller, request.tenant, signal);
      checkWritable();
      if (request.allowNoAdministrator) checkOperator(caller, 'leave a tenant without an administrator');
      const plan = (snapshot: Snapshot) => {
        const nowMs = now();
        const actor = actorOf(caller, snapshot, request.onBehalfOf, nowMs);
        const { changes, allowNoAdministrator } = request;
        const subject = actor.operator ? undefined : actor.subject;
        return { actor, plan: planChanges({ snapshot, changes, subject, allowNoAdministrator, nowMs, suggest }) };
      };
      const release = tenants.hold(replica);
      return inTurn(replica, () => commitAt({ store, replica }, request, { plan }, signal)).finally(release);
    },
    getTenant: async (caller, read, signal) => tenantFacts(await gateFor(caller, read, signal)),
    listRoles: async (caller, read, filter, signal) =>
      listRoles(await gateFor(caller, read, signal), filter, read.page, signal),
    listGroups: async (caller, read, filter, signal) =>
      listGroups(await gateFor(caller, read, signal), filter, read.page, signal),
    listMembers: async (caller, read, filter, signal) =>
      listMembers(await gateFor(caller, read, signal), filter, read.page, signal),
    listBindings: async (caller, read, filter, signal) =>
      listBindings(await gateFor(caller, read, signal), filter, read.page, signal),
    listObjects: async (caller, read, filter, signal) =>
      listObjects(await gateFor(caller, read, signal), filter, read.page, signal),
    listChangeSets: async (caller, read, filter, signal) =>
      listChangeSets(await gateFor(caller, read, signal), store, filter, read.page, signal),
    async *watch(caller, { tenant, since, onBehalfOf }, signal) {
      const replica = await tenantFor(caller, tenant, signal);
      const assertPermitted = (snapshot: Snapshot) => gateAt(caller, replica, snapshot, onBehalfOf).tenantRead();
      assertPermitted(snapshotOf(replica));
      const release = tenants.hold(replica);
      try {
        yield* watch({ replica, store, since, assertPermitted }, AbortSignal.any([signal, replica.closed]));
      } finally {
        release();
      }
      // A tenant that was deleted, or a sidecar that ends: the caller has not had enough.
      if (!signal.aborted) throw notReady(replica);
    },
    async listTenants(caller, onBehalfOf, signal) {
      const known = await store.tenants();
      const good = known.filter((tenant) => caller.tenants === undefined || caller.tenants.includes(tenant));
      if (caller.operator && onBehalfOf === '') return good;
      const readable: string[] = [];
      for (const tenant of good) {
        const replica = await foundOf(tenants, tenant, signal);
        if (replica?.current === undefined) continue;
        if (passes(() => gateAt(caller, replica, snapshotOf(replica), onBehalfOf).tenantRead())) readable.push(tenant);
      }
      return readable;
    },
    createTenant,
    async deleteTenant(caller, { tenant, expected, why }) {
      checkWritable();
      checkOperator(caller, 'delete a tenant');
      checked(tenant, problemOfTenant(tenant), 'INVALID_TENANT', 'tenant');
      checkTenant(caller, tenant);
      let records = 0;
      const revision = await store.deleteTenant(tenant, {
        by: caller.subject,
        ...(why === '' ? {} : { why }),
        ...(expected === '' ? {} : { expected: parseRevision(expected, 'expected') }),
        onProgress: (_, total) => {
          records = total;
        },
      });
      await options.onTenantsChanged();
      return { revision: formatRevision(revision), records };
    },
  };
}
