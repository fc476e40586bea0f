/** Change sets of the history, and what a commit did, to messages. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RecordChange } from '../../admin/api.ts';
import type { ChangeSetSchema, RecordChangeSchema } from '../../gen/postern/v1/policy_pb.ts';
import { sameData } from '../../graph/diff.ts';
import { areSeenAlike } from '../../model/attribute-type.ts';
import { type Change, type ChangeSet, formatRevision } from '../../model/change.ts';
import { type BindingRecord, type EntityRecord, recordOfKey } from '../../model/entity.ts';
import { describeRecordChange } from '../../policy-file/diff-text.ts';
import { fromInstant } from './instants.ts';
import { fromRecord } from './records.ts';

export function fromRecordChange({ before, after, widens }: RecordChange): MessageInitShape<typeof RecordChangeSchema> {
  return {
    ...(before === undefined ? {} : { before: fromRecord(before) }),
    ...(after === undefined ? {} : { after: fromRecord(after) }),
    summary: describeRecordChange(before, after),
    widens,
  };
}

export function fromChangeSet(changeSet: ChangeSet): MessageInitShape<typeof ChangeSetSchema> {
  const { revision, changes, at, by = '', why = '', via = '' } = changeSet;
  return {
    revision: formatRevision(revision),
    changes: changes.map((change) => fromRecordChange(toRecordChange(change))),
    at: fromInstant(at),
    by,
    why,
    via,
  };
}

function toRecordChange(change: Change): RecordChange {
  const after = change.op === 'put' ? change.record : undefined;
  // At least its identity: without it, whoever watches could not tell what was deleted.
  const before = change.before ?? (change.op === 'delete' ? recordOfKey(change.kind, change.key) : undefined);
  return { before, after, widens: mayWiden(before, after) };
}

/**
 * Whether somebody may have gained access by a change, as far as the two records alone can tell: history has no graph
 * to ask. What a commit answers is exact.
 */
function mayWiden(before: EntityRecord | undefined, after: EntityRecord | undefined): boolean {
  switch ((after ?? before)?.kind) {
    case 'binding':
      return widensBinding(before as BindingRecord | undefined, after as BindingRecord | undefined);
    case 'role':
      return after?.kind === 'role' && (before?.kind !== 'role' || !sameGrants(before, after));
    case 'object':
      return after?.kind === 'object' && before?.kind === 'object' && !sameData(before.parents, after.parents);
    case 'settings':
      return after?.kind === 'settings' && after.mode !== 'enforce';
    case 'member':
    case 'hook':
      return after !== undefined;
    case 'constraint':
      return before !== undefined;
    case 'attribute':
      return !areSeenAlike(typeOfAttribute(before), typeOfAttribute(after));
    default:
      return false;
  }
}

function typeOfAttribute(record: EntityRecord | undefined): string | undefined {
  return record?.kind === 'attribute' ? record.type : undefined;
}

function widensBinding(before: BindingRecord | undefined, after: BindingRecord | undefined): boolean {
  const [wider, narrower] = (after ?? before)?.effect === 'deny' ? [before, after] : [after, before];
  if (wider === undefined) return false;
  if (narrower === undefined) return true;
  const limits = ({ expiresAt, condition, cascade }: BindingRecord) => ({ expiresAt, condition, cascade });
  return !sameData(limits(wider), limits(narrower));
}

function sameGrants(a: EntityRecord & { kind: 'role' }, b: EntityRecord & { kind: 'role' }): boolean {
  const grants = ({ permissions, except = [], includes = [] }: typeof a) => ({ permissions, except, includes });
  return sameData(grants(a), grants(b));
}
