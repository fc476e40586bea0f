/** The conditions of a flat graph: whoever takes one from elsewhere has to see that they compile before it is used. */
import type { ExtraText } from './bindings.ts';
import type { FlatGraph } from './graph.ts';
import { textAt } from './texts.ts';

/** Each text of a condition, perhaps more than once. */
export function* conditionsIn({ bindings: { extras } }: FlatGraph): Generator<string, void> {
  for (let i = 0; i < extras.ends.length; i++) {
    const { condition } = JSON.parse(textAt(extras, i)) as ExtraText;
    if (condition !== undefined) yield condition;
  }
}
