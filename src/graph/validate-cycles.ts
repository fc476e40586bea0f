/**
 * Finds cycles in inclusion, membership and parenthood. Called by
 * validate-references.ts, validate-change-cycles.ts and importers. Iterative, and each
 * edge is walked once: depth is bounded by memory and never by the call stack.
 */
import { plain, shortened } from './validate-text.ts';

/** An edge out of a node, with whatever the caller needs to say where it is written. */
export interface Edge<T> {
  readonly to: string;
  readonly origin: T;
}

const done = -1;

/** Calls back once for every edge that closes a cycle, with the cycle as text: "a -> b -> a". */
export function findCycles<T>(
  edges: ReadonlyMap<string, readonly Edge<T>[]>,
  onCycle: (origin: T, cycle: string) => void,
): void {
  findCyclesFrom(
    edges.keys(),
    (node) => edges.get(node),
    (origin, cycle) => onCycle(origin, formatCycle(cycle)),
  );
}

/**
 * Calls back once for every edge that closes a cycle, of those reachable from `starts`. `cycle` is the walk from the
 * node that the edge returns to, up to the node that it leaves; every cycle holds at least one such edge.
 */
export function findCyclesFrom<T>(
  starts: Iterable<string>,
  edgesOf: (node: string) => readonly Edge<T>[] | undefined,
  onCycle: (origin: T, cycle: readonly string[]) => void,
): void {
  /** Position on the current path, or `done`. */
  const state = new Map<string, number>();
  for (const start of starts) {
    if (state.has(start)) continue;
    const path = [start];
    const edges = [edgesOf(start)];
    const next = [0];
    state.set(start, 0);
    while (path.length > 0) {
      const top = path.length - 1;
      const edge = edges[top]?.[next[top] as number];
      if (edge === undefined) {
        state.set(path.pop() as string, done);
        edges.pop();
        next.pop();
        continue;
      }
      next[top] = (next[top] as number) + 1;
      const seen = state.get(edge.to);
      if (seen === undefined) {
        state.set(edge.to, path.length);
        path.push(edge.to);
        edges.push(edgesOf(edge.to));
        next.push(0);
      } else if (seen !== done) onCycle(edge.origin, path.slice(seen));
    }
  }
}

/** "a -> b -> a"; a long one is shortened in the middle. */
export function formatCycle(cycle: readonly string[]): string {
  return [...shortened(cycle), plain(cycle[0] as string)].join(' -> ');
}
