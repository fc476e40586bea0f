/**
 * A record as it is read back: one line of JSON, parsed strictly, because logs
 * are evidence and may have been edited. docs/decision-log.md describes the
 * keys. Keys that are not known here are left alone: a newer writer may add
 * some. Whether a record fits its chain is told by verify/, and not here.
 */
import { PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';

/** What every record says, of whatever kind. */
interface Common {
  readonly instance: string;
  readonly time: string;
  readonly tenant: string;
  /** Absent in logs that were written before lines were chained. */
  readonly hash?: string;
}

export interface DecisionRecord extends Common {
  readonly type?: undefined;
  readonly id: string;
  readonly seq: number;
  /** Absent where a mask dropped it. */
  readonly subject?: string;
  readonly action: string;
  /** Absent for a question about the tenant. */
  readonly object?: string;
  readonly allowed: boolean;
  /** Present where the mode made the answer another one. */
  readonly enforced_allowed?: boolean;
  readonly reason: string;
  /** [subject, role, scope, effect] or [subject, role, scope, effect, name]; null for what a mask dropped. */
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
  /** What Explain would have said. */
  readonly path?: Readonly<Record<string, unknown>>;
  /** The part of such decisions that is recorded: 0.01 is one in a hundred. */
  readonly sample_rate?: number;
  /** The names of the fields that are not as they were. */
  readonly masked?: readonly string[];
}

/** Stands for records that are not in the log. */
export interface GapRecord extends Common {
  readonly type: 'gap';
  /** The missing sequence numbers, both included. */
  readonly first: number;
  readonly last: number;
  readonly cause: string;
  /** With cause `refused`: the hash before the first line that is not there, and the hash of the last such line. */
  readonly from?: string;
  readonly through?: string;
}

/** A process begins to write. */
export interface StartRecord extends Common {
  readonly type: 'start';
  /** The number of the next decision. */
  readonly next: number;
  readonly after: 'nothing' | 'stop' | 'crash';
  /** Decisions of at most so many milliseconds before the crash may be lost. */
  readonly lost_ms?: number;
  /** How this process keeps its log: mode, sink, and what it leaves out or masks. */
  readonly log: Readonly<Record<string, unknown>>;
}

/** A process has ended in order. */
export interface StopRecord extends Common {
  readonly type: 'stop';
  /** The last number that was given; 0 for none. */
  readonly last: number;
}

/** Attests all lines of the chain up to here; signed where the process has a key. */
export interface SealRecord extends Common {
  readonly type: 'seal';
  /** The numbers since the seal before, both included; `first` is `last` + 1 where there are none. */
  readonly first: number;
  readonly last: number;
  /** How many lines since the seal before. */
  readonly lines: number;
  readonly key?: string;
  readonly signature?: string;
}

/** Somebody changed the role graph, or tried to. */
export interface ChangeRecord extends Common {
  readonly type: 'change';
  readonly id: string;
  readonly seq: number;
  readonly by: string;
  /** Who acted on behalf of `by`. */
  readonly via?: string;
  readonly why?: string;
  readonly caller?: string;
  readonly allowed: boolean;
  readonly error?: string;
  readonly revision?: string;
  readonly changes: readonly Readonly<Record<string, unknown>>[];
  readonly changes_omitted?: number;
}

export type LogRecord = DecisionRecord | GapRecord | StartRecord | StopRecord | SealRecord | ChangeRecord;

type Check = (value: unknown) => boolean;
type Checks = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 1;
const isTime: Check = (value) => typeof value === 'string' && timePattern.test(value);
const isUlid: Check = (value) => typeof value === 'string' && ulidPattern.test(value);
const isHash: Check = (value) => typeof value === 'string' && hashPattern.test(value);
/** Before the first line of a chain there is none. */
const isHashOrNone: Check = (value) => value === '' || isHash(value);
const isBinding: Check = (value) => Array.isArray(value) && (value.length === 4 || value.length === 5);
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isObjects: Check = (value) => Array.isArray(value) && value.every(isObject);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isRate: Check = (value) => typeof value === 'number' && value > 0 && value < 1;
const isOneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const hashPattern = /^[\w-]{43}$/;

interface Keys {
  readonly required: Checks;
  readonly optional: Checks;
}

function keysOf(required: Checks, optional: Checks = {}): Keys {
  const common: Checks = { instance: isText, time: isTime, tenant: isText };
  return { required: { ...common, ...required }, optional: { ...optional, hash: isHash } };
}

const ofDecision = keysOf(
  {
    id: isUlid,
    seq: isNumber,
    subject: isText,
    action: isText,
    allowed: isBoolean,
    reason: isText,
    revision: isText,
    mode: isText,
    source: isText,
  },
  {
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
    path: isObject,
    sample_rate: isRate,
    masked: isTexts,
  },
);

/** By the value of `type`. */
const ofTypes: Readonly<Record<string, Keys>> = {
  gap: keysOf({ first: isNumber, last: isNumber, cause: isText }, { from: isHashOrNone, through: isHash }),
  start: keysOf({ next: isNumber, after: isOneOf('nothing', 'stop', 'crash'), log: isObject }, { lost_ms: isCount }),
  stop: keysOf({ last: isCount }),
  seal: keysOf({ first: isNumber, last: isCount, lines: isCount }, { key: isText, signature: isText }),
  change: keysOf(
    { id: isUlid, seq: isNumber, by: isText, allowed: isBoolean, changes: isObjects },
    { via: isText, why: isText, caller: isText, error: isText, revision: isText, changes_omitted: isCount },
  ),
};

/** Every key that a record can have, for the tests that compare docs/decision-log.md. */
export const recordKeys: readonly string[] = namesOf(ofDecision);
export const gapKeys: readonly string[] = ['type', ...namesOf(ofTypes.gap as Keys)];
export const keysByType: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(ofTypes).map(([type, keys]) => [type, ['type', ...namesOf(keys)]]),
);

function namesOf({ required, optional }: Keys): readonly string[] {
  return [...Object.keys(required), ...Object.keys(optional)];
}

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
  const { type, first, last } = record;
  if (type === undefined) checkFields(line, record, ofDecision);
  else if (typeof type === 'string' && Object.hasOwn(ofTypes, type)) checkFields(line, record, ofTypes[type] as Keys);
  else throw corrupt(line, `has a type that is not known, ${quote(String(type))}`);
  // A seal of no numbers has a "last" that is one before its "first".
  const isRange = type === 'gap' || type === 'seal';
  if (isRange && (last as number) < (first as number) - (type === 'seal' ? 1 : 0)) {
    throw corrupt(line, 'has a "last" before its "first"');
  }
  return value as LogRecord;
}

function checkFields(line: string, record: Readonly<Record<string, unknown>>, { required, optional }: Keys): void {
  for (const key in required) {
    if (record[key] === undefined && !isMaskedAway(record, key)) throw corrupt(line, `has no "${key}"`);
    if (record[key] !== undefined && !(required[key] as Check)(record[key])) throw illegal(line, key);
  }
  for (const key in optional) {
    if (record[key] !== undefined && !(optional[key] as Check)(record[key])) throw illegal(line, key);
  }
}

/** Of what has to be there, a mask can drop the subject only. */
function isMaskedAway({ masked }: Readonly<Record<string, unknown>>, key: string): boolean {
  return key === 'subject' && Array.isArray(masked) && masked.includes(key);
}

function illegal(line: string, key: string): PosternError {
  return corrupt(line, `has a "${key}" that is not legal`);
}

function corrupt(line: string, problem: string): PosternError {
  return new PosternError('STORE_CORRUPT', `record ${quote(line)} ${problem}`);
}

/** The numbers that the chain stands at before a record and after it; -1 for both where a record does not tell. */
export function numbersAround(record: LogRecord): { readonly before: number; readonly after: number } {
  switch (record.type) {
    case 'gap':
      // What was refused is told later, when its numbers are past.
      return record.cause === 'refused' ? { before: -1, after: -1 } : { before: record.first - 1, after: record.last };
    case 'start':
      return { before: record.next - 1, after: record.next - 1 };
    case 'stop':
    case 'seal':
      return { before: record.last, after: record.last };
    default:
      return { before: record.seq - 1, after: record.seq };
  }
}
