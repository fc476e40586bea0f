/**
 * Whether a denial can reach an object of some type within some scope, remembering what it walked: a change set asks
 * this many times. Called by holdings.ts; bounded, and past its bound the answer is yes.
 */

import { type Binding, scopeOfNode } from '../graph/binding.ts';
import { chunksOf } from '../graph/chunked.ts';
import { compileGlob, matchesGlob } from '../graph/glob.ts';
import { at } from '../graph/paged.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { typeOf } from '../model/names.ts';
import type { Scope } from '../model/scope.ts';

/** Objects looked at below one; past them, it is taken to reach everything. */
const maxDescendants = 10_000;

/** What is below an object, itself included; undefined where that is too much to look at. */
type Below = ReadonlySet<number> | undefined;

export class DenialReach {
  readonly #below = new Map<number, Below>();

  /**
   * @param type Glob over the type of the objects that are asked about.
   * @param scope Where they are.
   * @param cascade Whether the descendants of an object scope are meant, too.
   */
  canMeet(snapshot: Snapshot, denial: Binding, type: string, scope: Scope, cascade: boolean): boolean {
    const { names } = snapshot;
    const denied = scopeOfNode(names.nodeName(denial.scope));
    if (denied.kind === 'tenant') return true;
    const wanted = compileGlob(type);
    if (denied.kind !== 'object') {
      if (!matchesGlob(wanted, denied.type)) return false;
      if (scope.kind === 'tenant') return true;
      if (scope.kind === 'object') return cascade || typeOf(scope.object) === denied.type;
      return scope.type === denied.type;
    }
    const below = this.#belowOf(snapshot, denial.scope, denial.cascade);
    const target = scope.kind === 'object' ? names.findNode(scope.object) : -1;
    const within = scope.kind === 'object' ? this.#belowOf(snapshot, target, cascade) : undefined;
    if (below === undefined || (scope.kind === 'object' && within === undefined)) return true;
    // Of two sets the smaller one is walked: a denial may be on much, and what is asked about is mostly one object.
    const [few, others] = within !== undefined && within.size < below.size ? [within, below] : [below, within];
    for (const node of few) {
      if (others?.has(node) === false) continue;
      const ofType = typeOf(names.nodeName(node));
      if (
        matchesGlob(wanted, ofType) &&
        (scope.kind === 'tenant' || scope.kind === 'object' || scope.type === ofType)
      ) {
        return true;
      }
    }
    return false;
  }

  #belowOf(snapshot: Snapshot, node: number, cascade: boolean): Below {
    if (!cascade || node < 0) return new Set([node]);
    if (!this.#below.has(node)) this.#below.set(node, descendants(snapshot, node));
    return this.#below.get(node);
  }
}

function descendants(snapshot: Snapshot, start: number): Below {
  const found = new Set([start]);
  // A set may grow while it is walked: what is added is visited too.
  for (const node of found) {
    for (const chunk of chunksOf(at(snapshot.childrenOf, node))) {
      for (const edge of chunk) if (edge.inherit) found.add(edge.node);
    }
    if (found.size > maxDescendants) return undefined;
  }
  return found;
}
