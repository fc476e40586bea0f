/**
 * How old the data of a replica may be: how long ago its snapshot was last known to hold all that the store held. The
 * replica tells it what happens; the PDP asks it with every question, so that a connection which is open at this end
 * only ages the answers before anybody notices the loss. Monotonic time: a clock that is set does not age anything.
 */
import type { Pulse } from '../store/store.ts';

export class Freshness {
  /** By performance.now(). */
  readonly nowMs: () => number;
  readonly #pulse: Pulse;
  /** Whether what the store commits is heard. */
  #isFollowing = false;
  /** Whether anything newer than the snapshot is known of, or may have been missed. */
  #isBehind = true;
  /** When that was heard of last. */
  #doubtedMs = Number.NEGATIVE_INFINITY;
  /** When the snapshot was last known to be the newest; before the first, when this was made. */
  #knownMs: number;

  constructor(pulse: Pulse, nowMs: () => number) {
    this.#pulse = pulse;
    this.nowMs = nowMs;
    this.#knownMs = nowMs();
  }

  /** Milliseconds; 0 while the store is followed, gives signs of life, and nothing newer is known of. */
  ageMs(): number {
    const nowMs = this.nowMs();
    if (this.#isBehind) return Math.max(1, Math.round(nowMs - this.#knownMs));
    const silentMs = nowMs - this.#pulse.lastMs;
    return silentMs > this.#pulse.mostMs ? Math.round(silentMs) : 0;
  }

  /** Why the age is what it is, as far as this knows; nothing where it is 0. */
  reason(): string {
    if (!this.#isFollowing) return 'the store is not followed';
    return this.#isBehind ? 'what is newer is being read' : 'the store gives no sign of life';
  }

  /** The snapshot comes from elsewhere than the store, where it was last known to be the newest some time ago. */
  restored(ageMs: number): void {
    this.#knownMs = this.nowMs() - Math.max(0, ageMs);
  }

  /** Following began: from here on nothing is missed. What was before that has to be compared. */
  connected(): void {
    this.#isFollowing = true;
  }

  /** Following was lost, at some time after the last sign of life. */
  disconnected(): void {
    this.#isFollowing = false;
    this.fellBehind();
  }

  /** The store has something newer, may have, or is not to be asked. */
  fellBehind(): void {
    this.#doubtedMs = this.nowMs();
    if (this.#isBehind) return;
    this.#isBehind = true;
    this.#knownMs = Math.max(this.#knownMs, Math.min(this.nowMs(), this.#pulse.lastMs));
  }

  /** The snapshot holds all that the store held when it was asked. @param askedMs By performance.now(). */
  reached(askedMs: number): void {
    this.#knownMs = Math.max(this.#knownMs, askedMs);
  }

  /** The same; what was heard of since it was asked comes with the next answer. */
  confirmed(askedMs: number): void {
    this.reached(askedMs);
    this.#isBehind = !this.#isFollowing || this.#doubtedMs > askedMs;
  }
}
