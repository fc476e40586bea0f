/**
 * The tenants that this process serves: those it was told, or all that the store has, found as they come and go.
 * Made by the parts list; it alone opens and closes replicas.
 */
import { graphOptions } from '../condition/graph-options.ts';
import { everyTenant } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { recordsOf } from '../graph/records.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { messageOf } from '../model/errors.ts';
import { startJitteredInterval } from '../replica/jittered-interval.ts';
import { Replica } from '../replica/replica.ts';
import { Tenants } from '../replica/tenants.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SnapshotFacts } from '../telemetry/metrics.ts';
import { Looks } from './looks.ts';
import { ReplicaWatch } from './replica-watch.ts';

/** How long a synchronisation that failed waits before it is tried again, in milliseconds. */
const retryMs = 200;
/** The least time between two looks at the list of tenants, in milliseconds: anybody may ask for one that is not there. */
const lookAgainMs = 1_000;
/** How long a look waits for a replica to hear of its tenant's deletion, in milliseconds; the next one waits again. */
const hearMs = 1_000;

export class ServedTenants {
  readonly tenants: Tenants;
  readonly #store: Store;
  readonly #options: ServeOptions;
  readonly #logger: Logger;
  readonly #watches = new Map<Replica, ReplicaWatch>();
  /** Where all tenants are served. */
  readonly #looks: Looks | undefined;
  readonly #stopLooking: (() => void) | undefined;
  #lastProblem = '';
  #closed = false;

  constructor(store: Store, options: ServeOptions, logger: Logger) {
    this.#store = store;
    this.#options = options;
    this.#logger = logger;
    if (!options.tenant.includes(everyTenant)) {
      this.tenants = new Tenants();
      for (const tenant of options.tenant) this.#add(tenant);
      return;
    }
    const looks = new Looks(() => this.#look(), lookAgainMs);
    this.#looks = looks;
    this.tenants = new Tenants([], () => looks.soon());
    this.#stopLooking = startJitteredInterval(() => void this.look(), options.compareIntervalMs);
    void this.look();
  }

  /** Looks for tenants that came or went, where all are served. Never rejects: the store may be away. */
  look(): Promise<void> {
    return this.#looks?.now().catch(() => {}) ?? Promise.resolve();
  }

  /** What metrics say of each tenant. */
  facts(): readonly SnapshotFacts[] {
    return [...this.#watches].map(([replica, watch]) => watch.facts(replica));
  }

  /** Ends every wait for a tenant or a revision: a drain must not last as long as their patience. */
  endWaits(): void {
    this.tenants.endWaits();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopLooking?.();
    await Promise.all([...this.tenants.replicas].map((replica) => replica.close()));
  }

  /** Soon, and no matter how it ends: it is logged. */
  #lookSoon(): void {
    void this.#looks?.soon().catch(() => {});
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    try {
      const found = new Set(await this.#store.tenants());
      if (this.#closed) return;
      for (const tenant of found) if (!this.tenants.has(tenant)) this.#add(tenant);
      this.tenants.listed();
      const missing = [...this.tenants.replicas].filter(({ tenant }) => !found.has(tenant));
      const gone = await Promise.all(missing.map((replica) => this.#isGone(replica)));
      await Promise.all(missing.filter((_, i) => gone[i]).map((replica) => this.#remove(replica)));
      this.#lastProblem = '';
    } catch (error) {
      const problem = messageOf(error);
      if (this.#closed) throw error;
      // The same problem comes with every look; one line is enough until something changes.
      if (problem !== this.#lastProblem) this.#logger.error({}, `cannot look for tenants: ${problem}`);
      this.#lastProblem = problem;
      this.#lookSoon();
      throw error;
    }
  }

  /**
   * Whether a tenant that is not on the list was deleted. A store that was emptied, or lost its list, has not deleted
   * anything: the last policy goes on answering. A deletion leaves the head, and an empty graph at it.
   */
  async #isGone(replica: Replica): Promise<boolean> {
    if (replica.current === undefined) return true;
    const head = await this.#store.head(replica.tenant);
    if (head === undefined) return false;
    try {
      await replica.waitFor(head, AbortSignal.timeout(hearMs));
    } catch {
      return false;
    }
    return isEmpty(replica.current);
  }

  #add(tenant: string): void {
    const watch = new ReplicaWatch(tenant, this.#logger);
    const replica = new Replica({
      store: this.#store,
      tenant,
      graph: graphOptions,
      compareIntervalMs: this.#options.compareIntervalMs,
      retryMs,
      now: Date.now,
      onEvent: (event) => watch.note(event),
    });
    this.#watches.set(replica, watch);
    // Another sidecar may have deleted it: that comes as a change set like any other.
    replica.onSnapshot((snapshot) => {
      if (isEmpty(snapshot)) this.#lookSoon();
    });
    this.tenants.add(replica);
  }

  async #remove(replica: Replica): Promise<void> {
    const { tenant } = replica;
    this.tenants.remove(tenant);
    this.#watches.delete(replica);
    this.#logger.info({ tenant }, 'the tenant was deleted, and is not served any more');
    await replica.close();
  }
}

function isEmpty(snapshot: Snapshot): boolean {
  const { members, objects, bindings } = snapshot.counts;
  return members + objects + bindings === 0 && recordsOf(snapshot).next().done === true;
}
