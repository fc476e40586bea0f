/**
 * Changes as commit.lua takes them, and the message that followers get. A large
 * change set is encoded part by part, so that it is never in memory twice.
 */
import type { Change } from '../../model/change.ts';
import { type EntityRecord, entityKey } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';

/** Some neighbouring changes of a change set. */
export interface Part {
  readonly count: number;
  /** Three texts for each change: "+kind", key, record; or "-kind", key, "". */
  readonly words: readonly string[];
  /** The same changes as a JSON array. */
  toJson(): string;
}

/** Bounds of a part: one list push, one stream entry, one slice of Lua's memory. */
const maxPartChanges = 1000;
const maxPartLength = 256 * 1024;
/** Longest record, in characters of JSON: a bound against accidents, a thousand times what records are. */
const maxRecordLength = 16 * 1024 * 1024;

/** @throws PosternError LIMIT_EXCEEDED for a record that is too long */
export function* partsOf(changes: readonly Change[]): Generator<Part, void> {
  let words: string[] = [];
  let length = 0;
  for (const change of changes) {
    const [op, key, json] = wordsOf(change);
    if (words.length > 0 && (words.length === maxPartChanges * 3 || length + json.length > maxPartLength)) {
      yield toPart(words);
      words = [];
      length = 0;
    }
    words.push(op, key, json);
    length += op.length + key.length + json.length;
  }
  if (words.length > 0) yield toPart(words);
}

/** The end of a message, after epoch and revision; see commit.lua. */
export function messageTail(at: number, by: string, why: string, changesJson: string): string {
  const about = `${by === '' ? '' : `"by":${JSON.stringify(by)},`}${why === '' ? '' : `"why":${JSON.stringify(why)},`}`;
  return `"at":${at},${about}"changes":${changesJson}}`;
}

function wordsOf(change: Change): readonly [string, string, string] {
  if (change.op === 'delete') return [`-${change.kind}`, change.key, ''];
  const json = JSON.stringify(change.record);
  if (json.length > maxRecordLength) throw tooLong(change.record, json.length);
  return [`+${change.record.kind}`, entityKey(change.record), json];
}

function toPart(words: readonly string[]): Part {
  return { count: words.length / 3, words, toJson: () => jsonOf(words) };
}

function jsonOf(words: readonly string[]): string {
  const changes: string[] = [];
  for (let i = 0; i < words.length; i += 3) {
    const op = words[i] as string;
    const kind = JSON.stringify(op.slice(1));
    changes.push(
      op.startsWith('+')
        ? `{"op":"put","record":${words[i + 2]}}`
        : `{"op":"delete","kind":${kind},"key":${JSON.stringify(words[i + 1])}}`,
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
