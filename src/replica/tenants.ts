/**
 * The tenants that this process serves, each with its replica: those it was told, or every tenant of a store, added
 * and removed while it runs; and whether they can answer. The sidecar fills it; the PDP and administration look
 * tenants up in it. It never reads the store: where all are served, it is given the way to look for more.
 */
import { messageOf, PosternError } from '../model/errors.ts';
import { checked, problemOfTenant, quote } from '../model/names.ts';
import type { Replica } from './replica.ts';

/** How long a question waits for its tenant where it brings no limit of its own, in milliseconds. */
const patienceMs = 5_000;

/**
 * Looks at the list of tenants. Resolves when a look that began after the call is over, and what it found is added;
 * rejects where the list could not be read.
 */
export type LookForTenants = () => Promise<void>;

export class Tenants {
  readonly #replicas = new Map<string, Replica>();
  readonly #listeners = new Set<(ready: boolean) => void>();
  readonly #unlisten = new Map<string, () => void>();
  readonly #look: LookForTenants | undefined;
  /** The replicas without which nothing is ready; undefined until the list of tenants was read. */
  #awaited: Set<Replica> | undefined;
  readonly #ending = new AbortController();
  #only: Replica | undefined;
  #ready = false;

  /** @param look Given where every tenant of a store is served. */
  constructor(replicas: Iterable<Replica> = [], look?: LookForTenants) {
    this.#look = look;
    this.#awaited = look === undefined ? new Set() : undefined;
    for (const replica of replicas) this.add(replica);
  }

  /** In the order in which they were added. */
  get replicas(): Iterable<Replica> {
    return this.#replicas.values();
  }

  /**
   * Whether every tenant that was told has a snapshot or, where all are served, the list was read and each tenant that
   * was on it has, or had, one. Once true it stays so: what comes later must not take the others out of service.
   */
  get ready(): boolean {
    return this.#ready;
  }

  /** Calls back whenever `ready` changes; returns the way to stop. */
  onReadyChange(listener: (ready: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(replica: Replica): void {
    this.#replicas.set(replica.tenant, replica);
    this.#findOnly();
    this.#unlisten.set(
      replica.tenant,
      replica.onSnapshot(() => this.#judgeReady()),
    );
    if (this.#look === undefined) this.#awaited?.add(replica);
    this.#judgeReady();
  }

  /** Forgets a tenant; who closes its replica is the caller. */
  remove(tenant: string): Replica | undefined {
    const replica = this.#replicas.get(tenant);
    if (replica === undefined) return undefined;
    this.#replicas.delete(tenant);
    this.#findOnly();
    this.#unlisten.get(tenant)?.();
    this.#unlisten.delete(tenant);
    this.#awaited?.delete(replica);
    this.#judgeReady();
    return replica;
  }

  /** The list of tenants was read, and what is on it is here: these are what `ready` waits for. The first call counts. */
  listed(): void {
    this.#awaited ??= new Set(this.#replicas.values());
    this.#judgeReady();
  }

  has(tenant: string): boolean {
    return this.#replicas.has(tenant);
  }

  /**
   * The replica of a tenant that is here now.
   * @param name Empty where this process was told exactly one.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT
   */
  named(name: string): Replica {
    const replica = this.#get(name);
    if (replica !== undefined) return replica;
    this.#checkName(name);
    void this.#look?.().catch(() => {});
    throw this.#unknown(name);
  }

  /**
   * The same for those who can wait: undefined where find() has to be asked, because the tenant is not here, or has
   * just come, and all are served.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT
   */
  known(name: string): Replica | undefined {
    const replica = this.#get(name);
    if (replica !== undefined && (replica.current !== undefined || this.#look === undefined)) return replica;
    if (replica === undefined) this.#checkName(name);
    if (this.#look === undefined) throw this.#unknown(name);
    return undefined;
  }

  /**
   * The replica of a tenant, looked for in the store where it is not here and all are served; waits for the first
   * attempt to load it, which may have failed.
   * @param signal Ends the wait; without one, seconds do.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT; NOT_READY where it cannot be told in time
   */
  async find(name: string, signal: AbortSignal = AbortSignal.timeout(patienceMs)): Promise<Replica> {
    if (this.#look === undefined) return this.named(name);
    const known = this.#get(name);
    if (known === undefined) this.#checkName(name);
    const end = AbortSignal.any([signal, this.#ending.signal]);
    const replica = known ?? (await this.#lookFor(name, this.#look, end));
    if (replica.current === undefined) await untilAborted(replica.attempted, end);
    return replica;
  }

  /**
   * Ends every wait for a tenant or a revision, and lets nobody wait any more: a drain must not last as long as their
   * patience.
   */
  endWaits(): void {
    this.#ending.abort();
    for (const replica of this.#replicas.values()) replica.endWaits();
  }

  async #lookFor(name: string, look: LookForTenants, signal: AbortSignal): Promise<Replica> {
    let problem = 'the list of tenants was not read in time';
    let wasRead = false;
    const looked = look().then(
      () => {
        wasRead = true;
      },
      (error) => {
        problem = messageOf(error);
      },
    );
    await untilAborted(looked, signal);
    const replica = this.#replicas.get(name);
    if (replica !== undefined) return replica;
    if (wasRead) throw this.#unknown(name);
    if (this.#ending.signal.aborted) problem = 'this sidecar is shutting down';
    const message = `whether there is a tenant ${quote(name)} is not known (${problem}); try again`;
    throw new PosternError('NOT_READY', message, { field: 'tenant' });
  }

  #get(name: string): Replica | undefined {
    return name === '' ? this.#only : this.#replicas.get(name);
  }

  #checkName(name: string): void {
    if (name !== '') {
      checked(name, problemOfTenant(name), 'INVALID_TENANT', 'tenant');
      return;
    }
    const served = this.#look === undefined ? `${this.#replicas.size} tenants` : 'every tenant of its store';
    throw new PosternError('INVALID_TENANT', `this sidecar serves ${served}; name one in "tenant"`, {
      field: 'tenant',
    });
  }

  #unknown(name: string): PosternError {
    const message =
      this.#look === undefined
        ? `tenant ${quote(name)} is not served here; start the sidecar with it`
        : `there is no tenant ${quote(name)} in the store; create it with \`postern tenants create\`, or \`postern apply\``;
    return new PosternError('UNKNOWN_TENANT', message, { field: 'tenant' });
  }

  #findOnly(): void {
    // Where all are served, a second tenant may come at any time: who names none now would fail then.
    if (this.#look !== undefined) return;
    this.#only = this.#replicas.size === 1 ? [...this.#replicas.values()][0] : undefined;
  }

  #judgeReady(): void {
    if (this.#ready || this.#awaited === undefined) return;
    if (this.#look === undefined && this.#awaited.size === 0) return;
    for (const replica of this.#awaited) if (replica.current === undefined) return;
    this.#ready = true;
    for (const listener of this.#listeners) listener(true);
  }
}

/** What an answer needs and does not have yet. */
export function notReady({ tenant, state }: Replica): PosternError {
  const reason = state.kind === 'loading' ? state.reason : state.kind;
  return new PosternError('NOT_READY', `tenant "${tenant}" has no policy yet (${reason}); try again`, { tenant });
}

/** Waits for what never rejects, or until the signal. */
function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end);
    void promise.then(end);
  });
}
