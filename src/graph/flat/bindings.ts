/**
 * Bindings of a flat graph: one row of integers for each, in the order of their principals, and a second order by
 * scope. A Binding is made of a row when a question meets it, and the ones that were met last are kept, because
 * naming the binding that decides costs more than deciding.
 */
import type { Condition, ConditionCompiler } from '../../model/condition.ts';
import { Binding, type BindingExtra } from '../binding.ts';
import type { Chunked } from '../chunked.ts';
import type { Base } from '../paged.ts';
import { stretched } from './stretch.ts';
import { type TextArrays, textAt } from './texts.ts';

export interface BindingArrays {
  /** By principal, one more than there are nodes: where its rows begin. */
  readonly ofOffsets: Int32Array;
  /** By row. */
  readonly principals: Int32Array;
  readonly scopes: Int32Array;
  /** The role's id times 4, plus `denyFlag` and `exactFlag`. */
  readonly roles: Int32Array;
  /** Milliseconds since 1970, 0 for never; undefined where no binding ever ends. */
  readonly expiresAt: Float64Array | undefined;
  /** Index of a text in `extras`, or -1; undefined where no binding has one. */
  readonly extraOf: Int32Array | undefined;
  /** JSON of ExtraText. */
  readonly extras: TextArrays;
  /** By scope: where its places begin in the two arrays below. */
  readonly atOffsets: Int32Array;
  /** By place: the row, and its principal once more, so that a walk over a scope stays in one array. */
  readonly atRows: Int32Array;
  readonly atPrincipals: Int32Array;
}

/** What few bindings have, as its text says it. */
export interface ExtraText {
  readonly name?: string;
  readonly note?: string;
  readonly locked?: true;
  readonly condition?: string;
}

export const denyFlag = 1;
/** The binding does not cascade. */
export const exactFlag = 2;
export const roleShift = 2;

// Bindings that are kept: some 2 MiB at most.
const keptBits = 13;
const keptMask = (1 << keptBits) - 1;

export class FlatBindings {
  readonly arrays: BindingArrays;
  readonly count: number;
  readonly #compileCondition: ConditionCompiler;
  /** By the low bits of the row: the binding that was made last, and its row. */
  readonly #kept: (Binding | undefined)[] = new Array<Binding | undefined>(1 << keptBits).fill(undefined);
  readonly #keptRows = new Int32Array(1 << keptBits).fill(-1);
  /** Held for as long as the graph is: who compiled them before may hold them weakly. */
  readonly #conditions = new Map<string, Condition>();

  /** @param compileCondition Has compiled every condition of these bindings before. */
  constructor(arrays: BindingArrays, compileCondition: ConditionCompiler) {
    this.arrays = arrays;
    this.count = arrays.ofOffsets.length - 1;
    this.#compileCondition = compileCondition;
  }

  /** The binding of a row; the same object as last time, where it was asked for not long ago. */
  binding(row: number): Binding {
    const place = row & keptMask;
    if (this.#keptRows[place] === row) return this.#kept[place] as Binding;
    const binding = this.make(row);
    this.#kept[place] = binding;
    this.#keptRows[place] = row;
    return binding;
  }

  make(row: number): Binding {
    const { principals, scopes, roles, expiresAt, extraOf } = this.arrays;
    const role = roles[row] as number;
    const extra = extraOf === undefined ? -1 : (extraOf[row] as number);
    return new Binding(
      principals[row] as number,
      scopes[row] as number,
      role >> roleShift,
      (role & denyFlag) !== 0,
      (role & exactFlag) === 0,
      expiresAt === undefined ? 0 : (expiresAt[row] as number),
      extra < 0 ? undefined : this.#extra(extra),
    );
  }

  #extra(index: number): BindingExtra {
    const { name, note, locked, condition } = JSON.parse(textAt(this.arrays.extras, index)) as ExtraText;
    return {
      name,
      note,
      locked: locked === true,
      condition: condition === undefined ? undefined : { text: condition, holds: this.#condition(condition) },
    };
  }

  #condition(text: string): Condition {
    const known = this.#conditions.get(text);
    if (known !== undefined) return known;
    const compiled = this.#compileCondition(text);
    this.#conditions.set(text, compiled);
    return compiled;
  }
}

/** By principal: its rows. */
export class FlatBindingsOf implements Base<Chunked<Binding>> {
  readonly flat: FlatBindings;
  readonly #make: (row: number) => Binding;

  constructor(flat: FlatBindings) {
    this.flat = flat;
    this.#make = (row) => flat.make(row);
  }

  get(node: number): Chunked<Binding> | undefined {
    const size = this.sizeOf(node);
    const start = this.flat.arrays.ofOffsets[node] as number;
    return size === 0 ? undefined : stretched(start, start + size, this.#make);
  }

  sizeOf(node: number): number {
    const { ofOffsets } = this.flat.arrays;
    return node < 0 || node >= this.flat.count ? 0 : (ofOffsets[node + 1] as number) - (ofOffsets[node] as number);
  }
}

/** By scope: its places. */
export class FlatBindingsAt implements Base<Chunked<Binding>> {
  readonly flat: FlatBindings;
  readonly #make: (place: number) => Binding;

  constructor(flat: FlatBindings) {
    this.flat = flat;
    this.#make = (place) => flat.make(flat.arrays.atRows[place] as number);
  }

  get(node: number): Chunked<Binding> | undefined {
    const size = this.sizeOf(node);
    const start = this.flat.arrays.atOffsets[node] as number;
    return size === 0 ? undefined : stretched(start, start + size, this.#make);
  }

  sizeOf(node: number): number {
    const { atOffsets } = this.flat.arrays;
    return node < 0 || node >= this.flat.count ? 0 : (atOffsets[node + 1] as number) - (atOffsets[node] as number);
  }
}
