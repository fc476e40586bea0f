/**
 * Whether this process should be sent questions: its tenants have policies, and those are not older than the operator
 * allows. The PDP is made with it, health checks and probes ask it. It never ends a process: being alive is less.
 */
import type { Replica } from '../replica/replica.ts';
import type { Tenants } from '../replica/tenants.ts';
import { reasonOf } from './staleness.ts';

/** A tenant whose policy is not there, or is not known to be the newest. */
export interface BehindTenant {
  readonly tenant: string;
  /** Since it was last known to be the newest, or, where there is none, since it was first looked for. */
  readonly dataAgeMs: number;
  readonly reason: string;
}

export interface ReadinessReport {
  readonly ready: boolean;
  /** Why not; empty where it is. */
  readonly reason: string;
  /** The first few that are behind, whether that makes this process not ready or not. */
  readonly behind: readonly BehindTenant[];
  /** How many more there are. */
  readonly more: number;
  /** How the decision log does; it never makes this process not ready. */
  readonly decisionLog: LogHealth | undefined;
}

export interface LogHealth {
  readonly mode: string;
  /** Whether questions wait for room in it. */
  readonly full: boolean;
  /** For how long something has been on its way to where it goes. */
  readonly behindMs: number;
  readonly spoolBytes: number;
  /** Since start. */
  readonly dropped: number;
}

export interface ReadinessOptions {
  readonly tenants: Tenants;
  readonly logHealth?: () => LogHealth;
  /** How old a policy may be, in milliseconds; Infinity is any age. */
  readonly maxStalenessMs: number;
  /** Whether an older one takes this process out of service. */
  readonly refuses: boolean;
  /** A tenant's policy became older than that, or is not any more. */
  readonly onStale: (tenant: BehindTenant, isStale: boolean) => void;
}

/** The longest that nobody is told of an age that has passed its bound, in milliseconds; who asks is told at once. */
const lookMs = 1_000;
/** Tenants that a report names. */
const mostNamed = 20;

export class Readiness {
  /** How old a policy may be that answers, in milliseconds; Infinity is any age. */
  readonly refusePastMs: number;
  readonly #options: ReadinessOptions;
  readonly #listeners = new Set<(ready: boolean) => void>();
  readonly #stale = new Set<Replica>();
  readonly #stop: () => void;
  #told: boolean;

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.refusePastMs = options.refuses ? options.maxStalenessMs : Number.POSITIVE_INFINITY;
    this.#told = this.ready;
    const unlisten = options.tenants.onReadyChange(() => this.#tell());
    const { maxStalenessMs } = options;
    const timer = maxStalenessMs === Number.POSITIVE_INFINITY ? undefined : this.#lookEvery(maxStalenessMs);
    this.#stop = () => {
      unlisten();
      clearInterval(timer);
    };
  }

  /** Whether every tenant that this process began with has, or had, a policy; never false again. */
  get loaded(): boolean {
    return this.#options.tenants.ready;
  }

  /** The same, and there is a policy that is not too old. One tenant's trouble does not take the others out of service. */
  get ready(): boolean {
    return this.loaded && !this.#refusesAll();
  }

  /** Calls back when `ready` or `loaded` has changed; returns the way to stop. */
  onChange(listener: (ready: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  report(): ReadinessReport {
    const { ready } = this;
    const behind = this.#options.tenants.replicas.filter((replica) => replica.freshness.ageMs() > 0);
    const limit = `${this.#options.maxStalenessMs / 1_000} s (--max-staleness)`;
    const reason = ready ? '' : this.loaded ? `the policies are older than ${limit}` : 'no policy has been loaded yet';
    const named = behind.slice(0, mostNamed).map(toBehind);
    return {
      ready,
      reason,
      behind: named,
      more: behind.length - named.length,
      decisionLog: this.#options.logHealth?.(),
    };
  }

  /** Tells nobody any more; idempotent. */
  close(): void {
    this.#stop();
    this.#listeners.clear();
  }

  #lookEvery(maxStalenessMs: number): NodeJS.Timeout {
    return setInterval(() => this.#look(), Math.min(lookMs, maxStalenessMs)).unref();
  }

  #look(): void {
    const { replicas } = this.#options.tenants;
    for (const replica of replicas) {
      const isStale = this.#isStale(replica);
      if (isStale === this.#stale.has(replica)) continue;
      if (isStale) this.#stale.add(replica);
      else this.#stale.delete(replica);
      this.#options.onStale(toBehind(replica), isStale);
    }
    for (const replica of this.#stale) if (replica.closed.aborted) this.#stale.delete(replica);
    if (this.ready !== this.#told) this.#tell();
  }

  #tell(): void {
    this.#told = this.ready;
    for (const listener of this.#listeners) listener(this.#told);
  }

  #refusesAll(): boolean {
    if (this.refusePastMs === Number.POSITIVE_INFINITY) return false;
    const held = this.#options.tenants.replicas.filter(({ current }) => current !== undefined);
    return held.length > 0 && held.every((replica) => this.#isStale(replica));
  }

  #isStale(replica: Replica): boolean {
    return replica.current !== undefined && replica.freshness.ageMs() > this.#options.maxStalenessMs;
  }
}

function toBehind(replica: Replica): BehindTenant {
  return { tenant: replica.tenant, dataAgeMs: replica.freshness.ageMs(), reason: reasonOf(replica) };
}
