/**
 * The tenants that this process serves, each with its replica: those it was told, or every tenant of a store, added
 * and removed while it runs; and whether they can answer. The sidecar fills it; the PDP and administration look
 * tenants up in it. It never reads the store: where all are served, it is given the way to look for more.
 */
import { messageOf, PosternError } from '../model/errors.ts';
import { checked, problemOfTenant, quote } from '../model/names.ts';
import type { Replica } from './replica.ts';
import { Resident } from './resident.ts';

/** How long a question waits for its tenant where it brings no limit of its own: as long as any call may, in milliseconds. */
const patienceMs = 30_000;

/**
 * Looks for a tenant in the store. Resolves when it was added, or removed, or is known not to be there by a look that
 * began after the call; rejects where that could not be found out.
 */
export type LookForTenant = (name: string) => Promise<void>;

export class Tenants {
  readonly #residents = new Map<string, Resident>();
  readonly #listeners = new Set<(ready: boolean) => void>();
  readonly #look: LookForTenant | undefined;
  /** The replicas without which nothing is ready; undefined until the list of tenants was read. */
  #awaited: Set<Replica> | undefined;
  readonly #ending = new AbortController();
  #only: Resident | undefined;
  #moment = 0;
  #ready = false;

  /** @param look Given where every tenant of a store is served. */
  constructor(replicas: Iterable<Replica> = [], look?: LookForTenant) {
    this.#look = look;
    this.#awaited = look === undefined ? new Set() : undefined;
    for (const replica of replicas) this.add(replica);
  }

  /** In the order in which they were added. */
  get replicas(): readonly Replica[] {
    return [...this.#residents.values()].map(({ replica }) => replica);
  }

  /** The same, with how they are used. */
  get residents(): Iterable<Resident> {
    return this.#residents.values();
  }

  /** The moment that it is: what is asked for is marked with it. */
  get moment(): number {
    return this.#moment;
  }

  /**
   * Begins the next moment. A question stores a number and reads no clock, so that telling who was asked last costs it
   * nothing; whoever wants to tell two questions apart calls this in between.
   */
  tick(): void {
    this.#moment++;
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

  /** @param pinned Whether it was named: `ready` waits for it, and it is never let go. */
  add(replica: Replica, pinned = this.#look === undefined): Resident {
    const resident = new Resident(replica, pinned, this.#moment, () => this.#judgeReady());
    this.#residents.set(replica.tenant, resident);
    this.#findOnly();
    if (this.#look === undefined) this.#awaited?.add(replica);
    this.#judgeReady();
    return resident;
  }

  /** Forgets a tenant; who closes its replica is the caller. */
  remove(tenant: string): Replica | undefined {
    const resident = this.#residents.get(tenant);
    if (resident === undefined) return undefined;
    const { replica } = resident;
    this.#residents.delete(tenant);
    this.#findOnly();
    resident.release();
    this.#awaited?.delete(replica);
    this.#judgeReady();
    return replica;
  }

  /** The list of tenants was read, and what is here now is what `ready` waits for. The first call counts. */
  listed(): void {
    this.#awaited ??= new Set(this.replicas);
    this.#judgeReady();
  }

  has(tenant: string): boolean {
    return this.#residents.has(tenant);
  }

  isHere(resident: Resident): boolean {
    return this.#residents.get(resident.replica.tenant) === resident;
  }

  /** Keeps a tenant from being let go, for who goes on with it for longer than one turn, until what this returns is called. */
  hold({ tenant }: Replica): () => void {
    const resident = this.#residents.get(tenant);
    if (resident === undefined) return () => {};
    resident.holds++;
    let held = true;
    return () => {
      if (held) resident.holds--;
      held = false;
    };
  }

  /**
   * The replica of a tenant that is here now.
   * @param name Empty where this process was told exactly one.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT
   */
  named(name: string): Replica {
    const resident = this.#get(name);
    if (resident !== undefined) return resident.replica;
    this.#checkName(name);
    throw this.#unknown(name);
  }

  /**
   * The same for those who can wait: undefined where find() has to be asked, because all are served and the tenant is
   * not here, has just come, or has just been emptied.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT
   */
  known(name: string): Replica | undefined {
    const resident = this.#get(name);
    if (resident !== undefined && (resident.answers || this.#look === undefined)) {
      resident.usedAt = this.#moment;
      return resident.replica;
    }
    if (resident === undefined) this.#checkName(name);
    if (this.#look === undefined) throw this.#unknown(name);
    return undefined;
  }

  /**
   * The replica of a tenant, looked for in the store where it is not here and all are served; waits for the first
   * attempt to load it, which may have failed. Those who ask for one tenant at the same time share its load.
   * @param signal Ends the wait; without one, half a minute does.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT; NOT_READY where it cannot be told in time
   */
  async find(name: string, signal: AbortSignal = AbortSignal.timeout(patienceMs)): Promise<Replica> {
    if (this.#look === undefined) return this.named(name);
    const known = this.#get(name);
    if (known === undefined) this.#checkName(name);
    const end = AbortSignal.any([signal, this.#ending.signal]);
    const resident = known ?? (await this.#lookFor(name, this.#look, end));
    const { replica } = resident;
    resident.usedAt = this.#moment;
    resident.holds++;
    try {
      if (replica.current === undefined) {
        resident.hurry();
        await untilAborted(replica.attempted, end);
      }
      if (replica.current === undefined || resident.answers) return replica;
      // Empty: deleted, or meant to be so. The look says which.
      const left = await this.#lookFor(name, this.#look, end, resident);
      left.answers = left.replica.current !== undefined;
      return left.replica;
    } finally {
      resident.holds--;
    }
  }

  /**
   * Ends every wait for a tenant or a revision, and lets nobody wait any more: a drain must not last as long as their
   * patience.
   */
  endWaits(): void {
    this.#ending.abort();
    for (const replica of this.replicas) replica.endWaits();
  }

  /** @param doubted One that is here, and does not count unless the look leaves it. */
  async #lookFor(name: string, look: LookForTenant, signal: AbortSignal, doubted?: Resident): Promise<Resident> {
    let problem = 'the list of tenants was not read in time';
    let wasRead = false;
    const looked = look(name).then(
      () => {
        wasRead = true;
      },
      (error) => {
        problem = messageOf(error);
      },
    );
    await untilAborted(looked, signal);
    const resident = this.#residents.get(name);
    if (resident !== undefined && (wasRead || resident !== doubted)) return resident;
    if (wasRead) throw this.#unknown(name);
    if (this.#ending.signal.aborted) problem = 'this sidecar is shutting down';
    const message = `whether there is a tenant ${quote(name)} is not known (${problem}); try again`;
    throw new PosternError('NOT_READY', message, { field: 'tenant' });
  }

  #get(name: string): Resident | undefined {
    return name === '' ? this.#only : this.#residents.get(name);
  }

  #checkName(name: string): void {
    if (name !== '') {
      checked(name, problemOfTenant(name), 'INVALID_TENANT', 'tenant');
      return;
    }
    const served = this.#look === undefined ? `${this.#residents.size} tenants` : 'every tenant of its store';
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
    this.#only = this.#residents.size === 1 ? [...this.#residents.values()][0] : undefined;
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
