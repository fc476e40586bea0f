/**
 * A snapshot in the making: the only code that makes one. A draft starts from a
 * snapshot, takes changes, and is frozen once. It never writes into what its
 * base holds; only a draft of the empty graph, whose lists were never published,
 * writes into its own lists in place, which makes loading linear.
 */

import { parseAttributeType } from '../model/attribute-type.ts';
import type { Change, Revision } from '../model/change.ts';
import type { AttributeTypes } from '../model/condition.ts';
import type {
  AttributeRecord,
  ConstraintRecord,
  GroupRecord,
  HookRecord,
  ObjectRecord,
  TypeRecord,
} from '../model/entity.ts';
import { expiryOf } from './binding.ts';
import { BindingDraft } from './binding-draft.ts';
import { Edge } from './edge.ts';
import { EdgeDraft } from './edge-draft.ts';
import { MapDraft } from './map-draft.ts';
import { namingRecord } from './named-record.ts';
import type { Names } from './names.ts';
import { at, type Paged, PagedDraft } from './paged.ts';
import { RoleDraft } from './role-draft.ts';
import type { Snapshot } from './snapshot.ts';

export class Draft {
  readonly #base: Snapshot;
  readonly #names: Names;
  readonly #roles: RoleDraft;
  readonly #groupRecords: PagedDraft<GroupRecord>;
  readonly #registered: PagedDraft<true>;
  readonly #members: EdgeDraft;
  readonly #parents: EdgeDraft;
  readonly #bindings: BindingDraft;
  readonly #typeRecords: MapDraft<TypeRecord>;
  readonly #attributeRecords: MapDraft<AttributeRecord>;
  readonly #hooks: MapDraft<HookRecord>;
  readonly #constraints: MapDraft<ConstraintRecord>;
  #mode: Snapshot['mode'];
  #hasSettings: boolean;
  #memberCount: number;
  #objectCount: number;

  constructor(base: Snapshot) {
    const lists: readonly Paged<unknown>[] = [base.membersOf, base.childrenOf, base.bindingsAt];
    const inPlace = lists.every(({ pages, base }) => pages.length === 0 && base === undefined);
    this.#base = base;
    this.#names = base.names;
    this.#roles = new RoleDraft(base);
    this.#groupRecords = new PagedDraft(base.groupRecords);
    this.#registered = new PagedDraft(base.registered);
    this.#members = new EdgeDraft(base.groupsOf, base.membersOf, inPlace);
    this.#parents = new EdgeDraft(base.parentsOf, base.childrenOf, inPlace);
    this.#bindings = new BindingDraft(base, inPlace);
    this.#typeRecords = new MapDraft(base.typeRecords);
    this.#attributeRecords = new MapDraft(base.attributeRecords);
    this.#hooks = new MapDraft(base.hooks);
    this.#constraints = new MapDraft(base.constraints);
    this.#mode = base.mode;
    this.#hasSettings = base.hasSettings;
    this.#memberCount = base.counts.members;
    this.#objectCount = base.counts.objects;
  }

  /** Takes changes in order. @throws PosternError INVALID_POLICY when one does not compile; drop the draft then. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.op === 'delete') this.#delete(change);
      else {
        try {
          this.#put(change);
        } catch (error) {
          throw namingRecord(change.record, error);
        }
      }
    }
  }

  /** The finished snapshot. @throws PosternError INVALID_POLICY when roles or types of attributes do not compile */
  freeze(revision: Revision): Snapshot {
    const members = this.#members.freeze();
    const parents = this.#parents.freeze();
    const { bindings, bindingsOf, bindingsAt, patterns } = this.#bindings.freeze();
    return {
      revision,
      mode: this.#mode,
      names: this.#names,
      options: this.#base.options,
      counts: { members: this.#memberCount, objects: this.#objectCount, bindings },
      hasSettings: this.#hasSettings,
      typeRecords: this.#typeRecords.freeze(),
      attributeRecords: this.#attributeRecords.freeze(),
      attributeTypes: this.#attributeTypes(),
      hooks: this.#hooks.freeze(),
      constraints: this.#constraints.freeze(),
      roles: this.#roles.freeze(),
      patterns,
      groupRecords: this.#groupRecords.freeze(),
      registered: this.#registered.freeze(),
      groupsOf: members.up,
      membersOf: members.down,
      parentsOf: parents.up,
      childrenOf: parents.down,
      bindingsOf,
      bindingsAt,
    };
  }

  #put({ record }: Extract<Change, { op: 'put' }>): void {
    const names = this.#names;
    switch (record.kind) {
      case 'settings':
        this.#mode = record.mode;
        this.#hasSettings = true;
        break;
      case 'type':
        this.#typeRecords.set(record.name, record);
        names.internType(record.name);
        break;
      case 'attribute':
        this.#attributeRecords.set(record.name, record);
        break;
      case 'hook':
        this.#hooks.set(record.type, record);
        break;
      case 'constraint':
        this.#constraints.set(record.name, record);
        break;
      case 'role':
        this.#roles.put(record);
        break;
      case 'group':
        this.#groupRecords.set(names.internNode(record.group), record);
        break;
      case 'member': {
        const [member, group] = [names.internNode(record.member), names.internNode(record.group)];
        if (this.#members.put(member, group, expiryOf(record))) this.#memberCount++;
        break;
      }
      case 'object':
        this.#putObject(record);
        break;
      case 'binding':
        this.#bindings.put(record);
    }
  }

  #delete({ kind, key }: Extract<Change, { op: 'delete' }>): void {
    switch (kind) {
      case 'settings':
        this.#mode = 'enforce';
        this.#hasSettings = false;
        break;
      case 'type':
        this.#typeRecords.delete(key);
        break;
      case 'attribute':
        this.#attributeRecords.delete(key);
        break;
      case 'hook':
        this.#hooks.delete(key);
        break;
      case 'constraint':
        this.#constraints.delete(key);
        break;
      case 'role':
        this.#roles.delete(key);
        break;
      case 'group':
        this.#groupRecords.set(this.#names.internNode(key), undefined);
        break;
      case 'member': {
        const [group, member] = JSON.parse(key) as [string, string];
        if (this.#members.delete(this.#names.internNode(member), this.#names.internNode(group))) this.#memberCount--;
        break;
      }
      case 'object':
        this.#deleteObject(this.#names.internNode(key));
        break;
      case 'binding':
        this.#bindings.delete(key);
    }
  }

  #attributeTypes(): AttributeTypes | undefined {
    const records = this.#attributeRecords.freeze();
    if (records === this.#base.attributeRecords) return this.#base.attributeTypes;
    return records.size === 0 ? undefined : toAttributeTypes(records.values());
  }

  #putObject(record: ObjectRecord): void {
    const object = this.#names.internNode(record.object);
    if (at(this.#registered, object) === undefined) this.#objectCount++;
    this.#registered.set(object, true);
    const edges = (record.parents ?? []).map(
      (edge) => new Edge(this.#names.internNode(edge.object), 0, edge.inherit !== false),
    );
    this.#parents.replaceAll(object, edges);
  }

  #deleteObject(object: number): void {
    if (at(this.#registered, object) === undefined) return;
    this.#objectCount--;
    this.#registered.set(object, undefined);
    this.#parents.replaceAll(object, []);
  }
}

function toAttributeTypes(records: Iterable<AttributeRecord>): AttributeTypes {
  return new Map([...records].map(({ name, type }) => [name, parseAttributeType(type)]));
}
