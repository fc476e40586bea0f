/**
 * What happens to a replica, kept for one reader who takes it at his own pace. It listens from when it is made until
 * it is closed, and never keeps more than its bounds: a reader who falls further behind is cut off. Made by watch.ts.
 */
import type { Snapshot } from '../../graph/snapshot.ts';
import type { ChangeSet } from '../../model/change.ts';
import type { Replica } from '../../replica/replica.ts';

/** How much may be pending for one reader; a single change set may be larger than `changes`. */
export interface TailLimits {
  readonly changeSets: number;
  readonly changes: number;
}

export const defaultTailLimits: TailLimits = { changeSets: 10_000, changes: 1_000_000 };

/** What comes next: a graph takes the place of all that came before it. */
export type TailEvent =
  | { readonly kind: 'graph'; readonly snapshot: Snapshot }
  | { readonly kind: 'changes'; readonly changeSet: ChangeSet; readonly snapshot: Snapshot }
  /** More was pending than the limits allow; nothing is kept any more. */
  | { readonly kind: 'overflow' };

export class Tail {
  readonly #limits: TailLimits;
  readonly #replica: Replica;
  readonly #stop: () => void;
  #pending: TailEvent[] = [];
  #changes = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(replica: Replica, limits: TailLimits) {
    this.#replica = replica;
    this.#limits = limits;
    this.#stop = replica.onSnapshot((snapshot, changeSet) => this.#hear(snapshot, changeSet));
  }

  /** Whether what is being read elsewhere is not wanted any more: a graph or an overflow is pending, or it is closed. */
  get isSuperseded(): boolean {
    const first = this.#pending[0];
    return this.#closed || (first !== undefined && first.kind !== 'changes');
  }

  /** Drops what is pending, and gives the snapshot that holds all of it; undefined where nothing can be begun anew. */
  restart(): Snapshot | undefined {
    if (this.#closed || this.#pending[0]?.kind === 'overflow') return undefined;
    this.#forget();
    return this.#replica.current;
  }

  /** The next event, when there is one; undefined once it is closed. For one caller at a time. */
  async next(): Promise<TailEvent | undefined> {
    while (this.#pending.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.#closed ? undefined : this.#pending.shift();
    if (event?.kind === 'changes') this.#changes -= event.changeSet.changes.length;
    return event;
  }

  /** Stops listening and wakes who waits; idempotent. */
  close(): void {
    this.#closed = true;
    this.#stop();
    this.#forget();
    this.#wake?.();
  }

  #hear(snapshot: Snapshot, changeSet: ChangeSet | undefined): void {
    if (changeSet === undefined) {
      this.#forget();
      this.#pending.push({ kind: 'graph', snapshot });
    } else {
      this.#pending.push({ kind: 'changes', changeSet, snapshot });
      this.#changes += changeSet.changes.length;
      const { changeSets, changes } = this.#limits;
      const { length } = this.#pending;
      if (length > changeSets || (length > 1 && this.#changes > changes)) {
        this.#stop();
        this.#forget();
        this.#pending.push({ kind: 'overflow' });
      }
    }
    this.#wake?.();
  }

  #forget(): void {
    this.#pending = [];
    this.#changes = 0;
  }
}
