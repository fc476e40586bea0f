/** Untrusted JSON to declared attributes. Called by parse-record.ts, whose promises it keeps. */
import { parseAttributeType, problemOfAttributeName } from './attribute-type.ts';
import type { AttributeRecord } from './entity.ts';
import { messageOf } from './errors.ts';
import { type Json, nameAt, noteAt, onlyFields } from './parse-fields.ts';

const attributeFields = new Set(['kind', 'name', 'type', 'description']);

/** @throws PosternError STORE_CORRUPT */
export function parseAttribute(from: Json, where: string): AttributeRecord {
  onlyFields(from, attributeFields, where, '');
  const description = noteAt(from, 'description', where);
  return {
    kind: 'attribute',
    name: nameAt(from, 'name', problemOfAttributeName, where),
    type: nameAt(from, 'type', problemOfType, where),
    ...(description === undefined ? {} : { description }),
  };
}

function problemOfType(text: string): string | undefined {
  try {
    parseAttributeType(text);
    return undefined;
  } catch (error) {
    return `is not legal: ${messageOf(error)}`;
  }
}
