/**
 * A snapshot in the making: the only code that writes columns. A draft starts
 * from a snapshot, takes changes, and is frozen once. It never writes into what
 * its base holds; only a draft of the empty graph, whose lists were never
 * published, writes into its own lists in place, which makes loading linear.
 */
import type { Change, Revision } from '../model/change.ts';
import type { BindingRecord, GroupRecord, MemberRecord, ObjectRecord, TypeRecord } from '../model/entity.ts';
import { parseScope, type Scope } from '../model/scope.ts';
import { Binding, byPrincipal, byScope, expiryOf, nodeNameOfScope } from './binding.ts';
import { type Chunked, find, insert, remove } from './chunked.ts';
import type { Names } from './names.ts';
import { at, PagedDraft } from './paged.ts';
import { PatternDraft } from './pattern-draft.ts';
import { RoleDraft } from './role-draft.ts';
import { Edge, type Snapshot } from './snapshot.ts';

export class Draft {
  readonly #base: Snapshot;
  readonly #names: Names;
  readonly #inPlace: boolean;
  readonly #roles: RoleDraft;
  readonly #patterns: PatternDraft;
  readonly #groupRecords: PagedDraft<GroupRecord>;
  readonly #registered: PagedDraft<true>;
  readonly #groupsOf: PagedDraft<readonly Edge[]>;
  readonly #membersOf: PagedDraft<Chunked<Edge>>;
  readonly #parentsOf: PagedDraft<readonly Edge[]>;
  readonly #childrenOf: PagedDraft<Chunked<Edge>>;
  readonly #bindingsOf: PagedDraft<Chunked<Binding>>;
  readonly #bindingsAt: PagedDraft<Chunked<Binding>>;
  #typeRecords: ReadonlyMap<string, TypeRecord>;
  #mode: Snapshot['mode'];
  #hasSettings: boolean;
  #members: number;
  #objects: number;
  #bindings: number;

  constructor(base: Snapshot) {
    this.#base = base;
    this.#names = base.names;
    this.#inPlace = base.membersOf.pages.length + base.childrenOf.pages.length + base.bindingsAt.pages.length === 0;
    this.#roles = new RoleDraft(base);
    this.#patterns = new PatternDraft(base);
    this.#groupRecords = new PagedDraft(base.groupRecords);
    this.#registered = new PagedDraft(base.registered);
    this.#groupsOf = new PagedDraft(base.groupsOf);
    this.#membersOf = new PagedDraft(base.membersOf);
    this.#parentsOf = new PagedDraft(base.parentsOf);
    this.#childrenOf = new PagedDraft(base.childrenOf);
    this.#bindingsOf = new PagedDraft(base.bindingsOf);
    this.#bindingsAt = new PagedDraft(base.bindingsAt);
    this.#typeRecords = base.typeRecords;
    this.#mode = base.mode;
    this.#hasSettings = base.hasSettings;
    this.#members = base.counts.members;
    this.#objects = base.counts.objects;
    this.#bindings = base.counts.bindings;
  }

  /** Takes changes in order. @throws PosternError INVALID_POLICY when one does not compile; drop the draft then. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.op === 'put') this.#put(change);
      else this.#delete(change);
    }
  }

  /** The finished snapshot. @throws PosternError INVALID_POLICY when roles do not compile */
  freeze(revision: Revision): Snapshot {
    return {
      revision,
      mode: this.#mode,
      names: this.#names,
      options: this.#base.options,
      counts: { members: this.#members, objects: this.#objects, bindings: this.#bindings },
      hasSettings: this.#hasSettings,
      typeRecords: this.#typeRecords,
      roles: this.#roles.freeze(),
      patterns: this.#patterns.freeze(),
      groupRecords: this.#groupRecords.freeze(),
      registered: this.#registered.freeze(),
      groupsOf: this.#groupsOf.freeze(),
      membersOf: this.#membersOf.freeze(),
      parentsOf: this.#parentsOf.freeze(),
      childrenOf: this.#childrenOf.freeze(),
      bindingsOf: this.#bindingsOf.freeze(),
      bindingsAt: this.#bindingsAt.freeze(),
    };
  }

  #put({ record }: Extract<Change, { op: 'put' }>): void {
    switch (record.kind) {
      case 'settings':
        this.#mode = record.mode;
        this.#hasSettings = true;
        return;
      case 'type':
        this.#typeRecords = new Map(this.#typeRecords).set(record.name, record);
        this.#names.internType(record.name);
        return;
      case 'role':
        this.#roles.put(record);
        return;
      case 'group':
        this.#groupRecords.set(this.#names.internNode(record.group), record);
        return;
      case 'member':
        this.#putMember(record);
        return;
      case 'object':
        this.#putObject(record);
        return;
      case 'binding':
        this.#putBinding(record);
        return;
    }
  }

  #delete({ kind, key }: Extract<Change, { op: 'delete' }>): void {
    switch (kind) {
      case 'settings':
        this.#mode = 'enforce';
        this.#hasSettings = false;
        return;
      case 'type': {
        const types = new Map(this.#typeRecords);
        types.delete(key);
        this.#typeRecords = types;
        return;
      }
      case 'role':
        this.#roles.delete(key);
        return;
      case 'group':
        this.#groupRecords.set(this.#names.internNode(key), undefined);
        return;
      case 'member': {
        const [group, member] = JSON.parse(key) as [string, string];
        this.#deleteMember(this.#names.internNode(group), this.#names.internNode(member));
        return;
      }
      case 'object':
        this.#deleteObject(this.#names.internNode(key));
        return;
      case 'binding':
        this.#deleteBinding(key);
        return;
    }
  }

  #putMember(record: MemberRecord): void {
    const group = this.#names.internNode(record.group);
    const member = this.#names.internNode(record.member);
    const expiresAt = expiryOf(record);
    const groups = at(this.#groupsOf, member) ?? [];
    const others = groups.filter((edge) => edge.node !== group);
    if (others.length === groups.length) this.#members++;
    this.#groupsOf.set(member, [...others, new Edge(group, expiresAt, true)]);
    this.#attach(this.#membersOf, group, new Edge(member, expiresAt, true));
  }

  #deleteMember(group: number, member: number): void {
    const groups = at(this.#groupsOf, member) ?? [];
    const others = groups.filter((edge) => edge.node !== group);
    if (others.length === groups.length) return;
    this.#members--;
    this.#groupsOf.set(member, others.length === 0 ? undefined : others);
    this.#detach(this.#membersOf, group, member);
  }

  #putObject(record: ObjectRecord): void {
    const object = this.#names.internNode(record.object);
    this.#detachFromParents(object);
    if (at(this.#registered, object) === undefined) this.#objects++;
    this.#registered.set(object, true);
    const parents = record.parents ?? [];
    if (parents.length === 0) return;
    const byParent = new Map<number, Edge>();
    for (const { object: name, inherit } of parents) {
      const parent = this.#names.internNode(name);
      byParent.set(parent, new Edge(parent, 0, inherit !== false));
    }
    const edges = [...byParent.values()];
    this.#parentsOf.set(object, edges);
    for (const edge of edges) this.#attach(this.#childrenOf, edge.node, new Edge(object, 0, edge.inherit));
  }

  #deleteObject(object: number): void {
    if (at(this.#registered, object) === undefined) return;
    this.#objects--;
    this.#registered.set(object, undefined);
    this.#detachFromParents(object);
  }

  #detachFromParents(object: number): void {
    const edges = at(this.#parentsOf, object);
    if (edges === undefined) return;
    for (const edge of edges) this.#detach(this.#childrenOf, edge.node, object);
    this.#parentsOf.set(object, undefined);
  }

  #attach(column: PagedDraft<Chunked<Edge>>, node: number, edge: Edge): void {
    column.set(node, insert(at(column, node), edge, byNode, this.#inPlace));
  }

  #detach(column: PagedDraft<Chunked<Edge>>, node: number, other: number): void {
    column.set(node, remove(at(column, node), new Edge(other, 0, true), byNode, this.#inPlace));
  }

  #putBinding(record: BindingRecord): void {
    const scope = parseScope(record.scope);
    const binding = this.#toBinding(record, scope);
    const before = at(this.#bindingsAt, binding.scope);
    if (before === undefined) this.#patterns.use(binding.scope, scope);
    const size = before?.size ?? 0;
    const atScope = insert(before, binding, byPrincipal, this.#inPlace);
    this.#bindings += atScope.size - size;
    this.#bindingsAt.set(binding.scope, atScope);
    this.#bindingsOf.set(
      binding.principal,
      insert(at(this.#bindingsOf, binding.principal), binding, byScope, this.#inPlace),
    );
  }

  #deleteBinding(key: string): void {
    const [subject, role, scopeInput, effect, name] = JSON.parse(key) as [
      string,
      string,
      Parameters<typeof parseScope>[0],
      string,
      string?,
    ];
    const scope = parseScope(scopeInput);
    const binding = this.#toBinding(
      {
        kind: 'binding',
        subject,
        role,
        scope: scopeInput,
        ...(effect === 'deny' ? { effect } : {}),
        ...(name === undefined ? {} : { name }),
      },
      scope,
    );
    const before = at(this.#bindingsAt, binding.scope);
    if (find(before, binding, byPrincipal) === undefined) return;
    const atScope = remove(before, binding, byPrincipal, this.#inPlace);
    this.#bindings--;
    this.#bindingsAt.set(binding.scope, atScope);
    if (atScope === undefined) this.#patterns.release(binding.scope, scope);
    this.#bindingsOf.set(
      binding.principal,
      remove(at(this.#bindingsOf, binding.principal), binding, byScope, this.#inPlace),
    );
  }

  #toBinding(record: BindingRecord, scope: Scope): Binding {
    const names = this.#names;
    return new Binding(
      names.internNode(record.subject),
      names.internNode(nodeNameOfScope(scope)),
      names.internRole(record.role),
      record,
    );
  }
}

function byNode(a: Edge, b: Edge): number {
  return a.node - b.node;
}
