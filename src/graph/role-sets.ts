/**
 * Sets of small numbers, each kept once and known by an id: the roles that a hundred thousand members share are united
 * and judged once. Called by separation.ts. The sets of one collection never meet those of another.
 */

export type SetId = number;

export const emptySet: SetId = 0;

export interface RoleSets {
  readonly of: (item: number) => SetId;
  readonly union: (a: SetId, b: SetId) => SetId;
  /** Ascending. */
  readonly itemsOf: (set: SetId) => readonly number[];
}

/** Ids of sets stay below this, so that two of them make one exact number. */
const pairBase = 2 ** 26;

export function createRoleSets(): RoleSets {
  const sets: (readonly number[])[] = [[]];
  const ids = new Map<string, SetId>([['', emptySet]]);
  const unions = new Map<number, SetId>();

  function intern(items: readonly number[]): SetId {
    const key = items.join();
    let id = ids.get(key);
    if (id === undefined) {
      id = sets.push(items) - 1;
      ids.set(key, id);
    }
    return id;
  }

  function union(a: SetId, b: SetId): SetId {
    if (a === b || b === emptySet) return a;
    if (a === emptySet) return b;
    const pair = a < b ? a * pairBase + b : b * pairBase + a;
    let id = unions.get(pair);
    if (id === undefined) {
      const items = new Set([...(sets[a] as readonly number[]), ...(sets[b] as readonly number[])]);
      id = intern([...items].sort((one, other) => one - other));
      unions.set(pair, id);
    }
    return id;
  }

  return { of: (item) => intern([item]), union, itemsOf: (set) => sets[set] as readonly number[] };
}
