/**
 * What metrics say of each tenant, for a bounded number of them: the first to come have lines of their own, and all
 * others stand together. Kept by served-tenants.ts. What was counted is never lost while the tenant exists: a tenant
 * that is let go, and comes again, counts on.
 */
import type { Replica } from '../replica/replica.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SnapshotCounts, SnapshotFacts } from '../telemetry/metrics.ts';
import { ReplicaWatch } from './replica-watch.ts';

/** Tenants with lines of their own. */
const mostNamed = 100;
/** Stands for all the others; no tenant has this name. */
const others = '*';

interface Entry {
  readonly watch: ReplicaWatch;
  readonly hasLine: boolean;
  /** Undefined while the tenant is not here. */
  replica: Replica | undefined;
}

export class SnapshotBook {
  readonly #logger: Logger;
  /** By tenant: all that are here, and those with a line of their own that were here. */
  readonly #entries = new Map<string, Entry>();
  #named = 0;
  /** What those without a line counted before they were let go. */
  #past: SnapshotCounts = { loads: 0, applied: 0, failures: 0 };

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Who watches a tenant's next replica, which is to be told of with `open`. */
  watchOf(tenant: string): ReplicaWatch {
    const known = this.#entries.get(tenant);
    if (known !== undefined) return known.watch;
    const hasLine = this.#named < mostNamed;
    if (hasLine) this.#named++;
    const watch = new ReplicaWatch(tenant, this.#logger);
    this.#entries.set(tenant, { watch, hasLine, replica: undefined });
    return watch;
  }

  open(replica: Replica): void {
    const entry = this.#entries.get(replica.tenant);
    if (entry !== undefined) entry.replica = replica;
  }

  /** @param isOver Whether the tenant was deleted: its line goes, and may be another's. */
  close({ tenant }: Replica, isOver: boolean): void {
    const entry = this.#entries.get(tenant);
    if (entry === undefined) return;
    entry.replica = undefined;
    if (entry.hasLine && !isOver) return;
    this.#entries.delete(tenant);
    if (entry.hasLine) this.#named--;
    else this.#past = sum(this.#past, entry.watch.counts);
  }

  /** @param bytesOf What a tenant's snapshot takes, about. */
  facts(bytesOf: (replica: Replica) => number): readonly SnapshotFacts[] {
    const facts: SnapshotFacts[] = [];
    let counts = this.#past;
    let bytes = 0;
    let behindSeconds = 0;
    let hasOthers = counts.loads + counts.applied + counts.failures > 0;
    for (const { watch, hasLine, replica } of this.#entries.values()) {
      if (hasLine && replica !== undefined) facts.push(watch.facts(replica, bytesOf(replica)));
      else if (hasLine)
        facts.push({ tenant: watch.tenant, revision: undefined, behindSeconds: 0, bytes: 0, ...watch.counts });
      else {
        hasOthers = true;
        counts = sum(counts, watch.counts);
        if (replica === undefined) continue;
        bytes += bytesOf(replica);
        behindSeconds = Math.max(behindSeconds, replica.freshness.ageMs() / 1_000);
      }
    }
    if (hasOthers) facts.push({ tenant: others, revision: undefined, behindSeconds, bytes, ...counts });
    return facts;
  }
}

function sum(a: SnapshotCounts, b: SnapshotCounts): SnapshotCounts {
  return { loads: a.loads + b.loads, applied: a.applied + b.applied, failures: a.failures + b.failures };
}
