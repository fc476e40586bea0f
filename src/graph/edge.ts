/** An edge of the graph as columns hold it: made by drafts and by flat columns, read by the engine. */

/** A membership or parent edge, seen from either end. */
export class Edge {
  /** The node at the other end. */
  readonly node: number;
  /** Milliseconds since 1970; 0 for never. Parent edges have no expiry. */
  readonly expiresAt: number;
  /** Parent edges: whether bindings above reach through. */
  readonly inherit: boolean;

  constructor(node: number, expiresAt: number, inherit: boolean) {
    this.node = node;
    this.expiresAt = expiresAt;
    this.inherit = inherit;
  }
}
