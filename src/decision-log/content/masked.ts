/**
 * An entry as it may be written: every field that a mask covers is masked, or
 * dropped where its mask fails, and the record says which. Called by the encoder
 * for each record, off the request path. It must never throw, and never hand on
 * a value that a mask covers because the mask could not be applied.
 */
import type { Path } from '../../engine/explain.ts';
import type { DecisionEntry } from '../log.ts';
import { toWrittenPath } from './deciding-path.ts';
import { FieldNotes, type OnMaskFailure } from './field-notes.ts';
import { type AttributeMasks, attributeMasksOf, maskAttributes } from './mask-attributes.ts';
import { maskBinding, maskPath, type NameMasks, nameMasksOf } from './mask-binding.ts';
import type { MaskRules } from './mask-rules.ts';
import { callerMask, type Digest, type Mask, nameMask, textMask } from './mask-values.ts';
import { remembering } from './recent.ts';

export interface MaskedEntry {
  /** A field that was dropped is empty, as one that was never there. */
  readonly entry: DecisionEntry;
  /** Fields that are not as they were, in the words of the record. */
  readonly masked: readonly string[];
  /** JSON; empty without one. */
  readonly path: string;
}

/** What the rules make of each field; undefined leaves it as it is. */
interface Masks {
  readonly names: NameMasks;
  readonly hasNames: boolean;
  /** Of a question without asserted groups, which most are. */
  readonly binding: Mask | undefined;
  readonly groups: Mask | undefined;
  readonly caller: Mask | undefined;
  readonly trace: Mask | undefined;
  readonly attributes: AttributeMasks | undefined;
}

export function createMasking(
  rules: MaskRules,
  digest: Digest,
  onFailure: OnMaskFailure,
): (entry: DecisionEntry) => MaskedEntry {
  const masks = masksOf(rules, digest);
  return (entry) => maskEntry(entry, masks, new FieldNotes(onFailure));
}

function masksOf(rules: MaskRules, digest: Digest): Masks {
  const { fields } = rules;
  const names = nameMasksOf(fields, digest);
  const hasNames = names.subject !== undefined || names.asserted !== undefined || names.object !== undefined;
  const groups = fields.get('asserted_groups');
  const caller = fields.get('caller');
  const trace = fields.get('trace_id');
  return {
    names,
    hasNames,
    binding: hasNames ? remembering((text) => maskBinding(text, names, undefined)) : undefined,
    groups: groups && nameMask(groups, digest),
    caller: caller && remembering(callerMask(caller, digest)),
    trace: trace && textMask(trace, digest),
    attributes: attributeMasksOf(rules, digest),
  };
}

function maskEntry(entry: DecisionEntry, masks: Masks, notes: FieldNotes): MaskedEntry {
  const { names } = masks;
  const { assertedGroups, attributes } = entry;
  let ofBinding = masks.binding;
  if (masks.hasNames && assertedGroups !== undefined) ofBinding = (text) => maskBinding(text, names, assertedGroups);
  const shown: DecisionEntry = {
    ...entry,
    subject: text('subject', entry.subject, names.subject, notes),
    object: text('object', entry.object, names.object, notes),
    binding: text('binding', entry.binding, ofBinding, notes),
    caller: text('caller', entry.caller, masks.caller, notes),
    traceId: text('trace_id', entry.traceId, masks.trace, notes),
    assertedGroups: groups(assertedGroups, masks.groups, notes),
    attributes:
      attributes === undefined || masks.attributes === undefined
        ? attributes
        : maskAttributes(attributes, masks.attributes, notes),
    path: undefined,
  };
  return { entry: shown, masked: notes.masked, path: path(entry.path?.resolve(), assertedGroups, masks, notes) };
}

function text(field: string, value: string, mask: Mask | undefined, notes: FieldNotes): string {
  return mask === undefined || value === '' ? value : notes.apply(field, value, mask, '');
}

function groups(given: readonly string[] | undefined, mask: Mask | undefined, notes: FieldNotes) {
  if (given === undefined || mask === undefined) return given;
  const shown = notes.apply('asserted_groups', given, (all) => all.map(mask).filter((name) => name !== undefined), []);
  return shown.length === 0 ? undefined : shown;
}

function path(
  found: Path | undefined,
  asserted: readonly string[] | undefined,
  masks: Masks,
  notes: FieldNotes,
): string {
  if (found === undefined) return '';
  const plain = JSON.stringify(toWrittenPath(found));
  // A condition may name what an attribute must be.
  if (!masks.hasNames && masks.attributes === undefined) return plain;
  return notes.apply('path', plain, () => JSON.stringify(maskPath(found, masks.names, asserted)), '');
}
