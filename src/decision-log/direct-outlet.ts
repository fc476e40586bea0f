/**
 * Lines go from memory to the sink; accept() ends when the sink has them. For the modes that keep nothing on disk: what
 * is in memory when the process dies is lost, and a process that follows begins another chain.
 */
import { newChain } from './chain/chain.ts';
import { Linker, type LinkerOptions } from './chain/linker.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import type { Encoded, Outlet, OutletStats } from './outlet.ts';
import { closeWithin, within } from './within.ts';

export type DirectOutletOptions = Omit<DeliveryOptions, 'abandon'> & LinkerOptions;

interface TenantChain {
  readonly linker: Linker;
  /** The lines of one tenant are linked and written one batch after the other. */
  tail: Promise<unknown>;
}

export class DirectOutlet implements Outlet {
  readonly description: string;
  readonly fullCause = 'buffer_full';
  readonly #options: DirectOutletOptions;
  readonly #delivery: Delivery;
  readonly #giveUp = new AbortController();
  readonly #chains = new Map<string, TenantChain>();
  readonly #sealing: NodeJS.Timeout;
  #waiting = 0;
  #waitingSinceMs = 0;

  constructor(options: DirectOutletOptions) {
    this.#options = options;
    this.description = options.sink.description;
    this.#delivery = new Delivery({ ...options, abandon: this.#giveUp.signal });
    // A tenant that nothing is asked of any more is sealed all the same.
    this.#sealing = setInterval(() => this.#sealIdle(), options.sealIntervalMs).unref();
  }

  lastSeq(): number {
    return 0;
  }

  accept({ tenant, bodies, lastSeq }: Encoded): Promise<number | undefined> {
    return this.#inOrder(tenant, (linker) => this.#write(tenant, linker, () => linker.link(bodies, lastSeq)));
  }

  stats(): OutletStats {
    const { delivered, refused, failedWrites } = this.#delivery;
    const behindMs = this.#waiting === 0 ? 0 : performance.now() - this.#waitingSinceMs;
    return { delivered, refused, failedWrites, spoolBytes: 0, behindMs };
  }

  giveUp(): void {
    this.#giveUp.abort();
  }

  async close(deadlineMs: number, abandoned: Parameters<Outlet['close']>[1]): Promise<void> {
    clearInterval(this.#sealing);
    const ends = [...this.#chains.keys()].map((tenant) =>
      this.#inOrder(tenant, (linker) => this.#write(tenant, linker, () => linker.stop(abandoned.get(tenant)))),
    );
    await within(deadlineMs, Promise.all(ends));
    this.giveUp();
    await closeWithin(this.#options.sink, this.#options.onEvent);
  }

  #sealIdle(): void {
    for (const [tenant, { linker }] of this.#chains) {
      if (linker.isUnsealed) void this.#inOrder(tenant, (its) => this.#write(tenant, its, () => its.seal()));
    }
  }

  async #write(tenant: string, linker: Linker, link: () => Buffer): Promise<number | undefined> {
    const restore = linker.save();
    const before = linker.hash;
    const lines = link();
    if (lines.length === 0) return 0;
    if (this.#waiting++ === 0) this.#waitingSinceMs = performance.now();
    const delivered = await this.#delivery.deliver(tenant, lines, before);
    this.#waiting--;
    if (delivered === undefined) {
      restore();
      return undefined;
    }
    const { gaps, refused } = delivered;
    if (gaps.length > 0) await this.#write(tenant, linker, () => linker.link(gaps, 0));
    return refused;
  }

  #inOrder<T>(tenant: string, work: (linker: Linker) => Promise<T>): Promise<T> {
    let chain = this.#chains.get(tenant);
    if (chain === undefined) {
      chain = { linker: new Linker(tenant, newChain, 'nothing', this.#options), tail: Promise.resolve() };
      this.#chains.set(tenant, chain);
    }
    const { linker, tail } = chain;
    const done = tail.then(() => work(linker));
    chain.tail = done;
    return done;
  }
}
