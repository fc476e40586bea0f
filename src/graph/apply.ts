/** Changes to a snapshot make a new snapshot; the old one goes on answering as before. */
import type { Change, Revision } from '../model/change.ts';
import { Draft } from './draft.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The graph after the changes, sharing with the old one what they did not touch.
 * @throws PosternError INVALID_POLICY when a record does not compile; nothing has changed then
 */
export function applyChanges(snapshot: Snapshot, changes: readonly Change[], revision: Revision): Snapshot {
  const draft = new Draft(snapshot);
  draft.apply(changes);
  return draft.freeze(revision);
}
