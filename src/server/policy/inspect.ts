/**
 * What holds for every field of every request, whatever it means: this version knows it. That its text is text, the
 * codecs of both transports see to.
 */
import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import type { Problems } from './problems.ts';

/**
 * Finds what the message holds that nobody here would look at. A field that this version does not know could be one
 * that narrows what is asked for, so it is refused, as an unknown key of JSON is.
 * @param prefix The path of the message, with a dot at its end; empty for a request.
 */
export function inspect(desc: DescMessage, message: Message, prefix: string, problems: Problems): void {
  const [unknown] = message.$unknown ?? [];
  if (unknown !== undefined) {
    const where = prefix === '' ? 'the request' : prefix.slice(0, -1);
    problems.add(where, `holds field number ${unknown.no}, which this version does not know; leave it out, or upgrade`);
  }
  for (const field of desc.fields) {
    if (field.message === undefined) continue;
    const value = fieldOf(field, message);
    if (Array.isArray(value)) {
      for (const [i, element] of (value as readonly Message[]).entries()) {
        inspect(field.message, element, `${prefix}${field.name}[${i}].`, problems);
      }
    } else if (value !== undefined) inspect(field.message, value as Message, `${prefix}${field.name}.`, problems);
  }
}

function fieldOf(field: DescField, message: Message): unknown {
  const fields = message as unknown as Readonly<Record<string, unknown>>;
  if (field.oneof === undefined) return fields[field.localName];
  const chosen = fields[field.oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}
