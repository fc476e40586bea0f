/**
 * The facade between adapters and everything else: finds the tenant's snapshot,
 * waits for a tenant that has just come or for a revision that is asked for, and
 * hands out views. It never talks to a store, and waits for the log only where the operator chose that.
 */
import type { DecisionLog } from '../decision-log/log.ts';
import { formatRevision, parseRevision } from '../model/change.ts';
import type { Replica } from '../replica/replica.ts';
import { notReady, type Tenants } from '../replica/tenants.ts';
import { createCounters, type DecisionCounters } from './counters.ts';
import { PageTokens } from './page-tokens.ts';
import type { Readiness } from './readiness.ts';
import { SnapshotView, type ViewContext } from './snapshot-view.ts';
import { stale } from './staleness.ts';
import type { Pdp, View } from './view.ts';

export interface PdpOptions {
  readonly tenants: Tenants;
  readonly log: DecisionLog;
  /** Makes decision ids. */
  readonly nextId: (nowMs: number) => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether callers may assert groups of a subject. */
  readonly allowAssertedGroups: boolean;
  readonly readiness: Readiness;
}

export interface RunningPdp extends Pdp {
  readonly counters: DecisionCounters;
}

export function createPdp(options: PdpOptions): RunningPdp {
  const counters = createCounters();
  const { refusePastMs } = options.readiness;
  const pageTokens = new PageTokens();
  /** By replica: one that is not served any more takes what was made for it along. */
  const contexts = new WeakMap<Replica, TenantViews>();

  function viewsOf(replica: Replica): TenantViews {
    let views = contexts.get(replica);
    if (views === undefined) {
      views = { context: { ...options, tenant: replica.tenant, counters, pageTokens }, newest: undefined };
      contexts.set(replica, views);
    }
    return views;
  }

  function currentView(replica: Replica): View {
    const snapshot = replica.current;
    if (snapshot === undefined) throw notReady(replica);
    const views = viewsOf(replica);
    if (views.newest?.snapshot !== snapshot) {
      views.newest = new SnapshotView(snapshot, formatRevision(snapshot.revision), 0, views.context);
    }
    const ageMs = replica.freshness.ageMs();
    if (ageMs === 0) return views.newest;
    if (ageMs > refusePastMs) throw stale(replica, ageMs, refusePastMs);
    // The wire has 32 bits, of which the fast writer takes 31: 24 days.
    return new SnapshotView(snapshot, views.newest.revision, Math.min(ageMs, 0x7fffffff), views.context);
  }

  function viewAt(replica: Replica, atLeast: string, signal: AbortSignal | undefined): View | Promise<View> {
    if (atLeast === '') return currentView(replica);
    const revision = parseRevision(atLeast, 'at_least');
    if (replica.has(revision)) return currentView(replica);
    return replica.waitFor(revision, signal).then(() => currentView(replica));
  }

  function viewOf(tenantName: string, atLeast: string, signal: AbortSignal | undefined): View | Promise<View> {
    const replica = options.tenants.known(tenantName);
    if (replica !== undefined) return viewAt(replica, atLeast, signal);
    return options.tenants.find(tenantName, signal).then((found) => viewAt(found, atLeast, signal));
  }

  return {
    counters,
    readiness: options.readiness,
    get mustWait() {
      return !options.log.hasRoom;
    },
    view(tenantName, atLeast, signal) {
      if (!options.log.hasRoom) return options.log.room(signal).then(() => viewOf(tenantName, atLeast, signal));
      return viewOf(tenantName, atLeast, signal);
    },
  };
}

/** What is made once for a tenant, and once for a snapshot of it. */
interface TenantViews {
  readonly context: ViewContext;
  /** The view of the newest snapshot that was asked for. */
  newest: SnapshotView | undefined;
}
