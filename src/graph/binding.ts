/**
 * A binding as the engine reads it: integers, and one shape for all. The record
 * it came from can be written back from it, so that it need not be kept.
 */
import type { Condition, ConditionCompiler } from '../model/condition.ts';
import { type BindingRecord, bindingKey } from '../model/entity.ts';
import { formatScope, type Scope, toScopeInput } from '../model/scope.ts';
import type { Names } from './names.ts';

/** What few bindings have. */
export interface BindingExtra {
  readonly name: string | undefined;
  readonly note: string | undefined;
  readonly locked: boolean;
  readonly condition: { readonly text: string; readonly holds: Condition } | undefined;
}

export class Binding {
  readonly principal: number;
  readonly scope: number;
  readonly role: number;
  readonly deny: boolean;
  readonly cascade: boolean;
  /** Milliseconds since 1970; 0 for never. */
  readonly expiresAt: number;
  readonly extra: BindingExtra | undefined;
  /** See keyOfBinding: built on first use, because most are never asked for. */
  key: string;

  constructor(
    principal: number,
    scope: number,
    role: number,
    deny: boolean,
    cascade: boolean,
    expiresAt: number,
    extra: BindingExtra | undefined,
  ) {
    this.principal = principal;
    this.scope = scope;
    this.role = role;
    this.deny = deny;
    this.cascade = cascade;
    this.expiresAt = expiresAt;
    this.extra = extra;
    this.key = '';
  }
}

/** @throws PosternError INVALID_POLICY for a condition that does not compile */
export function toBinding(
  principal: number,
  scope: number,
  role: number,
  record: BindingRecord,
  compileCondition: ConditionCompiler,
): Binding {
  const extra = toExtra(record, compileCondition);
  return new Binding(
    principal,
    scope,
    role,
    record.effect === 'deny',
    record.cascade !== false,
    expiryOf(record),
    extra,
  );
}

function toExtra(record: BindingRecord, compileCondition: ConditionCompiler): BindingExtra | undefined {
  const { name, note, locked, condition } = record;
  if (name === undefined && note === undefined && locked === undefined && condition === undefined) return undefined;
  return {
    name,
    note,
    locked: locked === true,
    condition: condition === undefined ? undefined : { text: condition, holds: compileCondition(condition) },
  };
}

/** When a record ends: milliseconds since 1970, at least 1; 0 where it never does. */
export function expiryOf(record: { readonly expiresAt?: number }): number {
  return record.expiresAt === undefined ? 0 : Math.max(1, record.expiresAt);
}

/** The identity of a binding as text (see bindingKey); ties between bindings are decided by it. */
export function keyOfBinding(binding: Binding, names: Names): string {
  if (binding.key === '') {
    binding.key = bindingKey(
      names.nodeName(binding.principal),
      names.roles[binding.role] as string,
      toScopeInput(scopeOfNode(names.nodeName(binding.scope))),
      binding.deny ? 'deny' : 'allow',
      binding.extra?.name,
    );
  }
  return binding.key;
}

export function toBindingRecord(binding: Binding, names: Names): BindingRecord {
  return {
    kind: 'binding',
    subject: names.nodeName(binding.principal),
    role: names.roles[binding.role] as string,
    scope: toScopeInput(scopeOfNode(names.nodeName(binding.scope))),
    ...(binding.deny ? { effect: 'deny' as const } : {}),
    ...(binding.extra?.name === undefined ? {} : { name: binding.extra.name }),
    ...(binding.expiresAt === 0 ? {} : { expiresAt: binding.expiresAt }),
    ...(binding.cascade ? {} : { cascade: false as const }),
    ...(binding.extra?.condition === undefined ? {} : { condition: binding.extra.condition.text }),
    ...(binding.extra?.locked === true ? { locked: true as const } : {}),
    ...(binding.extra?.note === undefined ? {} : { note: binding.extra.note }),
  };
}

/** The name under which a scope is a node. Globs are wrapped: an object may have the same text. */
export function nodeNameOfScope(scope: Scope): string {
  if (scope.kind === 'object') return scope.object;
  return scope.kind === 'glob' ? JSON.stringify({ glob: formatScope(scope) }) : formatScope(scope);
}

/** The scope that a node stands for; the inverse of nodeNameOfScope. */
export function scopeOfNode(name: string): Scope {
  if (name === '*') return { kind: 'tenant' };
  if (!name.startsWith('{')) {
    const colon = name.indexOf(':');
    if (name.endsWith(':*') && colon === name.length - 2) return { kind: 'type', type: name.slice(0, colon) };
    return { kind: 'object', object: name };
  }
  const wrapped = JSON.parse(name) as { glob: string } | { type: string; regex: string };
  if ('regex' in wrapped) return { kind: 'regex', type: wrapped.type, regex: wrapped.regex };
  const colon = wrapped.glob.indexOf(':');
  return { kind: 'glob', type: wrapped.glob.slice(0, colon), pattern: wrapped.glob.slice(colon + 1) };
}

/** Orders the bindings of one principal: by scope, so that those on one scope are neighbours. */
export function byScope(a: Binding, b: Binding): number {
  return a.scope - b.scope || sameEnds(a, b);
}

/** Orders the bindings at one scope: by principal. */
export function byPrincipal(a: Binding, b: Binding): number {
  return a.principal - b.principal || sameEnds(a, b);
}

function sameEnds(a: Binding, b: Binding): number {
  if (a.role !== b.role) return a.role - b.role;
  if (a.deny !== b.deny) return a.deny ? 1 : -1;
  const aName = a.extra?.name;
  const bName = b.extra?.name;
  if (aName === bName) return 0;
  if (aName === undefined) return -1;
  if (bName === undefined) return 1;
  return aName < bName ? -1 : 1;
}
