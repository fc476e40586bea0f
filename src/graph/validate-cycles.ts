/**
 * Finds cycles in inclusion, membership and parenthood. Called by
 * validate-references.ts. Iterative, and each edge is walked once: depth is
 * bounded by memory and never by the call stack.
 */

/** An edge out of a node, with whatever the caller needs to say where it is written. */
export interface Edge<T> {
  readonly to: string;
  readonly origin: T;
}

const done = -1;

/**
 * Calls back once for every edge that closes a cycle. `path` is the walk from the node that the
 * edge returns to, up to the node that it leaves; every cycle holds at least one such edge.
 */
export function findCycles<T>(
  edges: ReadonlyMap<string, readonly Edge<T>[]>,
  onCycle: (origin: T, path: string) => void,
): void {
  /** Position on the current path, or `done`. */
  const state = new Map<string, number>();
  for (const start of edges.keys()) {
    if (state.has(start)) continue;
    const path = [start];
    const next = [0];
    state.set(start, 0);
    while (path.length > 0) {
      const top = path.length - 1;
      const node = path[top] as string;
      const edge = edges.get(node)?.[next[top] as number];
      if (edge === undefined) {
        state.set(node, done);
        path.pop();
        next.pop();
        continue;
      }
      next[top] = (next[top] as number) + 1;
      const seen = state.get(edge.to);
      if (seen === undefined) {
        state.set(edge.to, path.length);
        path.push(edge.to);
        next.push(0);
      } else if (seen !== done) onCycle(edge.origin, formatCycle(path, seen));
    }
  }
}

/** "a -> b -> a"; a long one is shortened in the middle. */
function formatCycle(path: readonly string[], from: number): string {
  const length = path.length - from;
  const names =
    length <= 8 ? path.slice(from) : [...path.slice(from, from + 4), `... (${length - 6} more) ...`, ...path.slice(-2)];
  return [...names, path[from]].join(' -> ');
}
