/** A set of nodes that is emptied in no time: what a walk has reached. Used within one synchronous call. */
export class Marks {
  #marks = new Int32Array(1024);
  #mark = 0;

  /** Empties it. @param nodeCount Nodes that may be added have lower numbers. */
  start(nodeCount: number): void {
    if (this.#marks.length < nodeCount) this.#marks = new Int32Array(nodeCount * 2);
    // When the numbers run out, old marks are wiped so that none can be mistaken for a new one.
    if (this.#mark >= 0x7fff_fffe) {
      this.#marks.fill(0);
      this.#mark = 0;
    }
    this.#mark++;
  }

  has(node: number): boolean {
    return this.#marks[node] === this.#mark;
  }

  /** Returns whether it is new. */
  add(node: number): boolean {
    if (this.#marks[node] === this.#mark) return false;
    this.#marks[node] = this.#mark;
    return true;
  }
}
