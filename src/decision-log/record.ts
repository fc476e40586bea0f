/**
 * A record as it is read back: one line of JSON, parsed strictly, because logs
 * are evidence and may have been edited. docs/decision-log.md describes the
 * keys. Keys that are not known here are left alone: a newer writer may add some.
 */
import { PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';

export interface DecisionRecord {
  readonly type?: undefined;
  readonly id: string;
  readonly instance: string;
  readonly seq: number;
  readonly time: string;
  readonly tenant: string;
  readonly subject: string;
  readonly action: string;
  /** Absent for a question about the tenant. */
  readonly object?: string;
  readonly allowed: boolean;
  /** Present where the mode made the answer another one. */
  readonly enforced_allowed?: boolean;
  readonly reason: string;
  /** [subject, role, scope, effect] or [subject, role, scope, effect, name]. */
  readonly binding?: readonly unknown[];
  readonly revision: string;
  readonly mode: string;
  readonly source: string;
  readonly caller?: string;
  readonly trace_id?: string;
  readonly reach?: string;
  readonly asserted_groups?: readonly string[];
  readonly active_roles?: readonly string[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly results?: number;
  readonly data_age_ms?: number;
}

/** Stands for records that are not in the log. */
export interface GapRecord {
  readonly type: 'gap';
  readonly instance: string;
  readonly time: string;
  readonly tenant: string;
  /** The missing sequence numbers, both included. */
  readonly first: number;
  readonly last: number;
  readonly cause: string;
}

export type LogRecord = DecisionRecord | GapRecord;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 1;
const isTime: Check = (value) => typeof value === 'string' && timePattern.test(value);
const isUlid: Check = (value) => typeof value === 'string' && ulidPattern.test(value);
const isBinding: Check = (value) => Array.isArray(value) && (value.length === 4 || value.length === 5);
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

const common: Readonly<Record<string, Check>> = { instance: isText, time: isTime, tenant: isText };
const ofDecision: Readonly<Record<string, Check>> = {
  ...common,
  id: isUlid,
  seq: isNumber,
  subject: isText,
  action: isText,
  allowed: isBoolean,
  reason: isText,
  revision: isText,
  mode: isText,
  source: isText,
};
const optionalOfDecision: Readonly<Record<string, Check>> = {
  object: isText,
  enforced_allowed: isBoolean,
  binding: isBinding,
  caller: isText,
  trace_id: isText,
  reach: isText,
  asserted_groups: isTexts,
  active_roles: isTexts,
  attributes: isObject,
  results: isCount,
  data_age_ms: isCount,
};
const ofGap: Readonly<Record<string, Check>> = { ...common, first: isNumber, last: isNumber, cause: isText };

/** Every key that a record can have, for the test that compares docs/decision-log.md. */
export const recordKeys: readonly string[] = [...Object.keys(ofDecision), ...Object.keys(optionalOfDecision)];
export const gapKeys: readonly string[] = ['type', ...Object.keys(ofGap)];

/**
 * Parses one line of a log.
 * @throws PosternError STORE_CORRUPT, saying what is wrong with the line
 */
export function parseRecord(line: string): LogRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw corrupt(line, 'is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt(line, 'is not a JSON object');
  const record = value as Readonly<Record<string, unknown>>;
  if (record.type === 'gap') {
    checkFields(line, record, ofGap, {});
    if ((record.last as number) < (record.first as number)) throw corrupt(line, 'has a "last" before its "first"');
    return value as GapRecord;
  }
  if (record.type !== undefined) throw corrupt(line, `has a type that is not known, ${quote(String(record.type))}`);
  checkFields(line, record, ofDecision, optionalOfDecision);
  return value as DecisionRecord;
}

function checkFields(
  line: string,
  record: Readonly<Record<string, unknown>>,
  required: Readonly<Record<string, Check>>,
  optional: Readonly<Record<string, Check>>,
): void {
  for (const key in required) {
    if (record[key] === undefined) throw corrupt(line, `has no "${key}"`);
    if (!(required[key] as Check)(record[key])) throw corrupt(line, `has a "${key}" that is not legal`);
  }
  for (const key in optional) {
    if (record[key] !== undefined && !(optional[key] as Check)(record[key])) {
      throw corrupt(line, `has a "${key}" that is not legal`);
    }
  }
}

function corrupt(line: string, problem: string): PosternError {
  return new PosternError('STORE_CORRUPT', `record ${quote(line)} ${problem}`);
}
