/**
 * Changes as commit.lua takes them, and the message that followers get. A large
 * change set is encoded part by part, so that it is never in memory twice.
 */
import type { Change } from '../../model/change.ts';
import { type EntityRecord, entityKey } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';
import { checkBefore } from '../store.ts';

/** Some neighbouring changes of a change set. */
export interface Part {
  readonly count: number;
  /** Four texts for each change: "+kind", key, record, before; or "-kind", key, "", before. Without a before, "". */
  readonly words: readonly string[];
  /** The same changes as a JSON array. */
  toJson(): string;
}

/** Bounds of a part: one list push, one stream entry, one slice of Lua's memory. */
const maxPartChanges = 1000;
const maxPartLength = 256 * 1024;
/** Longest record, in characters of JSON: a bound against accidents, a thousand times what records are. */
const maxRecordLength = 16 * 1024 * 1024;

/** What a change set says of itself; "" is absent. */
export interface About {
  readonly at: number;
  readonly by: string;
  readonly via: string;
  readonly why: string;
}

const wordsPerChange = 4;

/** @throws PosternError LIMIT_EXCEEDED for a record that is too long; INTERNAL for a `before` that is another record */
export function* partsOf(changes: readonly Change[]): Generator<Part, void> {
  let words: string[] = [];
  let length = 0;
  for (const change of changes) {
    const [op, key, json, before] = wordsOf(change);
    const added = json.length + before.length;
    if (words.length > 0 && (words.length === maxPartChanges * wordsPerChange || length + added > maxPartLength)) {
      yield toPart(words);
      words = [];
      length = 0;
    }
    words.push(op, key, json, before);
    length += op.length + key.length + added;
  }
  if (words.length > 0) yield toPart(words);
}

/** The end of a message, after epoch and revision; see commit.lua. */
export function messageTail({ at, by, via, why }: About, changesJson: string): string {
  const texts = Object.entries({ by, via, why }).filter(([, text]) => text !== '');
  const about = texts.map(([field, text]) => `"${field}":${JSON.stringify(text)},`).join('');
  return `"at":${at},${about}"changes":${changesJson}}`;
}

function wordsOf(change: Change): readonly [string, string, string, string] {
  checkBefore(change);
  const before = change.before === undefined ? '' : jsonOfRecord(change.before);
  if (change.op === 'delete') return [`-${change.kind}`, change.key, '', before];
  return [`+${change.record.kind}`, entityKey(change.record), jsonOfRecord(change.record), before];
}

function jsonOfRecord(record: EntityRecord): string {
  const json = JSON.stringify(record);
  if (json.length > maxRecordLength) throw tooLong(record, json.length);
  return json;
}

function toPart(words: readonly string[]): Part {
  return { count: words.length / wordsPerChange, words, toJson: () => jsonOf(words) };
}

function jsonOf(words: readonly string[]): string {
  const changes: string[] = [];
  for (let i = 0; i < words.length; i += wordsPerChange) {
    const op = words[i] as string;
    const kind = JSON.stringify(op.slice(1));
    const before = words[i + 3] === '' ? '' : `,"before":${words[i + 3]}`;
    changes.push(
      op.startsWith('+')
        ? `{"op":"put","record":${words[i + 2]}${before}}`
        : `{"op":"delete","kind":${kind},"key":${JSON.stringify(words[i + 1])}${before}}`,
    );
  }
  return `[${changes.join(',')}]`;
}

function tooLong(record: EntityRecord, length: number): PosternError {
  return new PosternError(
    'LIMIT_EXCEEDED',
    `the ${record.kind} ${quote(entityKey(record))} is ${length} characters of JSON, more than ${maxRecordLength}`,
  );
}
