/** Changes as callers ask for them: messages to what administration takes. */
import type { Creation, Removal, RequestedChange } from '../../admin/api.ts';
import {
  type Change,
  type Creation as CreationMessage,
  type Record as RecordMessage,
  RecordSchema,
  type Removal as RemovalMessage,
} from '../../gen/postern/v1/policy_pb.ts';
import {
  type EntityKind,
  type EntityRecord,
  entityKey,
  type GroupRecord,
  type ObjectRecord,
} from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { maxChangesPerRequest } from '../../model/limits.ts';
import { problemOfName, problemOfObject, quote } from '../../model/names.ts';
import { compact, optional, parentsDraft, type RecordCase, toDraft } from './drafts.ts';
import { leastRecords, parseDraft } from './parse-draft.ts';
import { createProblems, type Problems } from './problems.ts';

/**
 * Those without a problem; there is one for each of the others.
 * @throws PosternError LIMIT_EXCEEDED where there are too many
 */
export function toChanges(changes: readonly Change[], problems: Problems): readonly RequestedChange[] {
  if (changes.length > maxChangesPerRequest) {
    throw new PosternError(
      'LIMIT_EXCEEDED',
      `changes holds ${changes.length}, more than ${maxChangesPerRequest}; send them in several requests`,
      { field: 'changes', limit: String(maxChangesPerRequest) },
    );
  }
  if (changes.length === 0) problems.add('changes', 'is empty; send at least one change');
  return changes.flatMap((change, i) => toChange(change, `changes[${i}]`, problems) ?? []);
}

function toChange({ change }: Change, path: string, problems: Problems): RequestedChange | undefined {
  switch (change.case) {
    case 'put': {
      const record = toRecord(change.value, `${path}.put`, problems);
      return record === undefined ? undefined : { op: 'put', record };
    }
    case 'delete': {
      const record = toIdentity(change.value, `${path}.delete`, problems);
      return record === undefined ? undefined : { op: 'delete', kind: record.kind, key: entityKey(record) };
    }
    case 'create':
      return toCreation(change.value, `${path}.create`, problems);
    case 'remove':
      return toRemoval(change.value, `${path}.remove`, problems);
    default:
      problems.add(`${path}.change`, 'is not set; set put, delete, create or remove');
      return undefined;
  }
}

/** The record in canonical form; undefined where it has problems, which begin with the path. */
export function toRecord(message: RecordMessage, path: string, problems: Problems): EntityRecord | undefined {
  const record = caseOf(message, path, problems);
  if (record === undefined) return undefined;
  const own = `${path}.${record.case}`;
  const before = problems.count;
  const parsed = parseDraft(toDraft(record, own, problems), own, problems);
  return problems.count === before ? parsed : undefined;
}

const identities: Readonly<Record<EntityKind, readonly string[]>> = {
  settings: [],
  type: ['name'],
  attribute: ['name'],
  role: ['name'],
  group: ['group'],
  member: ['group', 'member'],
  object: ['object'],
  binding: ['subject', 'role', 'scope', 'effect', 'name'],
  hook: ['type'],
  constraint: ['name'],
};

/** A record of the same identity: nothing else of the message is looked at. */
function toIdentity(message: RecordMessage, path: string, problems: Problems): EntityRecord | undefined {
  const record = caseOf(message, path, problems);
  if (record === undefined) return undefined;
  const kind = record.case;
  const own = `${path}.${kind}`;
  const its = createProblems();
  const draft = toDraft(record, own, its);
  const looked = its.kept.filter(({ field }) => identities[kind].some((each) => field === `${own}.${each}`));
  const identity = Object.fromEntries(identities[kind].map((field) => [field, draft[field]]));
  const parsed = parseDraft(compact({ ...leastRecords[kind], ...identity }), own, problems);
  for (const { field, message: problem } of looked) problems.add(field, problem);
  return looked.length === 0 ? parsed : undefined;
}

function caseOf({ record }: RecordMessage, path: string, problems: Problems): RecordCase | undefined {
  if (record.case !== undefined) return record;
  const cases = RecordSchema.fields.map(({ name }) => name).join(', ');
  problems.add(`${path}.record`, `is not set; set one of ${cases}`);
  return undefined;
}

function toCreation(message: CreationMessage, path: string, problems: Problems): Creation | undefined {
  const { object, parents, description } = message;
  const before = problems.count;
  const problem = problemOfObject(object);
  if (problem !== undefined) problems.add(`${path}.object`, `${quote(object)} ${problem}`);
  else if (description !== '' && !object.startsWith('group:')) {
    problems.add(`${path}.description`, 'is for groups only; leave it out');
  }
  // What an object and a group say of themselves is judged as in their records.
  const edges = parseDraft({ ...leastRecords.object, parents: parentsDraft(parents) }, path, problems);
  const words = parseDraft(compact({ ...leastRecords.group, description: optional(description) }), path, problems);
  if (problems.count > before) return undefined;
  return {
    op: 'create',
    object,
    ...((edges as ObjectRecord).parents === undefined ? {} : { parents: (edges as ObjectRecord).parents ?? [] }),
    ...((words as GroupRecord).description === undefined ? {} : { description }),
  };
}

function toRemoval({ object }: RemovalMessage, path: string, problems: Problems): Removal | undefined {
  const problem = problemOfName(object);
  if (problem === undefined) return { op: 'remove', object };
  problems.add(`${path}.object`, `${quote(object)} ${problem}`);
  return undefined;
}
