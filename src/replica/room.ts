/**
 * How much memory the tenants that are held take, and who has to go where it is too much: those not asked for longest,
 * unless they are named, somebody waits for them, or they have only just come. Called by the sidecar, which closes
 * who has to go. It never touches a replica, and reads no clock but the one it is given.
 */
import type { Snapshot } from '../graph/snapshot.ts';
import type { Revision } from '../model/change.ts';
import type { Resident } from './resident.ts';

export interface RoomOptions {
  /** How many bytes tenants may take together; 0 for as many as they like. */
  readonly boundBytes: number;
  readonly bytesOf: (snapshot: Snapshot) => number;
  readonly residents: () => Iterable<Resident>;
  /** Called for each who has to go; it must be among the residents no more when this returns. */
  readonly evict: (resident: Resident) => void;
  /** Milliseconds, never going back. */
  readonly now: () => number;
}

/** Letting go begins at the bound, and goes on to this part of it: not one goes for each that comes. */
const lowMark = 0.9;
/** The least time that a tenant stays, in milliseconds: where those in use do not fit, each is loaded this seldom. */
const leastStayMs = 5_000;
/** How many go in one turn of the event loop. */
const mostAtOnce = 100;

export class Room {
  readonly #options: RoomOptions;
  readonly #measured = new Map<Resident, Measured>();
  #usedBytes = 0;
  #countedBytes = 0;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** What all tenants take, about. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** What one tenant takes, about; 0 where it has no snapshot, or was not measured yet. */
  bytesOf(resident: Resident): number {
    return this.#measured.get(resident)?.bytes ?? 0;
  }

  /** Whether a tenant alone takes more than all may. It is served all the same. */
  isTooLarge(resident: Resident): boolean {
    const { boundBytes } = this.#options;
    return boundBytes > 0 && this.bytesOf(resident) > boundBytes;
  }

  /** Takes a tenant's newest snapshot into account; costs next to nothing where it is the one that was measured last. */
  measure(resident: Resident): void {
    const snapshot = resident.replica.current;
    const before = this.#measured.get(resident);
    if (snapshot === undefined || before?.revision === snapshot.revision) return;
    const bytes = this.#options.bytesOf(snapshot);
    this.forget(resident);
    this.#measured.set(resident, {
      revision: snapshot.revision,
      bytes,
      sinceMs: before?.sinceMs ?? this.#options.now(),
    });
    this.#usedBytes += bytes;
    this.#countedBytes += this.#counted(bytes);
  }

  /** For a tenant that is not held any more. */
  forget(resident: Resident): void {
    const known = this.#measured.get(resident);
    if (known === undefined) return;
    this.#measured.delete(resident);
    this.#usedBytes -= known.bytes;
    this.#countedBytes -= this.#counted(known.bytes);
  }

  /** Measures what has changed, and lets go who has to go. @returns How many went. */
  sweep(): number {
    for (const resident of this.#options.residents()) this.measure(resident);
    return this.#shrink();
  }

  /**
   * Milliseconds until one more tenant may be loaded, 0 where it may be now: letting others go first where that helps.
   * Where nobody can go, because all are named or in use, it may be loaded all the same.
   */
  roomInMs(): number {
    const { boundBytes } = this.#options;
    if (boundBytes === 0 || this.#countedBytes < boundBytes) return 0;
    this.#shrink();
    if (this.#countedBytes < boundBytes) return 0;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const [resident, { sinceMs }] of this.#measured) {
      if (!resident.pinned && !resident.isHeld) soonestMs = Math.min(soonestMs, sinceMs + leastStayMs);
    }
    return soonestMs === Number.POSITIVE_INFINITY ? 0 : Math.max(1, soonestMs - this.#options.now());
  }

  #shrink(): number {
    const { boundBytes, evict, now } = this.#options;
    if (boundBytes === 0 || this.#countedBytes < boundBytes) return 0;
    const bornBeforeMs = now() - leastStayMs;
    const mayGo = [...this.#measured]
      .filter(([{ pinned, isHeld }, { sinceMs }]) => !pinned && !isHeld && sinceMs <= bornBeforeMs)
      .sort(([a, { sinceMs: aMs }], [b, { sinceMs: bMs }]) => a.usedAt - b.usedAt || aMs - bMs);
    let gone = 0;
    for (const [resident] of mayGo) {
      if (gone === mostAtOnce || this.#countedBytes <= boundBytes * lowMark) break;
      this.forget(resident);
      evict(resident);
      gone++;
    }
    return gone;
  }

  /** One that is larger than the bound leaves half of it to others: it would drive them all out, and each of them it. */
  #counted(bytes: number): number {
    const { boundBytes } = this.#options;
    return bytes > boundBytes ? boundBytes / 2 : bytes;
  }
}

interface Measured {
  /** That object, for a snapshot that was replaced must not be kept. */
  readonly revision: Revision;
  readonly bytes: number;
  /** When the tenant came. */
  readonly sinceMs: number;
}
