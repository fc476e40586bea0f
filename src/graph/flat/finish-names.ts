/** The names of a builder as flat arrays: exact, shared, and with the type of each. Called by finish.ts. */
import { textOfBytes } from '../../model/utf8.ts';
import { sharedInts, toShared } from './arrays.ts';
import type { NameTable } from './name-table.ts';
import type { NameArrays } from './names.ts';
import { rowsBy } from './rows.ts';

const colon = 0x3a;
const brace = 0x7b;

/** The names as arrays, and the types that occur in them, by id. */
export function finishNames(table: NameTable): { readonly names: NameArrays; readonly types: readonly string[] } {
  const { bytes, ends, slots } = table.finish();
  const types = sharedInts(ends.length);
  const ids = new Map<string, number>();
  for (let node = 0, start = 0; node < ends.length; start = ends[node++] as number) {
    types[node] = typeIdOf(bytes, start, ends[node] as number, ids);
  }
  const byType = rowsBy(types, ids.size);
  const shared = {
    ends: sharedInts(ends.length),
    slots: sharedInts(slots.length),
    byType: sharedInts(byType.order.length),
  };
  shared.ends.set(ends);
  shared.slots.set(slots);
  shared.byType.set(byType.order);
  return {
    names: { bytes: toShared(bytes), ...shared, types, typeEnds: byType.offsets.subarray(1) },
    types: [...ids.keys()],
  };
}

/** All names of a table, in their order. */
export function textsOf(table: NameTable): string[] {
  const { bytes, ends } = table.finish();
  return Array.from(ends, (end, i) => textOfBytes(bytes.subarray(i === 0 ? 0 : ends[i - 1], end)));
}

/** As Names.internNode has it: what stands before the first colon; -1 without one, and for the JSON of a pattern. */
function typeIdOf(bytes: Uint8Array, start: number, end: number, ids: Map<string, number>): number {
  if (bytes[start] === brace) return -1;
  let at = start;
  while (at < end && bytes[at] !== colon) at++;
  if (at === end || at === start) return -1;
  const type = String.fromCharCode.apply(null, bytes.subarray(start, at) as unknown as number[]);
  const known = ids.get(type);
  if (known !== undefined) return known;
  ids.set(type, ids.size);
  return ids.size - 1;
}
