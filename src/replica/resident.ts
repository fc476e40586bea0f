/**
 * A tenant that this process holds, and how it is used: what decides whether it may be let go. Made and kept by
 * tenants.ts. It never opens or closes its replica.
 */
import { isEmpty } from '../graph/is-empty.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import type { Replica } from './replica.ts';

export class Resident {
  readonly replica: Replica;
  /** Whether it was named, and stays whatever happens. */
  readonly pinned: boolean;
  /**
   * Whether its snapshot may answer without further ado. An empty graph may be a deleted tenant's: whoever asks has to
   * hear that there is none, and not a denial.
   */
  answers = false;
  /** The moment (see Tenants.tick) in which it was asked for last. */
  usedAt: number;
  /** How many wait for it, or go on with it for longer than one turn. */
  holds = 0;
  /** Lets its first load come before those that nobody waits for. */
  hurry: () => void = () => {};
  readonly #unlisten: () => void;

  /** @param onChange Called after every new snapshot. */
  constructor(replica: Replica, pinned: boolean, moment: number, onChange: () => void) {
    this.replica = replica;
    this.pinned = pinned;
    this.usedAt = moment;
    const note = (snapshot: Snapshot) => {
      this.answers = !isEmpty(snapshot);
      onChange();
    };
    this.#unlisten = replica.onSnapshot(note);
    if (replica.current !== undefined) this.answers = !isEmpty(replica.current);
  }

  /** Whether somebody waits for it, for a revision of it, or goes on with it for longer than one turn. */
  get isHeld(): boolean {
    return this.holds > 0 || this.replica.isAwaited;
  }

  /** Listens to its replica no more. */
  release(): void {
    this.#unlisten();
  }
}
