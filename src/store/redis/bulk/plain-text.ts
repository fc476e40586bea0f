/**
 * Reads what is plain in stored JSON without making strings of it: names and roles of printable ASCII without quotes,
 * backslashes or stars, which are nearly all. Whatever is not plain is somebody else's to judge, never an error here.
 */
import { maxIdBytes, maxRoleNameBytes, maxTypeLength } from '../../../model/limits.ts';

const typeStart = 1;
const typeRest = 2;
const idByte = 4;
const textByte = 8;
const quote = 0x22;
const colon = 0x3a;

/** By byte: what it may be part of. */
const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  const isText = byte >= 0x20 && byte < 0x7f && char !== '"' && char !== '\\';
  return (
    (/[A-Za-z]/.test(char) ? typeStart : 0) |
    (/[A-Za-z0-9_./-]/.test(char) ? typeRest : 0) |
    (isText && char !== '*' ? idByte : 0) |
    (isText ? textByte : 0)
  );
});

/**
 * The end of a name "type:id" that begins at a place and ends before a quote; -1 where there is no plain one. A plain
 * name is legal as subject, as object, and as the scope of one object.
 */
export function plainNameEnd(bytes: Uint8Array, start: number, limit: number): number {
  if (start >= limit || ((classes[bytes[start] as number] as number) & typeStart) === 0) return -1;
  let at = start + 1;
  while (at < limit && ((classes[bytes[at] as number] as number) & typeRest) !== 0) at++;
  if (at >= limit || bytes[at] !== colon || at - start > maxTypeLength) return -1;
  const id = at + 1;
  at = id;
  while (at < limit && ((classes[bytes[at] as number] as number) & idByte) !== 0) at++;
  return at < limit && bytes[at] === quote && at > id && at - id <= maxIdBytes ? at : -1;
}

/** The same for the name of a role. */
export function plainRoleEnd(bytes: Uint8Array, start: number, limit: number): number {
  let at = start;
  while (at < limit && ((classes[bytes[at] as number] as number) & textByte) !== 0) at++;
  return at < limit && bytes[at] === quote && at > start && at - start <= maxRoleNameBytes ? at : -1;
}

/** Whether these bytes stand at a place, before the limit. */
export function standsAt(bytes: Uint8Array, at: number, limit: number, text: Uint8Array): boolean {
  if (at + text.length > limit) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** Whether a stretch of bytes stands once more at another place, before the limit. */
export function repeatsAt(bytes: Uint8Array, at: number, limit: number, start: number, end: number): boolean {
  if (at + end - start > limit) return false;
  for (let i = start; i < end; i++) if (bytes[at + i - start] !== bytes[i]) return false;
  return true;
}

/**
 * The place behind a stretch of bytes that stands once more at a place, and behind a text that follows it; -1 where
 * they do not stand there, and where the place is -1 already.
 */
export function afterRepeat(
  bytes: Uint8Array,
  at: number,
  limit: number,
  start: number,
  end: number,
  then: Uint8Array,
): number {
  if (at < 0 || !repeatsAt(bytes, at, limit, start, end)) return -1;
  const next = at + end - start;
  return standsAt(bytes, next, limit, then) ? next + then.length : -1;
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
