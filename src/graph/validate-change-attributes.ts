/**
 * Declared attributes and changes. Called by validate-changes.ts. The condition of a put is held against the
 * attributes that are declared after it; where these themselves change, every condition is.
 */

import { quote } from '../model/names.ts';
import { keyOfBinding } from './binding.ts';
import { type ChangeContext, putsOf } from './changed.ts';
import { bindingsOf } from './records.ts';
import type { Snapshot } from './snapshot.ts';
import { createConditionCheck } from './validate-attributes.ts';

/** A change of an attribute: what every condition that no longer fits is told at. */
interface Cause {
  readonly index: number;
  readonly key: string;
}

export function checkChangedAttributes({ after, changed, suggest, list }: ChangeContext): void {
  const types = after.attributeTypes;
  if (types === undefined) return;
  const problemOf = createConditionCheck(types, after.options.checkCondition, suggest);
  for (const { record, index } of putsOf(changed, 'binding')) {
    const problem = record.condition === undefined ? undefined : problemOf(record.condition);
    if (problem !== undefined) list.report({ record, index }, ['condition'], problem);
  }
  const causes: Cause[] = [
    ...putsOf(changed, 'attribute').map(({ record, index }) => ({ key: record.name, index })),
    ...changed.deletes.filter(({ kind }) => kind === 'attribute'),
  ];
  if (causes.length === 0) return;
  for (const [text, key] of conditionsOf(after, (binding) => changed.indexOf('binding', binding) !== undefined)) {
    const problem = problemOf(text);
    if (problem === undefined) continue;
    const named = (written: (key: string) => string) => causes.find(({ key: of }) => problem.includes(written(of)));
    const cause = named(quote) ?? named((of) => of) ?? (causes[0] as Cause);
    const message = `binding ${key} no longer fits: ${problem}`;
    list.add({ ...cause, kind: 'attribute', field: [], message });
  }
}

/** Every condition once, with the key of a binding that has it. Looks at all bindings: declarations seldom change. */
function conditionsOf(snapshot: Snapshot, isLeftOut: (key: string) => boolean): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const binding of bindingsOf(snapshot)) {
    const text = binding.extra?.condition?.text;
    if (text === undefined || found.has(text)) continue;
    const key = keyOfBinding(binding, snapshot.names);
    if (!isLeftOut(key)) found.set(text, key);
  }
  return found;
}
