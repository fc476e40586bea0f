/**
 * The tenants that this process serves, each with its replica: found by name, added and removed while it runs, and
 * whether all of them can answer. The parts list fills it; the PDP and administration look tenants up in it.
 */
import { PosternError } from '../model/errors.ts';
import { checked, problemOfTenant, quote } from '../model/names.ts';
import type { Replica } from './replica.ts';

export class Tenants {
  readonly #replicas = new Map<string, Replica>();
  readonly #listeners = new Set<(ready: boolean) => void>();
  readonly #unlisten = new Map<string, () => void>();
  #only: Replica | undefined;
  #ready = false;

  readonly #onUnknown: (() => void) | undefined;

  /** @param onUnknown Told of every question about a tenant that is not there. */
  constructor(replicas: Iterable<Replica> = [], onUnknown?: () => void) {
    this.#onUnknown = onUnknown;
    for (const replica of replicas) this.add(replica);
  }

  /** In the order in which they were added. */
  get replicas(): Iterable<Replica> {
    return this.#replicas.values();
  }

  /** Whether there is a tenant, and each one has a snapshot. */
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
      replica.onSnapshot(() => this.#lookAgain()),
    );
    // One that comes later, and has nothing yet, must not take the others out of service.
    if (!this.#ready) this.#lookAgain();
  }

  /** Forgets a tenant; who closes its replica is the caller. */
  remove(tenant: string): Replica | undefined {
    const replica = this.#replicas.get(tenant);
    this.#replicas.delete(tenant);
    this.#findOnly();
    this.#unlisten.get(tenant)?.();
    this.#unlisten.delete(tenant);
    return replica;
  }

  has(tenant: string): boolean {
    return this.#replicas.has(tenant);
  }

  /**
   * The replica of a tenant.
   * @param name Empty where this process serves exactly one.
   * @throws PosternError INVALID_TENANT, UNKNOWN_TENANT
   */
  named(name: string): Replica {
    const replica = name === '' ? this.#only : this.#replicas.get(name);
    if (replica !== undefined) return replica;
    if (name === '') {
      const message = `this sidecar serves ${this.#replicas.size} tenants; name one in "tenant"`;
      throw new PosternError('INVALID_TENANT', message, { field: 'tenant' });
    }
    checked(name, problemOfTenant(name), 'INVALID_TENANT', 'tenant');
    this.#onUnknown?.();
    throw new PosternError('UNKNOWN_TENANT', `tenant ${quote(name)} is not served here; start the sidecar with it`, {
      field: 'tenant',
    });
  }

  #findOnly(): void {
    this.#only = this.#replicas.size === 1 ? [...this.#replicas.values()][0] : undefined;
  }

  #lookAgain(): void {
    if (this.#ready) return;
    const replicas = [...this.#replicas.values()];
    if (replicas.length === 0 || replicas.some((replica) => replica.current === undefined)) return;
    this.#ready = true;
    for (const listener of this.#listeners) listener(true);
  }
}

/** What an answer needs and does not have yet. */
export function notReady({ tenant, state }: Replica): PosternError {
  const reason = state.kind === 'loading' ? state.reason : state.kind;
  return new PosternError('NOT_READY', `tenant "${tenant}" has no policy yet (${reason}); try again`, { tenant });
}
