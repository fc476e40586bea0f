/** The bindings of a draft: by principal, by scope, their number, and which pattern scopes are in use. */
import type { ConditionCompiler } from '../model/condition.ts';
import type { BindingRecord } from '../model/entity.ts';
import { parseScope, type Scope, type ScopeInput } from '../model/scope.ts';
import { type Binding, byPrincipal, byScope, nodeNameOfScope, toBinding } from './binding.ts';
import { type Chunked, find, insert, remove } from './chunked.ts';
import type { FlatBindingsAt, FlatBindingsOf } from './flat/bindings.ts';
import type { Names } from './names.ts';
import { at, PagedDraft } from './paged.ts';
import { PatternDraft } from './pattern-draft.ts';
import type { Snapshot, TypePatterns } from './snapshot.ts';

export interface FrozenBindings {
  readonly bindings: number;
  readonly bindingsOf: Snapshot['bindingsOf'];
  readonly bindingsAt: Snapshot['bindingsAt'];
  readonly patterns: ReadonlyMap<number, TypePatterns>;
}

export class BindingDraft {
  readonly #names: Names;
  readonly #compileCondition: ConditionCompiler;
  readonly #patterns: PatternDraft;
  readonly #of: PagedDraft<Chunked<Binding>, FlatBindingsOf>;
  readonly #at: PagedDraft<Chunked<Binding>, FlatBindingsAt>;
  readonly #inPlace: boolean;
  #count: number;

  /** @param inPlace The lists were never published: write into them instead of copying. */
  constructor(base: Snapshot, inPlace: boolean) {
    this.#names = base.names;
    this.#compileCondition = base.options.compileCondition;
    this.#patterns = new PatternDraft(base);
    this.#of = new PagedDraft(base.bindingsOf);
    this.#at = new PagedDraft(base.bindingsAt);
    this.#inPlace = inPlace;
    this.#count = base.counts.bindings;
  }

  /** @throws PosternError INVALID_POLICY for a scope or a condition that does not compile */
  put(record: BindingRecord): void {
    const scope = parseScope(record.scope);
    const binding = this.#compile(record, scope);
    const before = at(this.#at, binding.scope);
    if (before === undefined) this.#patterns.use(binding.scope, scope);
    // In place, `before` is the list that grows: its size has to be read first.
    const size = before?.size ?? 0;
    const atScope = insert(before, binding, byPrincipal, this.#inPlace);
    this.#count += atScope.size - size;
    this.#at.set(binding.scope, atScope);
    this.#of.set(binding.principal, insert(at(this.#of, binding.principal), binding, byScope, this.#inPlace));
  }

  /** @param key See bindingKey. */
  delete(key: string): void {
    const [subject, role, scopeInput, effect, name] = JSON.parse(key) as [string, string, ScopeInput, string, string?];
    const scope = parseScope(scopeInput);
    const identity: BindingRecord = {
      kind: 'binding',
      subject,
      role,
      scope: scopeInput,
      ...(effect === 'deny' ? { effect } : {}),
      ...(name === undefined ? {} : { name }),
    };
    const binding = this.#compile(identity, scope);
    const before = at(this.#at, binding.scope);
    if (find(before, binding, byPrincipal) === undefined) return;
    this.#count--;
    const atScope = remove(before, binding, byPrincipal, this.#inPlace);
    this.#at.set(binding.scope, atScope);
    if (atScope === undefined) this.#patterns.release(binding.scope, scope);
    this.#of.set(binding.principal, remove(at(this.#of, binding.principal), binding, byScope, this.#inPlace));
  }

  freeze(): FrozenBindings {
    return {
      bindings: this.#count,
      bindingsOf: this.#of.freeze(),
      bindingsAt: this.#at.freeze(),
      patterns: this.#patterns.freeze(),
    };
  }

  #compile(record: BindingRecord, scope: Scope): Binding {
    const names = this.#names;
    return toBinding(
      names.internNode(record.subject),
      names.internNode(nodeNameOfScope(scope)),
      names.internRole(record.role),
      record,
      this.#compileCondition,
    );
  }
}
