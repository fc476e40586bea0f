/**
 * Edges of a flat graph in compressed rows: the edges of node n are those between two neighbouring offsets. Upwards
 * they are read as short lists, downwards as chunked ones; the engine reads the arrays themselves.
 */
import type { Chunked } from '../chunked.ts';
import { Edge } from '../edge.ts';
import type { Base } from '../paged.ts';
import { stretched } from './stretch.ts';

export interface EdgeArrays {
  /** By node, one more than there are nodes: where its edges begin. */
  readonly offsets: Int32Array;
  /** The node at the other end. */
  readonly nodes: Int32Array;
  /** Milliseconds since 1970, 0 for never; undefined where no edge ever ends. */
  readonly expiresAt: Float64Array | undefined;
  /** 1 where bindings above do not reach through; undefined where all do. */
  readonly closed: Uint8Array | undefined;
}

/** What both directions have in common. */
class FlatEdges {
  readonly offsets: Int32Array;
  readonly nodes: Int32Array;
  readonly expiresAt: Float64Array | undefined;
  readonly closed: Uint8Array | undefined;
  /** Nodes that have a row. */
  readonly count: number;

  constructor({ offsets, nodes, expiresAt, closed }: EdgeArrays) {
    this.offsets = offsets;
    this.nodes = nodes;
    this.expiresAt = expiresAt;
    this.closed = closed;
    this.count = offsets.length - 1;
  }

  edge(i: number): Edge {
    return new Edge(this.nodes[i] as number, this.expiresAt?.[i] ?? 0, this.closed?.[i] !== 1);
  }

  isEmpty(node: number): boolean {
    return node < 0 || node >= this.count || this.offsets[node] === this.offsets[node + 1];
  }
}

/** Edges from a node upwards: its groups, its parents. */
export class FlatUpEdges extends FlatEdges implements Base<readonly Edge[]> {
  get(node: number): readonly Edge[] | undefined {
    if (this.isEmpty(node)) return undefined;
    const edges: Edge[] = [];
    for (let i = this.offsets[node] as number; i < (this.offsets[node + 1] as number); i++) edges.push(this.edge(i));
    return edges;
  }
}

/** Edges from a node downwards: its members, its children. */
export class FlatDownEdges extends FlatEdges implements Base<Chunked<Edge>> {
  readonly #edge = (i: number) => this.edge(i);

  get(node: number): Chunked<Edge> | undefined {
    if (this.isEmpty(node)) return undefined;
    return stretched(this.offsets[node] as number, this.offsets[node + 1] as number, this.#edge);
  }
}
