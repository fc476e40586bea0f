/**
 * The nodes that a walk has reached, in the order of discovery, each once, and how it came to each. Filled again for
 * every question. It keeps its memory: an array whose length is set to 0 gives it back, and to allocate it again was
 * more than half of what a check left to the garbage collector.
 */
import { Marks } from './marks.ts';

/** How a node came to be in a walk, where it was not reached from another one. */
export const origin = { self: -1, wildcard: -2, asserted: -3 } as const;

export class Reached {
  /** How many there are. */
  length = 0;
  readonly #nodes: number[] = [];
  readonly #from: number[] = [];
  readonly #marks = new Marks();

  /** Empties it. @param nodeCount Nodes that may be added have lower numbers. */
  start(nodeCount: number): void {
    this.length = 0;
    this.#marks.start(nodeCount);
  }

  has(node: number): boolean {
    return this.#marks.has(node);
  }

  /** @param from The position of the node that it was reached from, or an origin. */
  add(node: number, from: number = origin.self): void {
    if (!this.#marks.add(node)) return;
    this.#nodes[this.length] = node;
    this.#from[this.length] = from;
    this.length++;
  }

  /** The node at a position below `length`. */
  at(position: number): number {
    return this.#nodes[position] as number;
  }

  /** The position that the node at this one was reached from, or an origin. */
  fromOf(position: number): number {
    return this.#from[position] as number;
  }

  /** The position of a node that is there. */
  positionOf(node: number): number {
    return this.#nodes.indexOf(node);
  }

  /** A copy of the first `count` nodes, for those who go on while the walk is filled again. */
  toArray(count: number = this.length): number[] {
    return this.#nodes.slice(0, count);
  }
}
