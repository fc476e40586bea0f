/** What a builder has collected, in the order in which it came: filled by builder.ts, put in order by finish.ts. */
import { GrowingBytes, GrowingInts, type GrowingTimes } from './arrays.ts';
import type { PlainRecord } from './graph.ts';
import type { NameTable } from './name-table.ts';

/** The columns of a builder. */
export interface Collected {
  readonly seed: number;
  readonly names: NameTable;
  readonly roles: NameTable;
  readonly plain: Iterable<PlainRecord>;
  readonly members: {
    readonly member: GrowingInts;
    readonly group: GrowingInts;
    readonly expiresAt: GrowingTimes;
  };
  /** Objects, and edges that each remember the object put that brought them. */
  readonly objects: GrowingInts;
  readonly parents: {
    readonly put: GrowingInts;
    readonly parent: GrowingInts;
    readonly closed: GrowingInts;
  };
  readonly bindings: {
    readonly principal: GrowingInts;
    readonly scope: GrowingInts;
    readonly role: GrowingInts;
    readonly expiresAt: GrowingTimes;
    readonly extra: GrowingInts;
  };
  readonly extras: Texts;
  readonly groups: { readonly node: GrowingInts; readonly texts: Texts };
}

/** Texts one after another. */
export class Texts {
  readonly bytes = new GrowingBytes();
  readonly ends = new GrowingInts();

  push(text: string): number {
    const encoded = new TextEncoder().encode(text);
    this.bytes.append(encoded, 0, encoded.length);
    this.ends.push(this.bytes.length);
    return this.ends.length - 1;
  }
}
