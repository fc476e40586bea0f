/**
 * What is masked in records, as an operator writes it: "subject=hash",
 * "attributes.ip=truncate:4". Called once, at start, by the parser of options
 * and by content.ts.
 */
import { PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';

/** Fields that can be masked; attributes one by one beside them, see MaskRules. */
const maskedFields = ['subject', 'object', 'caller', 'trace_id', 'asserted_groups', 'attributes'] as const;
export type MaskedField = (typeof maskedFields)[number];

export type MaskKind =
  | { readonly kind: 'drop' }
  | { readonly kind: 'hash' }
  /** Leaves so many characters, counted as code points. */
  | { readonly kind: 'truncate'; readonly length: number }
  /** As it is, where the other attributes are masked. */
  | { readonly kind: 'keep' };

export interface MaskRules {
  readonly fields: ReadonlyMap<MaskedField, MaskKind>;
  /** By the name of the attribute; what is not named here is masked as `attributes` are. */
  readonly attributes: ReadonlyMap<string, MaskKind>;
}

const attributePrefix = 'attributes.';

/** @throws PosternError INVALID_OPTION */
export function parseMaskRules(texts: readonly string[]): MaskRules {
  const fields = new Map<MaskedField, MaskKind>();
  const attributes = new Map<string, MaskKind>();
  for (const text of texts) {
    const { field, mask } = parseMaskRule(text);
    const isTwice = field.startsWith(attributePrefix)
      ? !addNew(attributes, field.slice(attributePrefix.length), mask)
      : !addNew(fields, field as MaskedField, mask);
    if (isTwice) throw new PosternError('INVALID_OPTION', `the mask of ${quote(field)} is given twice`);
  }
  if (!fields.has('attributes')) {
    for (const [name, { kind }] of attributes) {
      if (kind !== 'keep') continue;
      const message = `attributes.${name}=keep says nothing where the other attributes are not masked; add attributes=drop`;
      throw new PosternError('INVALID_OPTION', message);
    }
  }
  return { fields, attributes };
}

/** Whether a rule needs the key of --decision-log-mask-key-file. */
export function needsKey({ fields, attributes }: MaskRules): boolean {
  return [...fields.values(), ...attributes.values()].some(({ kind }) => kind === 'hash');
}

/** @throws PosternError INVALID_OPTION */
export function parseMaskRule(text: string): { readonly field: string; readonly mask: MaskKind } {
  // From behind: the name of an attribute may hold the sign.
  const equals = text.lastIndexOf('=');
  const field = text.slice(0, Math.max(equals, 0));
  const isAttribute = field.startsWith(attributePrefix) && field.length > attributePrefix.length;
  if (!isAttribute && !maskedFields.includes(field as MaskedField)) {
    const known = `${maskedFields.join(', ')} and attributes.<name>`;
    throw new PosternError('INVALID_OPTION', `${quote(text)} is not field=mask; the fields are ${known}`);
  }
  const mask = parseKind(text.slice(equals + 1));
  if (mask === undefined || (mask.kind === 'keep' && !isAttribute)) {
    const known = 'drop, hash, truncate:N and, for attributes.<name>, keep';
    throw new PosternError('INVALID_OPTION', `${quote(text)} has no mask that is known; those are ${known}`);
  }
  return { field, mask };
}

function parseKind(text: string): MaskKind | undefined {
  if (text === 'drop' || text === 'hash' || text === 'keep') return { kind: text };
  const match = /^truncate:([0-9]{1,4})$/.exec(text);
  return match === null ? undefined : { kind: 'truncate', length: Number(match[1]) };
}

function addNew<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): boolean {
  if (map.has(key)) return false;
  map.set(key, value);
  return true;
}
