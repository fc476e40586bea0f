/**
 * A change set by what is left of it: of several changes of one identity the last counts. Made by
 * validate-changes.ts, read by its parts.
 */
import type { Change } from '../model/change.ts';
import { type EntityKind, type EntityRecord, entityKey } from '../model/entity.ts';
import type { Snapshot } from './snapshot.ts';
import type { Suggest } from './validate-nearest.ts';
import type { Placed, ProblemList } from './validate-report.ts';

export interface PlacedDelete {
  readonly kind: EntityKind;
  readonly key: string;
  /** Position in the change set. */
  readonly index: number;
}

export interface Changed {
  /** In the order of the change set. */
  readonly puts: readonly Placed[];
  readonly deletes: readonly PlacedDelete[];
  /** The position of the change that counts, or undefined where nothing changes the identity. */
  readonly indexOf: (kind: EntityKind, key: string) => number | undefined;
}

/** What every part of the validation of changes is given. */
export interface ChangeContext {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly changed: Changed;
  readonly suggest: Suggest;
  readonly list: ProblemList;
}

export function toChanged(changes: readonly Change[]): Changed {
  const last = new Map<EntityKind, Map<string, number>>();
  const keys = changes.map((change, index) => {
    const kind = kindOf(change);
    const key = change.op === 'put' ? entityKey(change.record) : change.key;
    let ofKind = last.get(kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      last.set(kind, ofKind);
    }
    ofKind.set(key, index);
    return key;
  });
  const puts: Placed[] = [];
  const deletes: PlacedDelete[] = [];
  changes.forEach((change, index) => {
    const kind = kindOf(change);
    const key = keys[index] as string;
    if (last.get(kind)?.get(key) !== index) return;
    if (change.op === 'put') puts.push({ record: change.record, index });
    else deletes.push({ kind, key, index });
  });
  return { puts, deletes, indexOf: (kind, key) => last.get(kind)?.get(key) };
}

/** The puts of one kind. */
export function putsOf<K extends EntityKind>(
  { puts }: Changed,
  kind: K,
): readonly Placed<Extract<EntityRecord, { kind: K }>>[] {
  return puts.filter(({ record }) => record.kind === kind) as Placed<Extract<EntityRecord, { kind: K }>>[];
}

export function kindOf(change: Change): EntityKind {
  return change.op === 'put' ? change.record.kind : change.kind;
}
