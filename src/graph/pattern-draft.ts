/** Pattern scopes of a draft: remembers which came into use or went out of it, and indexes the types concerned. */
import type { Scope } from '../model/scope.ts';
import { assertTriable, createPatternIndex, idMatcherOf } from './pattern.ts';
import type { Snapshot, TypePatterns } from './snapshot.ts';

export class PatternDraft {
  readonly #base: Snapshot;
  readonly #changed = new Map<number, Map<number, Scope>>();

  constructor(base: Snapshot) {
    this.#base = base;
  }

  /** The scope has its first binding. @throws PosternError INVALID_POLICY for an expression that does not compile */
  use(node: number, scope: Scope): void {
    if (scope.kind !== 'glob' && scope.kind !== 'regex') return;
    idMatcherOf(scope, this.#base.options.compileRegex);
    this.#scopesOf(scope.type).set(node, scope);
  }

  /** The scope has lost its last binding. */
  release(node: number, scope: Scope): void {
    if (scope.kind === 'glob' || scope.kind === 'regex') this.#scopesOf(scope.type).delete(node);
  }

  /** @throws PosternError INVALID_POLICY where the expressions of a type are too much to try together */
  freeze(): ReadonlyMap<number, TypePatterns> {
    if (this.#changed.size === 0) return this.#base.patterns;
    const patterns = new Map(this.#base.patterns);
    for (const [type, scopes] of this.#changed) {
      const { compileRegex } = this.#base.options;
      assertTriable(scopes.values(), `type ${this.#base.names.types[type]}`, compileRegex);
      if (scopes.size === 0) patterns.delete(type);
      else patterns.set(type, { scopes, index: createPatternIndex(scopes, compileRegex) });
    }
    return patterns;
  }

  #scopesOf(typeName: string): Map<number, Scope> {
    const type = this.#base.names.internType(typeName);
    let scopes = this.#changed.get(type);
    if (scopes === undefined) {
      scopes = new Map(this.#base.patterns.get(type)?.scopes);
      this.#changed.set(type, scopes);
    }
    return scopes;
  }
}
