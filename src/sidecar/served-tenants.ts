/**
 * The tenants that this process serves: those it was told, or all that the store has, found as they come and go, each
 * loaded when it is found or when it is asked for. Made by the parts list; how tenants are held is the residence's affair.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { everyTenant } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { isEmpty } from '../graph/is-empty.ts';
import { messageOf } from '../model/errors.ts';
import { startJitteredInterval } from '../replica/jittered-interval.ts';
import type { Resident } from '../replica/resident.ts';
import { Tenants } from '../replica/tenants.ts';
import type { SnapshotDirectory } from '../snapshot-file/directory.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SnapshotFacts, TenantFacts } from '../telemetry/metrics.ts';
import { Looks } from './looks.ts';
import { Residence } from './residence.ts';

/** The least time between two looks at the list of tenants, in milliseconds: anybody may ask for one that is not there. */
const lookAgainMs = 1_000;
/** How long a look waits for a replica to begin, or to hear of its tenant's deletion, in milliseconds; the next one waits again. */
const hearMs = 1_000;

export class ServedTenants {
  readonly tenants: Tenants;
  readonly #store: Store;
  readonly #saved: SnapshotDirectory | undefined;
  readonly #options: ServeOptions;
  readonly #logger: Logger;
  readonly #residence: Residence;
  /** Those that stay whatever happens, short of their deletion. */
  readonly #named: ReadonlySet<string>;
  /** Where all tenants are served. */
  readonly #looks: Looks | undefined;
  readonly #stopLooking: (() => void) | undefined;
  /** What the last look found. */
  #listed: ReadonlySet<string> = new Set();
  #lastProblem = '';
  #closed = false;

  /** @param saved Where graphs are saved on disk, if they are. */
  constructor(store: Store, options: ServeOptions, logger: Logger, saved?: SnapshotDirectory) {
    this.#store = store;
    this.#saved = saved;
    this.#options = options;
    this.#logger = logger;
    this.#named = new Set(options.tenant.filter((name) => name !== everyTenant));
    const all = options.tenant.includes(everyTenant);
    this.tenants = all ? new Tenants([], (name) => this.#lookFor(name)) : new Tenants();
    const onEmptied = () => this.#lookSoon();
    this.#residence = new Residence({ store, serve: options, logger, tenants: this.tenants, saved, onEmptied });
    for (const tenant of this.#named) this.#add(tenant);
    if (!all) return;
    this.#looks = new Looks(() => this.#look(), lookAgainMs);
    this.#stopLooking = startJitteredInterval(() => void this.look(), options.compareIntervalMs);
    void this.look();
  }

  /** Looks for tenants that came or went, where all are served. Never rejects: the store may be away. */
  look(): Promise<void> {
    return this.#looks?.now().catch(() => {}) ?? Promise.resolve();
  }

  /** What metrics say of each tenant. */
  facts(): readonly SnapshotFacts[] {
    return this.#residence.facts();
  }

  /** What they say of all of them. */
  tenantFacts(): TenantFacts {
    return this.#residence.tenantFacts();
  }

  /** Ends every wait for a tenant or a revision: a drain must not last as long as their patience. */
  endWaits(): void {
    this.tenants.endWaits();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopLooking?.();
    await this.#residence.stop();
  }

  get #isOnDemand(): boolean {
    return this.#options.tenantLoading === 'on-demand';
  }

  /** Soon, and no matter how it ends: it is logged. */
  #lookSoon(): void {
    void this.#looks?.soon().catch(() => {});
  }

  /** For Tenants, which asks for those that are not here, and for those that are here and hold nothing. */
  async #lookFor(name: string): Promise<void> {
    if (!this.tenants.has(name)) {
      if (this.#addListed(name)) return;
      // A look that runs already may find it; only one that begins now can tell that it is not there.
      await this.#looks?.settled();
      if (this.tenants.has(name) || this.#addListed(name)) return;
    }
    await this.#looks?.soon();
    this.#addListed(name);
  }

  /**
   * Begins to load a tenant on demand, where it is on the list that was read last: most questions for a tenant that is
   * not here cause no look at all, and those for one that does not exist share one look a second.
   */
  #addListed(name: string): boolean {
    if (!this.#isOnDemand || this.#closed || !this.#listed.has(name) || this.tenants.has(name)) return false;
    this.#add(name);
    return true;
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    try {
      const found = new Set(await this.#store.tenants());
      if (this.#closed) return;
      this.#list(found);
      const missing = [...this.tenants.residents].filter(({ replica }) => !found.has(replica.tenant));
      const gone = await Promise.all(missing.map((resident) => this.#isGone(resident)));
      await Promise.all(missing.filter((_, i) => gone[i]).map((resident) => this.#remove(resident)));
      this.#lastProblem = '';
    } catch (error) {
      const problem = messageOf(error);
      if (this.#closed) throw error;
      // The same problem comes with every look; one line is enough until something changes.
      if (problem !== this.#lastProblem) this.#logger.error({}, `cannot look for tenants: ${problem}`);
      this.#lastProblem = problem;
      // A list that was never read stands on disk, as far as this sidecar has served it before.
      const onDisk = this.#listed.size === 0 ? await this.#saved?.tenants() : undefined;
      if (onDisk !== undefined && onDisk.length > 0) this.#list(new Set(onDisk));
      this.#lookSoon();
      throw error;
    }
  }

  #list(found: ReadonlySet<string>): void {
    this.#listed = found;
    for (const tenant of found) {
      const wanted = !this.#isOnDemand || this.#named.has(tenant);
      if (wanted && !this.tenants.has(tenant)) this.#add(tenant);
    }
    this.tenants.listed();
  }

  /**
   * Whether a tenant that is not on the list was deleted. A store that was emptied, or lost its list, has not deleted
   * anything: the last policy goes on answering. A deletion leaves the head, and an empty graph at it.
   */
  async #isGone({ replica, pinned }: Resident): Promise<boolean> {
    if (replica.current === undefined) {
      // Its policy may be on its way from disk, where it stays unless the store says that it was deleted.
      const attempted = replica.attempted.then(() => true);
      if (pinned || !(await Promise.race([attempted, delay(hearMs, false, { ref: false })]))) return false;
    }
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
    this.#residence.open(tenant, this.#named.has(tenant));
  }

  async #remove(resident: Resident): Promise<void> {
    const { tenant } = resident.replica;
    // Meanwhile it may have been let go, and come again.
    if (!this.tenants.isHere(resident)) return;
    this.#logger.info({ tenant }, 'the tenant was deleted, and is not served any more');
    await this.#residence.close(resident, true);
  }
}
