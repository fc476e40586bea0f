/**
 * The two columns of one kind of edge in a draft, kept as mirror images: upwards
 * (member to groups, object to parents) as short lists, downwards as chunked ones.
 */
import { type Chunked, insert, remove } from './chunked.ts';
import { Edge } from './edge.ts';
import type { FlatDownEdges, FlatUpEdges } from './flat/edges.ts';
import { at, PagedDraft } from './paged.ts';
import type { Snapshot } from './snapshot.ts';

export class EdgeDraft {
  readonly #up: PagedDraft<readonly Edge[], FlatUpEdges>;
  readonly #down: PagedDraft<Chunked<Edge>, FlatDownEdges>;
  readonly #inPlace: boolean;

  /** @param inPlace The downward lists were never published: write into them instead of copying. */
  constructor(up: Snapshot['groupsOf'], down: Snapshot['membersOf'], inPlace: boolean) {
    this.#up = new PagedDraft(up);
    this.#down = new PagedDraft(down);
    this.#inPlace = inPlace;
  }

  /** Puts one edge, replacing the one between the same two nodes. Returns whether there was none. */
  put(lower: number, upper: number, expiresAt: number): boolean {
    const edges = at(this.#up, lower) ?? [];
    const others = edges.filter((edge) => edge.node !== upper);
    this.#up.set(lower, [...others, new Edge(upper, expiresAt, true)]);
    this.#attach(upper, new Edge(lower, expiresAt, true));
    return others.length === edges.length;
  }

  /** Takes one edge away. Returns whether there was one. */
  delete(lower: number, upper: number): boolean {
    const edges = at(this.#up, lower) ?? [];
    const others = edges.filter((edge) => edge.node !== upper);
    if (others.length === edges.length) return false;
    this.#up.set(lower, others.length === 0 ? undefined : others);
    this.#detach(upper, lower);
    return true;
  }

  /** Puts edges in place of all that go up from a node, in this order; of two to the same node the last counts. */
  replaceAll(lower: number, edges: readonly Edge[]): void {
    for (const edge of at(this.#up, lower) ?? []) this.#detach(edge.node, lower);
    const byNode = new Map(edges.map((edge) => [edge.node, edge]));
    this.#up.set(lower, byNode.size === 0 ? undefined : [...byNode.values()]);
    for (const edge of byNode.values()) this.#attach(edge.node, new Edge(lower, edge.expiresAt, edge.inherit));
  }

  freeze(): { readonly up: Snapshot['groupsOf']; readonly down: Snapshot['membersOf'] } {
    return { up: this.#up.freeze(), down: this.#down.freeze() };
  }

  #attach(upper: number, edge: Edge): void {
    this.#down.set(upper, insert(at(this.#down, upper), edge, byNode, this.#inPlace));
  }

  #detach(upper: number, lower: number): void {
    this.#down.set(upper, remove(at(this.#down, upper), new Edge(lower, 0, true), byNode, this.#inPlace));
  }
}

function byNode(a: Edge, b: Edge): number {
  return a.node - b.node;
}
