/**
 * Opens and closes the replicas of tenants, and keeps them within the memory that they may take: loads take turns, and
 * who was not asked for longest is let go. served-tenants.ts says which tenants there are; nobody else calls it. A
 * tenant that somebody waits for, or that was named, is never let go.
 */
import { graphOptions } from '../condition/graph-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { estimateBytes } from '../graph/estimate-bytes.ts';
import { isEmpty } from '../graph/is-empty.ts';
import { LoadTurns } from '../replica/load-turns.ts';
import { Replica } from '../replica/replica.ts';
import type { Resident } from '../replica/resident.ts';
import { Room } from '../replica/room.ts';
import type { Tenants } from '../replica/tenants.ts';
import type { SnapshotDirectory } from '../snapshot-file/directory.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SnapshotFacts, TenantFacts } from '../telemetry/metrics.ts';
import { SnapshotBook } from './snapshot-book.ts';

/** How long a synchronisation that failed waits before it is tried again, in milliseconds. */
const retryMs = 200;
/** Graphs that are loaded at once, and how many of those may be of tenants that fail or take long. */
const loadSlots = { slots: 4, heavySlots: 1 };
/** How often it is looked whether somebody has to go, in milliseconds; who was asked for last is known as exactly. */
const sweepMs = 1_000;
/** How many sweeps a tenant that has no policy stays although nobody asks for it. */
const sweepsWithoutPolicy = 60;
/** Who was asked for within this many sweeps counts as in use. */
const sweepsInUse = 60;

export interface ResidenceOptions {
  readonly store: Store;
  readonly serve: ServeOptions;
  readonly logger: Logger;
  readonly tenants: Tenants;
  /** Where graphs are saved on disk, if they are. */
  readonly saved: SnapshotDirectory | undefined;
  /** A tenant holds nothing any more: it may have been deleted. */
  readonly onEmptied: () => void;
}

export class Residence {
  readonly #options: ResidenceOptions;
  readonly #room: Room;
  readonly #turns: LoadTurns;
  readonly #book: SnapshotBook;
  readonly #sweeping: NodeJS.Timeout | undefined;
  #evicted = 0;
  #toldOfTightness = Number.NEGATIVE_INFINITY;

  constructor(options: ResidenceOptions) {
    this.#options = options;
    const { serve, tenants, logger } = options;
    const now = () => performance.now();
    this.#room = new Room({
      boundBytes: serve.tenantMemoryBytes,
      bytesOf: estimateBytes,
      residents: () => tenants.residents,
      evict: (resident) => this.#evict(resident),
      now,
    });
    this.#turns = new LoadTurns({ ...loadSlots, roomInMs: () => this.#room.roomInMs(), now });
    this.#book = new SnapshotBook(logger);
    if (serve.tenantLoading === 'on-demand') this.#sweeping = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** @param pinned Whether it stays whatever happens. */
  open(tenant: string, pinned: boolean): void {
    const { store, serve, tenants, saved, onEmptied } = this.#options;
    const watch = this.#book.watchOf(tenant);
    const lane = this.#turns.lane(() => resident.isHeld);
    const replica = new Replica({
      store,
      tenant,
      graph: graphOptions,
      compareIntervalMs: serve.compareIntervalMs,
      retryMs,
      now: Date.now,
      onEvent: (event) => watch.note(event),
      inTurn: lane.inTurn,
      save: saved && { directory: saved, intervalMs: serve.snapshotIntervalMs },
    });
    this.#book.open(replica);
    replica.onSnapshot((snapshot, changeSet) => {
      // Another sidecar may have deleted it: that comes as a change set like any other.
      if (isEmpty(snapshot)) onEmptied();
      if (changeSet === undefined) this.#noteLoad(resident);
    });
    const resident = tenants.add(replica, pinned);
    resident.hurry = lane.hurry;
  }

  /** @param isOver Whether the tenant was deleted. */
  async close(resident: Resident, isOver: boolean): Promise<void> {
    const { replica } = resident;
    this.#options.tenants.remove(replica.tenant);
    this.#room.forget(resident);
    this.#book.close(replica, isOver);
    await replica.close();
    if (isOver) await this.#options.saved?.remove(replica.tenant);
  }

  /** Lets go whoever has to go, and begins the next moment for those who are asked for. */
  #sweep(): void {
    const { tenants } = this.#options;
    tenants.tick();
    for (const resident of tenants.residents) {
      const unused = tenants.moment - resident.usedAt > sweepsWithoutPolicy;
      // Questions for a tenant that cannot be loaded must not leave it behind for good.
      if (unused && resident.replica.current === undefined && !resident.pinned && !resident.isHeld) {
        void this.close(resident, false);
      }
    }
    this.#room.sweep();
    this.#turns.roomChanged();
  }

  /** What metrics say of each tenant. */
  facts(): readonly SnapshotFacts[] {
    const bytes = new Map<Replica, number>();
    for (const resident of this.#options.tenants.residents) {
      this.#room.measure(resident);
      bytes.set(resident.replica, this.#room.bytesOf(resident));
    }
    return this.#book.facts((replica) => bytes.get(replica) ?? 0);
  }

  tenantFacts(): TenantFacts {
    let loaded = 0;
    for (const { replica } of this.#options.tenants.residents) if (replica.current !== undefined) loaded++;
    return { loaded, evicted: this.#evicted, loadsWaiting: this.#turns.waiting };
  }

  /** Closes everything; idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.#sweeping);
    this.#turns.close();
    await Promise.all(this.#options.tenants.replicas.map((replica) => replica.close()));
  }

  #noteLoad(resident: Resident): void {
    const { tenants, logger, serve } = this.#options;
    // Tells who was asked for before this from who was asked for after it, which one sweep would not.
    tenants.tick();
    this.#room.measure(resident);
    if (!this.#room.isTooLarge(resident)) return;
    const facts = {
      tenant: resident.replica.tenant,
      bytes: this.#room.bytesOf(resident),
      boundBytes: serve.tenantMemoryBytes,
    };
    logger.error(facts, 'this tenant alone takes more than --tenant-memory-bytes; it is served: allow more');
  }

  #evict(resident: Resident): void {
    const { tenants, logger } = this.#options;
    this.#evicted++;
    logger.debug({ tenant: resident.replica.tenant }, 'the tenant was let go for want of memory');
    const { moment } = tenants;
    const inUse = moment - resident.usedAt < sweepsInUse;
    if (inUse && moment - this.#toldOfTightness >= sweepsInUse) {
      this.#toldOfTightness = moment;
      logger.warn({}, 'tenants that are in use do not fit in --tenant-memory-bytes, and are loaded again and again');
    }
    void this.close(resident, false);
  }
}
