/**
 * Masks of what a caller sent for conditions: each attribute by its own rule, or
 * by that of all. Names of attributes are part of a policy's vocabulary and stay.
 */
import type { Attributes, AttributeValue } from '../../model/condition.ts';
import type { FieldNotes } from './field-notes.ts';
import type { MaskRules } from './mask-rules.ts';
import { attributeMask, type Digest } from './mask-values.ts';

type AttributeMask = (value: AttributeValue) => AttributeValue | undefined;

export interface AttributeMasks {
  readonly byName: ReadonlyMap<string, AttributeMask>;
  /** For all others; undefined leaves them as they are. */
  readonly others: AttributeMask | undefined;
}

/** Undefined where no rule is about attributes. */
export function attributeMasksOf({ fields, attributes }: MaskRules, digest: Digest): AttributeMasks | undefined {
  const others = fields.get('attributes');
  if (others === undefined && attributes.size === 0) return undefined;
  return {
    byName: new Map([...attributes].map(([name, kind]) => [name, attributeMask(kind, digest)])),
    others: others && attributeMask(others, digest),
  };
}

/** Undefined where nothing is left. Never throws. */
export function maskAttributes(given: Attributes, masks: AttributeMasks, notes: FieldNotes): Attributes | undefined {
  try {
    return maskEach(given, masks, notes);
  } catch {
    notes.fail('attributes');
    return undefined;
  }
}

function maskEach(given: Attributes, { byName, others }: AttributeMasks, notes: FieldNotes): Attributes | undefined {
  const shown: [string, AttributeValue][] = [];
  for (const [name, value] of Object.entries(given)) {
    const own = byName.get(name);
    const mask = own ?? others;
    // A name that no rule says is the caller's word: the record's list of masked fields does not repeat it.
    const field = own === undefined ? 'attributes' : `attributes.${name}`;
    const masked = mask === undefined ? value : notes.apply(field, value, mask, undefined);
    if (masked !== undefined) shown.push([name, masked]);
  }
  if (shown.length === 0) return undefined;
  // Not by assignment: an attribute may be called "__proto__".
  return Object.fromEntries(shown);
}
