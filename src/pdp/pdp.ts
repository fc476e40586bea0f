/**
 * The facade between adapters and everything else: finds the tenant's snapshot,
 * waits for a revision where asked, and hands out views. It never talks to a
 * store and never waits for the log.
 */
import type { DecisionLog } from '../decision-log/log.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { formatRevision, parseRevision, type Revision } from '../model/change.ts';
import { PosternError } from '../model/errors.ts';
import { checked, problemOfTenant, quote } from '../model/names.ts';
import type { Replica } from '../replica/replica.ts';
import { createCounters, type DecisionCounters } from './counters.ts';
import { PageTokens } from './page-tokens.ts';
import { SnapshotView, type ViewContext } from './snapshot-view.ts';
import type { Pdp, View } from './view.ts';

export interface PdpOptions {
  /** One a tenant that is served. */
  readonly replicas: readonly Replica[];
  readonly log: DecisionLog;
  /** Makes decision ids. */
  readonly nextId: (nowMs: number) => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether callers may assert groups of a subject. */
  readonly allowAssertedGroups: boolean;
}

export interface RunningPdp extends Pdp {
  readonly counters: DecisionCounters;
}

export function createPdp(options: PdpOptions): RunningPdp {
  const counters = createCounters();
  const pageTokens = new PageTokens();
  const tenants = new Map<string, Tenant>();
  for (const replica of options.replicas) {
    const context: ViewContext = { ...options, tenant: replica.tenant, counters, pageTokens };
    tenants.set(replica.tenant, { replica, context, view: undefined });
  }
  const only = tenants.size === 1 ? [...tenants.values()][0] : undefined;
  const listeners = new Set<(ready: boolean) => void>();
  let ready = isReady(options.replicas);

  for (const replica of options.replicas) {
    replica.onSnapshot(() => {
      if (ready || !isReady(options.replicas)) return;
      ready = true;
      for (const listener of listeners) listener(true);
    });
  }

  function tenantNamed(name: string): Tenant {
    const tenant = name === '' ? only : tenants.get(name);
    if (tenant !== undefined) return tenant;
    if (name === '') {
      throw new PosternError('INVALID_TENANT', `this sidecar serves ${tenants.size} tenants; name one in "tenant"`, {
        field: 'tenant',
      });
    }
    checked(name, problemOfTenant(name), 'INVALID_TENANT', 'tenant');
    throw new PosternError('UNKNOWN_TENANT', `tenant ${quote(name)} is not served here; start the sidecar with it`, {
      field: 'tenant',
    });
  }

  return {
    counters,
    get ready() {
      return ready;
    },
    onReadyChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    view(tenantName, atLeast, signal) {
      const tenant = tenantNamed(tenantName);
      if (atLeast === '') return currentView(tenant);
      const revision = parseRevision(atLeast, 'at_least');
      if (covers(tenant.replica.current?.revision, revision)) return currentView(tenant);
      return tenant.replica.waitFor(revision, signal).then(() => currentView(tenant));
    },
  };
}

interface Tenant {
  readonly replica: Replica;
  readonly context: ViewContext;
  /** The view of the newest snapshot that was asked for. */
  view: SnapshotView | undefined;
}

function currentView(tenant: Tenant): View {
  const snapshot: Snapshot | undefined = tenant.replica.current;
  if (snapshot === undefined) throw notReady(tenant.replica);
  if (tenant.view?.snapshot !== snapshot) {
    tenant.view = new SnapshotView(snapshot, formatRevision(snapshot.revision), tenant.context);
  }
  return tenant.view;
}

function covers(current: Revision | undefined, asked: Revision): boolean {
  return current !== undefined && current.epoch === asked.epoch && current.number >= asked.number;
}

function isReady(replicas: readonly Replica[]): boolean {
  return replicas.every((replica) => replica.current !== undefined);
}

function notReady(replica: Replica): PosternError {
  const { state } = replica;
  const reason = state.kind === 'loading' ? state.reason : state.kind;
  return new PosternError('NOT_READY', `tenant "${replica.tenant}" has no policy yet (${reason}); try again`, {
    tenant: replica.tenant,
  });
}
