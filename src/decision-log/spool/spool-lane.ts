/**
 * One tenant's way through the spool: lines are linked and appended in order at one end, and read and delivered at the
 * other, each side one batch at a time. Used by the spool outlet.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../model/errors.ts';
import type { Linker } from '../chain/linker.ts';
import type { Delivery } from '../delivery.ts';
import type { LogEvent } from '../events.ts';
import type { KeptUp } from './kept-up.ts';
import { retried } from './retried.ts';
import type { TenantSpool } from './tenant-spool.ts';

export interface SpoolLaneOptions {
  readonly tenant: string;
  readonly spool: TenantSpool;
  readonly linker: Linker;
  readonly delivery: Delivery;
  readonly sync: boolean;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly onEvent: (event: LogEvent) => void;
  readonly keptUp: KeptUp;
  /** Asks the other lanes for room on the disk. */
  readonly freeDisk: (asking: SpoolLane) => void;
  readonly hasRoomFor: (bytes: number) => boolean;
  /** Ends every wait for the disk. */
  readonly giveUp: AbortSignal;
  /** Ends every wait for the sink. */
  readonly endShipping: AbortSignal;
}

/** How often it is looked whether the sink has made room, in milliseconds. */
const roomMs = 20;

export class SpoolLane {
  readonly spool: TenantSpool;
  readonly linker: Linker;
  readonly #options: SpoolLaneOptions;
  #appended: Promise<unknown> = Promise.resolve();
  /** What is in that chain, and not over: nothing may be appended before it. */
  #busy = 0;
  #preparing = false;
  #shipping: Promise<void> | undefined;
  #behindSinceMs = 0;
  #saving: Promise<void> | undefined;
  /** Refusals of which no gap record is on disk: what was refused must stay in the spool until there is one. */
  #untold = 0;

  constructor(options: SpoolLaneOptions) {
    this.#options = options;
    this.spool = options.spool;
    this.linker = options.linker;
  }

  /** For how long something has been on its way to the sink without a pause, in milliseconds. */
  get behindMs(): number {
    return this.#shipping === undefined ? 0 : performance.now() - this.#behindSinceMs;
  }

  /**
   * Links lines and appends them, after all that came before. False where it was given up: then nothing was linked.
   * @param isLast For what ends a chain: a spool that is full has room for that.
   */
  append(link: (linker: Linker) => Buffer, { isLast = false } = {}): Promise<boolean> {
    return this.#inOrder(() => this.#append(link, isLast));
  }

  /** Gives back what the sink has, after all that came before. */
  trim(): void {
    void this.#inOrder(() => this.#trim());
  }

  /**
   * Makes sure that appendNow() has a file, after all that came before: two at once would both begin the next one.
   * appendNow() goes on with the old file until then. @throws what the file system throws
   */
  prepare(): Promise<void> {
    return this.#inOrder(() => this.#prepare(), false);
  }

  /**
   * Links and appends lines within this turn, so that they are on disk when it returns. False, and nothing is linked, where
   * something else is being appended, there is no room, or the disk does not take them: append() then waits for that.
   */
  appendNow(link: (linker: Linker) => Buffer): boolean {
    if (this.#busy > 0) return false;
    const restore = this.linker.save();
    if (!this.#wroteNow(link(this.linker))) {
      restore();
      return false;
    }
    if (this.#options.sync) this.#syncNow();
    if (this.spool.isLong && !this.#preparing) this.#prepareNext();
    this.ship();
    return true;
  }

  /** Begins to bring what waits to the sink, unless that is being done. */
  ship(): void {
    if (this.#shipping !== undefined || this.spool.waitingBytes === 0) return;
    this.#behindSinceMs = performance.now();
    this.#shipping = this.#ship().finally(() => {
      this.#shipping = undefined;
      // What was appended between the last look and now.
      if (!this.#options.endShipping.aborted) this.ship();
    });
  }

  /** Resolves when the sink has all that is appended, also what is told of what it refused. */
  async shipped(): Promise<void> {
    for (let appended: unknown; appended !== this.#appended; ) {
      appended = this.#appended;
      await appended;
      while (this.#shipping !== undefined) await this.#shipping;
    }
  }

  /** Notes on disk how far the sink is. Never rejects: what is not noted goes to the sink again. */
  save(): Promise<void> {
    if (this.#untold > 0) return Promise.resolve();
    this.#saving ??= this.spool
      .save()
      .catch((error: unknown) => this.#tell(error))
      .finally(() => {
        this.#saving = undefined;
      });
    return this.#saving;
  }

  async close(): Promise<void> {
    await Promise.all([this.#appended, this.#shipping, this.#saving]);
    await this.spool.close(this.#untold === 0).catch((error: unknown) => this.#tell(error));
  }

  async #prepare(): Promise<void> {
    await this.spool.prepare();
    // The name of the file, too: appendNow() waits for what is in it only.
    if (this.#options.sync) await this.spool.sync().catch((error: unknown) => this.#tell(error));
  }

  async #append(link: (linker: Linker) => Buffer, isLast: boolean): Promise<boolean> {
    const { linker, spool } = this;
    const { sync } = this.#options;
    const restore = linker.save();
    const lines = link(linker);
    if (lines.length === 0) return true;
    if (!(isLast || (await this.#waitForRoom(lines.length))) || !(await this.#write(lines))) {
      restore();
      return false;
    }
    if (sync) await spool.sync().catch((error: unknown) => this.#tell(error));
    this.ship();
    return true;
  }

  /** False where it was given up. */
  async #waitForRoom(bytes: number): Promise<boolean> {
    const { hasRoomFor, giveUp, keptUp } = this.#options;
    if (hasRoomFor(bytes)) return true;
    keptUp.begin();
    while (!giveUp.aborted && !hasRoomFor(bytes)) {
      await delay(roomMs, undefined, { signal: giveUp }).catch(() => {});
    }
    if (giveUp.aborted) return false;
    keptUp.end();
    return true;
  }

  /** False where it was given up. */
  async #write(lines: Buffer): Promise<boolean> {
    const { giveUp, keptUp, freeDisk } = this.#options;
    let isHeld = false;
    const write = async () => {
      try {
        await this.spool.append(lines);
      } catch (error) {
        if (!isHeld) keptUp.begin();
        isHeld = true;
        await this.#trim();
        freeDisk(this);
        throw error;
      }
      return true;
    };
    if ((await retried(write, { ...this.#options, signal: giveUp })) !== true) return false;
    if (isHeld) keptUp.end();
    return true;
  }

  /** A disk on which nothing can be begun is told of where it is written to. */
  async #trim(): Promise<void> {
    if (this.#untold === 0) await this.spool.trim().catch(() => {});
  }

  async #ship(): Promise<void> {
    const { spool } = this;
    const { tenant, delivery, endShipping, retryMinMs, retryMaxMs, onEvent } = this.#options;
    const reading = { tenant, onEvent, retryMinMs, retryMaxMs, signal: endShipping };
    while (!endShipping.aborted) {
      const waiting = await retried(() => spool.read(), reading);
      if (waiting === undefined) return;
      const delivered = await delivery.deliver(tenant, waiting.lines, waiting.hashBefore);
      if (delivered === undefined) return;
      spool.advance(waiting.end);
      const { gaps } = delivered;
      if (gaps.length > 0) this.#tellOf(gaps);
    }
  }

  #wroteNow(lines: Buffer): boolean {
    try {
      return this.#options.hasRoomFor(lines.length) && this.spool.appendNow(lines);
    } catch {
      // append() meets it again, and tells of it.
      return false;
    }
  }

  /** What is written stays written where the disk does not confirm it: it must not be written once more. */
  #syncNow(): void {
    try {
      this.spool.syncNow();
    } catch (error) {
      this.#tell(error);
    }
  }

  #prepareNext(): void {
    this.#preparing = true;
    void this.prepare()
      .catch(() => {})
      .finally(() => {
        this.#preparing = false;
      });
  }

  /** After all that came before. @param isAppend Whether nothing may be appended beside it. */
  #inOrder<T>(work: () => Promise<T>, isAppend = true): Promise<T> {
    if (isAppend) this.#busy++;
    const done = this.#appended.then(work).finally(() => {
      if (isAppend) this.#busy--;
    });
    this.#appended = done.catch(() => {});
    return done;
  }

  /** Not waited for: room for them may come only from what is delivered after them. */
  #tellOf(gaps: readonly string[]): void {
    this.#untold++;
    void this.append((linker) => linker.link(gaps, 0)).then((isAppended) => {
      if (isAppended) this.#untold--;
    });
  }

  #tell(error: unknown): void {
    const { tenant, onEvent } = this.#options;
    onEvent({ kind: 'spool_failed', tenant, message: messageOf(error) });
  }
}
