/**
 * The types that attributes of a query may be declared to have: their texts, and whether a JSON value is of one.
 * Pure; what CEL makes of a value is condition/values.ts's.
 */
import type { AttributeType, AttributeValue, PlainType } from './condition.ts';
import { PosternError } from './errors.ts';
import { maxAttributeNameBytes, maxAttributeTypeLength } from './limits.ts';
import { problemOfText, quote } from './names.ts';

const plainTypes: readonly PlainType[] = ['string', 'bool', 'int', 'double', 'timestamp', 'map', 'dyn'];

/** @param text "string", "list(string)". @throws PosternError INVALID_POLICY */
export function parseAttributeType(text: string): AttributeType {
  const type = text.length > maxAttributeTypeLength ? undefined : typeOfText(text);
  if (type !== undefined) return type;
  const known = `${plainTypes.slice(0, -1).join(', ')}, ${plainTypes.at(-1)} (anything)`;
  throw new PosternError(
    'INVALID_POLICY',
    `attribute type ${quote(text)} is not known; there are ${known}, and list(<type>)`,
  );
}

function typeOfText(text: string): AttributeType | undefined {
  const plain = plainTypes.find((type) => type === text);
  if (plain !== undefined || !text.startsWith('list(') || !text.endsWith(')')) return plain;
  const list = typeOfText(text.slice('list('.length, -1));
  return list === undefined ? undefined : { list };
}

export function formatAttributeType(type: AttributeType): string {
  return typeof type === 'string' ? type : `list(${formatAttributeType(type.list)})`;
}

/**
 * Whether conditions see values of the one type as other values than those of the other: ints and instants are given to
 * them as such, all else as it was sent. Absence is an attribute that is not declared.
 */
export function areSeenAlike(before: string | undefined, after: string | undefined): boolean {
  const seen = (type = 'dyn') => (/int|timestamp/.test(type) ? type : 'dyn');
  return seen(before) === seen(after);
}

/** What is wrong with the name of an attribute, or undefined: any text will do, `context["x-forwarded-for"]` names it. */
export function problemOfAttributeName(text: string): string | undefined {
  return problemOfText(text, 'attribute name', maxAttributeNameBytes);
}

/** A value that is not of its type, and where in the attribute it is. */
export interface Mismatch {
  /** "", "[3]", "[3][0]". */
  readonly path: string;
  readonly value: AttributeValue;
  readonly type: PlainType | 'list';
}

/** The first part of a value that is not of the declared type, or undefined. */
export function findMismatch(value: AttributeValue, type: AttributeType): Mismatch | undefined {
  if (typeof type === 'string') return isOfType(value, type) ? undefined : { path: '', value, type };
  if (!Array.isArray(value)) return { path: '', value, type: 'list' };
  for (let i = 0; i < value.length; i++) {
    const mismatch = findMismatch(value[i] as AttributeValue, type.list);
    if (mismatch !== undefined) return { ...mismatch, path: `[${i}]${mismatch.path}` };
  }
  return undefined;
}

/** What JSON a type is sent as, for a message. */
export const jsonForms: Readonly<Record<PlainType | 'list', string>> = {
  string: 'text',
  bool: 'true or false',
  int: 'a whole number between -(2^53 - 1) and 2^53 - 1',
  double: 'a number',
  timestamp: 'an instant as RFC 3339 text with an offset, such as "2027-01-01T00:00:00Z"',
  map: 'an object',
  dyn: 'anything',
  list: 'a list',
};

function isOfType(value: AttributeValue, type: PlainType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return Number.isSafeInteger(value);
    case 'double':
      return typeof value === 'number';
    case 'timestamp':
      return typeof value === 'string' && isInstant(value);
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'dyn':
      return true;
  }
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[+-](\d\d):(\d\d))$/;
const firstMs = -62_135_596_800_000;
const lastMs = 253_402_300_799_999;

/** Whether a text is an instant of the years 1 to 9999: exactly what a protobuf Timestamp takes as JSON, and a real day. */
function isInstant(text: string): boolean {
  const match = rfc3339.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offHour = 0, offMinute = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 || offHour > 23 || offMinute > 59)
    return false;
  // The calendar repeats every 400 years, and Date.UTC takes two-digit years for those of 1900.
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) return false;
  const ms = Date.parse(text);
  return ms >= firstMs && ms <= lastMs;
}
