/**
 * Masks of single values: what becomes of an id, a text or an attribute. Each
 * returns what may be shown, or undefined where nothing may. What has a form
 * that a mask was not made for is thrown out by throwing; masked.ts drops the
 * field then. Never returns a value unmasked because it did not know better.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import type { AttributeValue } from '../../model/condition.ts';
import { anonymous, everyone, isWildcard, typeOf } from '../../model/names.ts';
import type { MaskKind } from './mask-rules.ts';
import { remembering } from './recent.ts';

/** 132 bits of a text, as 22 characters. */
export type Digest = (text: string) => string;

/** Returns what may be shown of a text; undefined: nothing. @throws Error for a text of an unexpected form */
export type Mask = (text: string) => string | undefined;

const digestCharacters = 22;
const ellipsis = '…';

/** HMAC-SHA-256 under a key. Equal texts have equal digests, whatever field they are in. */
export function createDigest(key: Buffer): Digest {
  const secret = createSecretKey(key);
  return remembering((text) =>
    createHmac('sha256', secret).update(text).digest('base64url').slice(0, digestCharacters),
  );
}

/** Tells keys apart without telling them: hashes of two instances are comparable where their keys have one name. */
export function nameOfKey(key: Buffer): string {
  return createDigest(key)('the name of this key').slice(0, 8);
}

/** For "type:id": the type is kept, and what is no id: wildcards, and the subject that has none. */
export function nameMask(mask: MaskKind, digest: Digest): Mask {
  if (mask.kind === 'drop') return () => undefined;
  const maskId =
    mask.kind === 'truncate'
      ? (name: string, type: string) => truncated(name.slice(type.length + 1), mask.length)
      : (name: string) => hashed(name, digest);
  return (name) => {
    if (name === anonymous || name === everyone || isWildcard(name)) return name;
    const type = typeOf(name);
    if (type === name || type === '') throw new Error('a name without a type');
    return `${type}:${maskId(name, type)}`;
  };
}

/** For a text that has no type. */
export function textMask(mask: MaskKind, digest: Digest): Mask {
  if (mask.kind === 'drop') return () => undefined;
  if (mask.kind === 'truncate') return (text) => truncated(text, mask.length);
  return (text) => hashed(text, digest);
}

/** For who called: the port, which is another one for each connection, is not part of what is hashed. */
export function callerMask(mask: MaskKind, digest: Digest): Mask {
  const maskText = textMask(mask, digest);
  return (caller) => (caller === 'unix' && mask.kind !== 'drop' ? caller : maskText(withoutPort(caller)));
}

/** For an attribute, undefined where nothing may be shown. @throws Error for one that the mask was not made for, such as a map */
export function attributeMask(mask: MaskKind, digest: Digest): (value: AttributeValue) => AttributeValue | undefined {
  if (mask.kind === 'keep') return (value) => value;
  if (mask.kind === 'drop') return () => undefined;
  const maskText = textMask(mask, digest);
  const maskOne = (value: AttributeValue): AttributeValue => {
    if (typeof value === 'string') return maskText(value) as string;
    if (mask.kind === 'hash' && (typeof value === 'number' || typeof value === 'boolean')) {
      return maskText(String(value)) as string;
    }
    throw new Error(`a value that ${mask.kind} was not made for`);
  };
  return (value) => (Array.isArray(value) ? value.map(maskOne) : maskOne(value));
}

function hashed(text: string, digest: Digest): string {
  if (typeof text !== 'string') throw new Error('not a text');
  const hash = digest(text);
  if (hash === '') throw new Error('no digest');
  return `hmac-${hash}`;
}

/** By code points: half of a surrogate pair is not a character. */
function truncated(text: string, length: number): string {
  const points = [...text];
  return points.length <= length ? text : points.slice(0, length).join('') + ellipsis;
}

/** "10.0.0.1:5" and "[::1]:5"; an address of IPv6 without brackets has no port. */
function withoutPort(caller: string): string {
  const [, host] = /^([^:]*|\[.*\]):[0-9]+$/.exec(caller) ?? [];
  return host ?? caller;
}
