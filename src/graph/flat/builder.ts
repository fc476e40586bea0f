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

  /** A membership that never ends, from names as bytes. */
  putPlainMember(bytes: Uint8Array, member: number, memberEnd: number, group: number, groupEnd: number): void {
    const { members } = this.#collected;
    this.names.internLater(bytes, member, memberEnd, members.member);
    this.names.internLater(bytes, group, groupEnd, members.group);
    members.expiresAt.push(0);
  }

  /** An object, from its name as bytes; its parent, where it has one, follows. */
  putPlainObject(bytes: Uint8Array, object: number, objectEnd: number): void {
    this.names.internLater(bytes, object, objectEnd, this.#collected.objects);
  }

  /** A parent of the object that was put last: bindings reach through. */
  putPlainParent(bytes: Uint8Array, parent: number, parentEnd: number): void {
    this.names.internLater(bytes, parent, parentEnd, this.#collected.parents.parent);
    this.#pushParent(true);
  }

  /** A binding on one object, of a role in `roles`, without anything but an effect. */
  putPlainBinding(
    bytes: Uint8Array,
    subject: number,
    subjectEnd: number,
    scope: number,
    scopeEnd: number,
    role: number,
    deny: boolean,
  ): void {
    const { bindings } = this.#collected;
    this.names.internLater(bytes, subject, subjectEnd, bindings.principal);
    this.names.internLater(bytes, scope, scopeEnd, bindings.scope);
    this.#pushRest((role << roleShift) | (deny ? denyFlag : 0), 0, -1);
  }

  /** The finished graph; the builder must not be used afterwards. */
  finish(): FlatGraph {
    this.names.settle();
    return finishFlat(this.#collected);
  }

  #putMember(record: MemberRecord): void {
    const { members } = this.#collected;
    members.member.push(this.names.internText(record.member));
    members.group.push(this.names.internText(record.group));
    members.expiresAt.push(expiryOf(record));
  }

  #putObject(record: ObjectRecord): void {
    const { objects, parents: columns } = this.#collected;
    objects.push(this.names.internText(record.object));
    // Of two edges to the same parent the last counts, in the place of the first.
    const parents = new Map((record.parents ?? []).map((edge) => [edge.object, edge.inherit !== false]));
    for (const [parent, inherit] of parents) {
      columns.parent.push(this.names.internText(parent));
      this.#pushParent(inherit);
    }
  }

  /** What a parent has besides its name. */
  #pushParent(inherit: boolean): void {
    const { objects, parents } = this.#collected;
    parents.put.push(objects.length - 1);
    parents.closed.push(inherit ? 0 : 1);
  }

  #putBinding(record: BindingRecord): void {
    const flags = (record.effect === 'deny' ? denyFlag : 0) | (record.cascade === false ? exactFlag : 0);
    const scope = nodeNameOfScope(parseScope(record.scope));
    const { bindings } = this.#collected;
    bindings.principal.push(this.names.internText(record.subject));
    bindings.scope.push(this.names.internText(scope));
    this.#pushRest((this.roles.internText(record.role) << roleShift) | flags, expiryOf(record), this.#extraOf(record));
  }

  /** What a binding has besides its names. */
  #pushRest(role: number, expiresAt: number, extra: number): void {
    const { bindings } = this.#collected;
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
