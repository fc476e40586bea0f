/** Change sets as a writer keeps them who says what was there before each change. */
import type { Change } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { applyPlainly } from './arbitraries.ts';

export function withBefore(records: readonly EntityRecord[], changes: readonly Change[]): Change[] {
  let current = records;
  return changes.map((change) => {
    const before = find(current, change);
    current = applyPlainly(current, [change]);
    return before === undefined ? change : { ...change, before };
  });
}

function find(records: readonly EntityRecord[], change: Change): EntityRecord | undefined {
  const kind = change.op === 'put' ? change.record.kind : change.kind;
  const key = change.op === 'put' ? entityKey(change.record) : change.key;
  return records.find((record) => record.kind === kind && entityKey(record) === key);
}
