/**
 * The tenants that this process serves: those it was told, or all that the store has, found as they come and go.
 * Made by the parts list; it alone opens and closes replicas.
 */
import { graphOptions } from '../condition/graph-options.ts';
import { everyTenant } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { messageOf } from '../model/errors.ts';
import { Replica } from '../replica/replica.ts';
import { Tenants } from '../replica/tenants.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SnapshotFacts } from '../telemetry/metrics.ts';
import { ReplicaWatch } from './replica-watch.ts';

/** How long a synchronisation that failed waits before it is tried again, in milliseconds. */
const retryMs = 200;
/** The least time between two looks at the list of tenants, in milliseconds: anybody may ask for one that is not there. */
const lookAgainMs = 1_000;

export class ServedTenants {
  readonly tenants: Tenants;
  readonly #store: Store;
  readonly #options: ServeOptions;
  readonly #logger: Logger;
  readonly #watches = new Map<Replica, ReplicaWatch>();
  readonly #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #lastProblem = '';
  #closed = false;

  constructor(store: Store, options: ServeOptions, logger: Logger) {
    this.#store = store;
    this.#options = options;
    this.#logger = logger;
    const servesAll = options.tenant.includes(everyTenant);
    this.tenants = new Tenants([], servesAll ? () => this.#lookSoon() : undefined);
    if (!servesAll) {
      for (const tenant of options.tenant) this.#add(tenant);
      return;
    }
    this.#timer = setInterval(() => void this.look(), options.compareIntervalMs).unref();
    void this.look();
  }

  /** Looks for tenants that came or went, where all are served. Never throws: the store may be away. */
  look(): Promise<void> {
    if (this.#timer === undefined || this.#closed) return Promise.resolve();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What metrics say of each tenant. @param nowMs Milliseconds since 1970. */
  facts(nowMs: number): readonly SnapshotFacts[] {
    return [...this.#watches].map(([replica, watch]) => watch.facts(replica, nowMs));
  }

  /** Ends every wait for a revision: a drain must not last as long as their patience. */
  endWaits(): void {
    for (const replica of this.tenants.replicas) replica.endWaits();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await Promise.all([...this.tenants.replicas].map((replica) => replica.close()));
  }

  #lookSoon(): void {
    if (performance.now() - this.#lookedAtMs >= lookAgainMs) void this.look();
  }

  async #look(): Promise<void> {
    this.#lookedAtMs = performance.now();
    try {
      const found = new Set(await this.#store.tenants());
      if (this.#closed) return;
      this.#lastProblem = '';
      for (const tenant of found) if (!this.tenants.has(tenant)) this.#add(tenant);
      for (const { tenant } of [...this.tenants.replicas]) if (!found.has(tenant)) await this.#remove(tenant);
    } catch (error) {
      const problem = messageOf(error);
      // The same problem comes with every look; one line is enough until something changes.
      if (problem !== this.#lastProblem) this.#logger.error({}, `cannot look for tenants: ${problem}`);
      this.#lastProblem = problem;
      if (!this.#closed) setTimeout(() => void this.look(), lookAgainMs).unref();
    }
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
    this.tenants.add(replica);
  }

  async #remove(tenant: string): Promise<void> {
    const replica = this.tenants.remove(tenant);
    if (replica === undefined) return;
    this.#watches.delete(replica);
    this.#logger.info({ tenant }, 'the tenant was deleted, and is not served any more');
    await replica.close();
  }
}
