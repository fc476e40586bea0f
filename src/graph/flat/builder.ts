/**
 * Builds a flat graph from records, in any order: later puts replace earlier ones of the same identity. Called by
 * whoever loads a whole graph, best in a thread of its own; it never makes a snapshot, and checks no references.
 */
import type { BindingRecord, EntityRecord, MemberRecord, ObjectRecord } from '../../model/entity.ts';
import { parseScope } from '../../model/scope.ts';
import { expiryOf, nodeNameOfScope } from '../binding.ts';
import { GrowingInts, GrowingTimes } from './arrays.ts';
import { denyFlag, type ExtraText, exactFlag, roleShift } from './bindings.ts';
import { type Collected, Texts } from './collected.ts';
import { finishFlat } from './finish.ts';
import type { FlatGraph, PlainRecord } from './graph.ts';
import { NameTable } from './name-table.ts';

export class FlatBuilder {
  readonly names: NameTable;
  readonly roles: NameTable;
  readonly #collected: Collected;
  readonly #plain = new Map<string, PlainRecord>();
  readonly #extras = new Map<string, number>();

  /** @param seed Of the hash of names: any whole number, best a random one. */
  constructor(seed: number) {
    this.names = new NameTable(seed);
    this.roles = new NameTable(seed);
    // Everyone has the number that the engine expects.
    this.names.internText('*');
    this.#collected = {
      seed,
      names: this.names,
      roles: this.roles,
      plain: { [Symbol.iterator]: () => this.#plain.values() },
      members: { member: new GrowingInts(), group: new GrowingInts(), expiresAt: new GrowingTimes() },
      objects: new GrowingInts(),
      parents: {
        put: new GrowingInts(),
        object: new GrowingInts(),
        parent: new GrowingInts(),
        closed: new GrowingInts(),
      },
      bindings: {
        principal: new GrowingInts(),
        scope: new GrowingInts(),
        role: new GrowingInts(),
        expiresAt: new GrowingTimes(),
        extra: new GrowingInts(),
      },
      extras: new Texts(),
      groups: { node: new GrowingInts(), texts: new Texts() },
    };
  }

  /** Takes a record. @throws PosternError INVALID_POLICY for a scope that does not parse */
  put(record: EntityRecord): void {
    switch (record.kind) {
      case 'member':
        this.#putMember(record);
        break;
      case 'object':
        this.#putObject(record);
        break;
      case 'binding':
        this.#putBinding(record);
        break;
      case 'group': {
        const { node, texts } = this.#collected.groups;
        node.push(this.names.internText(record.group));
        texts.push(JSON.stringify(record));
        break;
      }
      case 'settings':
        this.#plain.set(record.kind, record);
        break;
      case 'hook':
        this.#plain.set(`hook ${record.type}`, record);
        break;
      case 'role':
        this.roles.internText(record.name);
        this.#plain.set(`role ${record.name}`, record);
        break;
      default:
        this.#plain.set(`${record.kind} ${record.name}`, record);
    }
  }

  /** Nodes of `names`. @param expiresAt Milliseconds since 1970, or 0. */
  putMember(member: number, group: number, expiresAt: number): void {
    const { members } = this.#collected;
    members.member.push(member);
    members.group.push(group);
    members.expiresAt.push(expiresAt);
  }

  /** A node of `names`; its parents follow, in their order. */
  putObject(object: number): void {
    this.#collected.objects.push(object);
  }

  /** A parent of the object that was put last. */
  putParent(parent: number, inherit: boolean): void {
    const { objects, parents } = this.#collected;
    const put = objects.length - 1;
    parents.put.push(put);
    parents.object.push(objects.at(put));
    parents.parent.push(parent);
    parents.closed.push(inherit ? 0 : 1);
  }

  /** Nodes of `names`, an id of `roles`. A binding with anything more is a record for put(). */
  putBinding(principal: number, scope: number, role: number, deny: boolean): void {
    this.#pushBinding(principal, scope, (role << roleShift) | (deny ? denyFlag : 0), 0, -1);
  }

  /** The finished graph; the builder must not be used afterwards. */
  finish(): FlatGraph {
    return finishFlat(this.#collected);
  }

  #putMember(record: MemberRecord): void {
    this.putMember(this.names.internText(record.member), this.names.internText(record.group), expiryOf(record));
  }

  #putObject(record: ObjectRecord): void {
    const object = this.names.internText(record.object);
    // Of two edges to the same parent the last counts, in the place of the first.
    const parents = new Map((record.parents ?? []).map((edge) => [edge.object, edge.inherit !== false]));
    this.putObject(object);
    for (const [parent, inherit] of parents) this.putParent(this.names.internText(parent), inherit);
  }

  #putBinding(record: BindingRecord): void {
    const flags = (record.effect === 'deny' ? denyFlag : 0) | (record.cascade === false ? exactFlag : 0);
    this.#pushBinding(
      this.names.internText(record.subject),
      this.names.internText(nodeNameOfScope(parseScope(record.scope))),
      (this.roles.internText(record.role) << roleShift) | flags,
      expiryOf(record),
      this.#extraOf(record),
    );
  }

  #pushBinding(principal: number, scope: number, role: number, expiresAt: number, extra: number): void {
    const { bindings } = this.#collected;
    bindings.principal.push(principal);
    bindings.scope.push(scope);
    bindings.role.push(role);
    bindings.expiresAt.push(expiresAt);
    bindings.extra.push(extra);
  }

  #extraOf({ name, note, locked, condition }: BindingRecord): number {
    if (name === undefined && note === undefined && locked === undefined && condition === undefined) return -1;
    const extra: ExtraText = {
      ...(name === undefined ? {} : { name }),
      ...(note === undefined ? {} : { note }),
      ...(locked === undefined ? {} : { locked }),
      ...(condition === undefined ? {} : { condition }),
    };
    const text = JSON.stringify(extra);
    const known = this.#extras.get(text);
    if (known !== undefined) return known;
    const index = this.#collected.extras.push(text);
    this.#extras.set(text, index);
    return index;
  }
}
