/** What does not compile, with the record that it is in: whoever mends a store has to find it. Used wherever records become a graph. */
import { type EntityRecord, entityKey } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';

/** Longest identity that is shown whole. */
const shownLength = 300;

/** The same error, naming the record; as it is where it is not about what a record says. */
export function namingRecord(record: EntityRecord, error: unknown): unknown {
  if (!(error instanceof PosternError) || error.code !== 'INVALID_POLICY') return error;
  const { message, metadata, problems } = error;
  const key = entityKey(record);
  const shown = key.length > shownLength ? `${key.slice(0, shownLength)}...` : key;
  const where = `${record.kind} ${shown}`;
  return new PosternError(
    'INVALID_POLICY',
    `the ${where} does not compile: ${message}`,
    { ...metadata, where },
    undefined,
    problems,
  );
}
