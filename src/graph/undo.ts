/**
 * Takes change sets back, newest first, until the records are those of an earlier revision. Pure; called by whoever
 * needs a graph of the past. History says of each change what was there before it, or nothing. Nothing means that there
 * was nothing, or that the writer did not say: what is unsure can be settled by the change sets before the earlier
 * revision. It must never take a guess for knowledge: what stays unsure is told.
 */
import type { Change } from '../model/change.ts';
import { type EntityKind, type EntityRecord, entityKey, entityKinds } from '../model/entity.ts';
import { kindOf } from './changed.ts';

/** How many records nobody said of what they were, by what the first change after the earlier revision did to them. */
export interface Unsure {
  /** Put: new, as far as history says. */
  readonly puts: number;
  /** Deleted: nobody knows what they were. */
  readonly deletes: number;
}

export interface Undoing {
  /** Takes a change set back. Newest first, none left out. */
  undo(changes: readonly Change[]): void;
  /** Learns what was there from a change set before the earlier revision. Newest first, none left out; no more undo after it. */
  settle(changes: readonly Change[]): void;
  /** There is nothing before what was settled: what is unsure was not there. */
  settleAll(): void;
  readonly unsure: Unsure;
  /** What is left, in the order of entityKinds. */
  records(): EntityRecord[];
}

type ByKind<T> = ReadonlyMap<EntityKind, Map<string, T>>;

/** @param records The graph at the newest revision, each identity once. */
export function createUndo(records: Iterable<EntityRecord>): Undoing {
  const known: ByKind<EntityRecord> = emptyMaps();
  const unsure: ByKind<Change['op']> = emptyMaps();
  for (const record of records) known.get(record.kind)?.set(entityKey(record), record);

  const count = (op: Change['op']) => {
    let n = 0;
    for (const ofKind of unsure.values()) for (const one of ofKind.values()) if (one === op) n++;
    return n;
  };

  return {
    undo(changes) {
      for (const change of changes.toReversed()) {
        const kind = kindOf(change);
        const key = keyOf(change);
        if (change.before === undefined) {
          known.get(kind)?.delete(key);
          unsure.get(kind)?.set(key, change.op);
        } else {
          known.get(kind)?.set(key, change.before);
          unsure.get(kind)?.delete(key);
        }
      }
    },
    settle(changes) {
      for (const change of changes.toReversed()) {
        const kind = kindOf(change);
        const key = keyOf(change);
        if (unsure.get(kind)?.delete(key) === true && change.op === 'put') known.get(kind)?.set(key, change.record);
      }
    },
    settleAll() {
      for (const ofKind of unsure.values()) ofKind.clear();
    },
    get unsure() {
      return { puts: count('put'), deletes: count('delete') };
    },
    records() {
      return [...known.values()].flatMap((ofKind) => [...ofKind.values()]);
    },
  };
}

function keyOf(change: Change): string {
  return change.op === 'put' ? entityKey(change.record) : change.key;
}

function emptyMaps<T>(): ByKind<T> {
  return new Map(entityKinds.map((kind) => [kind, new Map<string, T>()]));
}
