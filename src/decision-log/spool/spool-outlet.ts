/**
 * Lines go to files on disk first, and from there to the sink, in order: what is on disk survives the death of this
 * process and outages of the sink. accept() ends when the lines are in a file. Bounded by bytes: when that many wait, it
 * takes no more until the sink has taken some. One process at a time has a spool; claim.ts sees to that.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { problemOfTenant } from '../../model/names.ts';
import { Linker, type LinkerOptions } from '../chain/linker.ts';
import { Delivery, type DeliveryOptions } from '../delivery.ts';
import { OpenFiles } from '../open-files.ts';
import type { Encoded, Outlet, OutletStats } from '../outlet.ts';
import { closeWithin, within } from '../within.ts';
import { KeptUp } from './kept-up.ts';
import { retried } from './retried.ts';
import { SpoolLane } from './spool-lane.ts';
import { TenantSpool } from './tenant-spool.ts';

export interface SpoolOutletOptions extends Omit<DeliveryOptions, 'abandon'>, Omit<LinkerOptions, 'lostMs'> {
  /** Of this instance alone. */
  readonly directory: string;
  /** How much may wait for the sink, about: each tenant keeps up to two segments of 8 MiB beyond it. */
  readonly spoolBytes: number;
  /** Whether every write waits for the disk: survives the loss of power too. */
  readonly sync: boolean;
  /** Whether a record is on disk when its decision is answered. */
  readonly writeThrough: boolean;
  /** Tenants that are known to be served: with `writeThrough` their files are made at once. */
  readonly tenants: readonly string[];
  /** What a crash of this process can lose; the next one says so. */
  readonly lostMs: number;
}

/** How often it is noted on disk how far the sink is; what it took since then, it gets again after a crash. */
const saveMs = 200;
/** What closing may take beyond its deadline: the ends of chains are written to local files. */
const leastCloseMs = 500;

export class SpoolOutlet implements Outlet {
  readonly description: string;
  readonly fullCause = 'spool_full';
  readonly acceptNow: Outlet['acceptNow'];
  readonly #options: SpoolOutletOptions;
  readonly #delivery: Delivery;
  readonly #giveUp = new AbortController();
  /** Ends what waits for the sink. */
  readonly #endShipping = new AbortController();
  readonly #lanes = new Map<string, SpoolLane>();
  readonly #timers: NodeJS.Timeout[];
  readonly #keptUp: KeptUp;
  /** Tenants of whom something was given up: what follows would stand before the gap record that tells of it. */
  readonly #abandoned = new Set<string>();
  readonly #files = new OpenFiles();
  #isFull = false;

  private constructor(options: SpoolOutletOptions, keptUp: KeptUp) {
    this.#options = options;
    this.#keptUp = keptUp;
    const bound = `${Math.round(options.spoolBytes / 2 ** 20)} MiB`;
    this.description = `${options.sink.description}, by way of the spool ${options.directory}, where up to ${bound} wait when that is slow or gone`;
    if (options.writeThrough) {
      this.acceptNow = (tenant, body, lastSeq) =>
        this.#lanes.get(tenant)?.appendNow((linker) => linker.link([body], lastSeq)) === true;
    }
    this.#delivery = new Delivery({ ...options, abandon: this.#endShipping.signal });
    this.#timers = [
      setInterval(() => this.#sealIdle(), options.sealIntervalMs).unref(),
      setInterval(() => void this.#save(), saveMs).unref(),
    ];
  }

  /**
   * Opens what an earlier process left, and begins to bring it to the sink.
   * @throws what the file system throws
   */
  static async open(options: SpoolOutletOptions): Promise<SpoolOutlet> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 });
    const entries = await readdir(options.directory, { withFileTypes: true });
    // What is called otherwise is not ours: a disk may have directories of its own.
    const tenants = entries.filter((entry) => entry.isDirectory() && problemOfTenant(entry.name) === undefined);
    const outlet = new SpoolOutlet(options, await KeptUp.open(options.directory, options.lostMs));
    try {
      for (const { name } of tenants) await outlet.#resume(name);
      if (options.writeThrough) await outlet.#prepare(options.tenants);
      return outlet;
    } catch (error) {
      await outlet.close(0, new Map());
      throw error;
    }
  }

  lastSeq(tenant: string): number {
    return this.#lanes.get(tenant)?.linker.lastSeq ?? 0;
  }

  async accept({ tenant, bodies, lastSeq }: Encoded): Promise<number | undefined> {
    if (this.#abandoned.has(tenant)) return undefined;
    const lane = this.#lanes.get(tenant) ?? (await this.#begin(tenant));
    if ((await lane?.append((linker) => linker.link(bodies, lastSeq))) === true) return 0;
    this.#abandoned.add(tenant);
    return undefined;
  }

  stats(): OutletStats {
    const { delivered, refused, failedWrites } = this.#delivery;
    let behindMs = 0;
    for (const lane of this.#lanes.values()) behindMs = Math.max(behindMs, lane.behindMs);
    return { delivered, refused, failedWrites, spoolBytes: this.#waitingBytes(), behindMs };
  }

  giveUp(): void {
    this.#giveUp.abort();
  }

  async close(deadlineMs: number, abandoned: Parameters<Outlet['close']>[1]): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const lanes = [...this.#lanes];
    const { onEvent, sink } = this.#options;
    const ended = Promise.all(
      lanes.map(([tenant, lane]) => lane.append((linker) => linker.stop(abandoned.get(tenant)), { isLast: true })),
    );
    // Local files, which may be on a disk that is full or does not answer.
    await within(Math.max(deadlineMs, leastCloseMs), ended);
    this.giveUp();
    await within(deadlineMs, Promise.all(lanes.map(([, lane]) => lane.shipped())));
    this.#endShipping.abort();
    await within(leastCloseMs, Promise.all(lanes.map(([, lane]) => lane.close())));
    const bytes = this.#waitingBytes();
    if (bytes > 0) onEvent({ kind: 'left_in_spool', bytes });
    await closeWithin(sink, onEvent);
  }

  /** So that not even the first record of a tenant has to wait for a file to be made. */
  async #prepare(tenants: readonly string[]): Promise<void> {
    for (const tenant of tenants) await (this.#lanes.get(tenant) ?? (await this.#open(tenant))).prepare();
  }

  async #resume(tenant: string): Promise<void> {
    const lane = await this.#open(tenant);
    const { left, cutBytes, waitingBytes } = lane.spool;
    const { before, damage } = left;
    const { lastSeq } = left.chain;
    const { onEvent } = this.#options;
    if (damage !== undefined) onEvent({ kind: 'spool_damaged', tenant, damage });
    if (before === 'nothing') return;
    if (before === 'crash') {
      onEvent({ kind: 'crashed', tenant, lastSeq, cutBytes });
      // Whoever reads the log should see it, even where nothing is asked any more.
      void lane.append((linker) => linker.begin());
    } else onEvent({ kind: 'resumed', tenant, lastSeq, waitingBytes });
    lane.ship();
  }

  /** Undefined where it was given up: a directory cannot be made as long as the disk is full. */
  async #begin(tenant: string): Promise<SpoolLane | undefined> {
    const { onEvent, retryMinMs, retryMaxMs } = this.#options;
    const { signal } = this.#giveUp;
    let isHeld = false;
    const open = async () => {
      try {
        return await this.#open(tenant);
      } catch (error) {
        if (!isHeld) this.#keptUp.begin();
        isHeld = true;
        this.#freeDisk(undefined);
        throw error;
      }
    };
    const lane = await retried(open, { tenant, onEvent, retryMinMs, retryMaxMs, signal });
    if (isHeld && lane !== undefined) this.#keptUp.end();
    return lane;
  }

  /** Gives back what the sink has of files that are appended to. */
  #freeDisk(asking: SpoolLane | undefined): void {
    for (const lane of this.#lanes.values()) if (lane !== asking) lane.trim();
  }

  async #open(tenant: string): Promise<SpoolLane> {
    const options = this.#options;
    const spool = await TenantSpool.open(join(options.directory, tenant), this.#files);
    const { chain, before, damage } = spool.left;
    const lostMs = damage === undefined ? this.#keptUp.beforeMs : undefined;
    const lane = new SpoolLane({
      ...options,
      tenant,
      spool,
      linker: new Linker(tenant, chain, before, { ...options, lostMs }),
      delivery: this.#delivery,
      keptUp: this.#keptUp,
      freeDisk: (asking) => this.#freeDisk(asking),
      hasRoomFor: (bytes) => this.#hasRoomFor(bytes),
      giveUp: this.#giveUp.signal,
      endShipping: this.#endShipping.signal,
    });
    this.#lanes.set(tenant, lane);
    return lane;
  }

  #hasRoomFor(bytes: number): boolean {
    const waiting = this.#waitingBytes();
    const { spoolBytes, onEvent } = this.#options;
    const isFull = waiting > 0 && waiting + bytes > spoolBytes;
    // One that is emptied little by little is full again and again: that is one story.
    if (isFull && !this.#isFull) onEvent({ kind: 'spool_full', bytes: waiting });
    if (isFull || waiting < spoolBytes / 2) this.#isFull = isFull;
    return !isFull;
  }

  #waitingBytes(): number {
    let bytes = 0;
    for (const lane of this.#lanes.values()) bytes += lane.spool.waitingBytes;
    return bytes;
  }

  #sealIdle(): void {
    for (const lane of this.#lanes.values()) {
      if (!lane.linker.isUnsealed) continue;
      const seal = (linker: Linker) => linker.seal();
      if (!(this.#options.writeThrough && lane.appendNow(seal))) void lane.append(seal);
    }
  }

  async #save(): Promise<void> {
    for (const lane of this.#lanes.values()) await lane.save();
  }
}
