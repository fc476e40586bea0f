/**
 * Types, ids, subjects, objects, actions, roles and tenants: what a legal name
 * is. Everything untrusted passes here once. Ids are case-sensitive and never
 * normalised; the first colon splits, so "type:id" itself is an unambiguous key.
 */
import { type ErrorCode, PosternError } from './errors.ts';
import { maxActionBytes, maxIdBytes, maxRoleNameBytes, maxTypeLength } from './limits.ts';

const typePattern = /^[A-Za-z][A-Za-z0-9_./-]*$/;
const tenantPattern = /^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$/;

/** The subject without an id: somebody who has not said who they are. */
export const anonymous = 'anonymous';
/** The principal that stands for everyone, anonymous included. */
export const everyone = '*';
/** The tenant where none is named. */
export const defaultTenant = 'default';

/** The type of "type:id"; the whole text where there is no colon. */
export function typeOf(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(0, colon);
}

/** The id of "type:id"; empty where there is no colon. */
export function idOf(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? '' : name.slice(colon + 1);
}

/** Whether the text is "type:*". */
export function isWildcard(text: string): boolean {
  return text.endsWith(':*') && text.indexOf(':') === text.length - 2;
}

/** Whether the text is a legal type, such as "app" or "arm.Compute/disks". */
export function isType(text: string): boolean {
  return text.length <= maxTypeLength && typePattern.test(text);
}

/** What is wrong with a subject of a question ("user:alice", "anonymous"), or undefined. */
export function problemOfSubject(text: string): string | undefined {
  if (text === anonymous) return undefined;
  return text === everyone || isWildcard(text) ? 'is a wildcard; name one subject' : problemOfName(text);
}

/** What is wrong with an object of a question ("doc:42"), or undefined. */
export function problemOfObject(text: string): string | undefined {
  return isWildcard(text) ? 'is a whole type; name one object' : problemOfName(text);
}

/** What is wrong with a subject of a binding or a member (wildcards are legal there), or undefined. */
export function problemOfPrincipal(text: string): string | undefined {
  return text === anonymous || text === everyone ? undefined : problemOfName(text);
}

/** Whether the text stands for somebody that only a creation can name. */
export function isHookSubject(text: string): text is 'creator' | 'created' {
  return text === 'creator' || text === 'created';
}

/** What is wrong with "type:id", or undefined. */
export function problemOfName(text: string): string | undefined {
  if (text === '') return 'is empty; write it as "type:id"';
  const colon = text.indexOf(':');
  if (colon < 0) return 'has no colon; write it as "type:id"';
  if (!isType(text.slice(0, colon))) {
    return `has a type that is not legal; a type is a letter, then up to ${maxTypeLength - 1} of A-Z a-z 0-9 _ . / -`;
  }
  return colon === text.length - 1 ? 'has an empty id' : problemOfText(text.slice(colon + 1), 'id', maxIdBytes);
}

/** What is wrong with an action, or undefined. */
export function problemOfAction(text: string): string | undefined {
  return problemOfText(text, 'action', maxActionBytes);
}

/** What is wrong with a role's name, or undefined. */
export function problemOfRoleName(text: string): string | undefined {
  return problemOfText(text, 'role name', maxRoleNameBytes);
}

/** What is wrong with a tenant's name, or undefined. */
export function problemOfTenant(text: string): string | undefined {
  return tenantPattern.test(text)
    ? undefined
    : 'is not legal; a tenant is 1 to 63 of a-z 0-9 _ . - and begins and ends with a letter or digit';
}

/** What is wrong with free text: its length in bytes, control characters, broken surrogates; or undefined. */
export function problemOfText(text: string, what: string, maxBytes: number): string | undefined {
  if (text === '') return 'is empty';
  // Only a text longer than a third of the limit can be over it: no UTF-16 unit takes more than 3 bytes.
  if (text.length * 3 > maxBytes && utf8Length(text) > maxBytes) return `has an ${what} of more than ${maxBytes} bytes`;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return `holds a control character at position ${i + 1}`;
  }
  return text.isWellFormed() ? undefined : 'holds half of a surrogate pair, which is not a character';
}

/** Returns the text if there is no problem; otherwise throws, naming the field and quoting the value. */
export function checked(text: string, problem: string | undefined, code: ErrorCode, field: string): string {
  if (problem === undefined) return text;
  throw new PosternError(code, `${field} ${quote(text)} ${problem}`, { field });
}

/** The text as JSON, shortened, so that control characters and length cannot spoil a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}
