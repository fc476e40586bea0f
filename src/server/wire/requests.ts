/**
 * Decodes Check, BatchCheck and StreamCheck requests straight into questions,
 * without the messages in between that generated code would make. A property
 * test holds it against protobuf-es. Called by the gRPC adapter only.
 */
import { fromBinary, toJson } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import type { Attributes } from '../../model/condition.ts';
import { messageOf, PosternError } from '../../model/errors.ts';
import { maxBatchChecks } from '../../model/limits.ts';
import type { Query } from '../../model/query.ts';
import {
  assertBatchSize,
  type BatchMode,
  type BatchQuestion,
  batchModeOf,
  type CheckQuestion,
  createQuery,
  itemPrefix,
  type QueryDraft,
  reachOf,
  unknownEnum,
  unknownField,
} from '../question.ts';
import { Reader, tag } from './reader.ts';

/** One message of a stream: its id in two halves, and the question or what is wrong with it. */
export interface StreamQuestion {
  readonly idLow: number;
  readonly idHigh: number;
  /** Undefined where the message held none. */
  readonly question: CheckQuestion | undefined;
  readonly problem: PosternError | undefined;
}

interface CheckDraft {
  readonly query: QueryDraft;
  tenant: string;
  atLeast: string;
}

/** @throws PosternError INVALID_REQUEST */
export function decodeCheckRequest(bytes: Buffer): CheckQuestion {
  const reader = new Reader(bytes, 'postern.v1.CheckRequest');
  const draft: CheckDraft = { query: createQuery(), tenant: '', atLeast: '' };
  readCheck(reader, reader.end, draft, '');
  if (reader.problem !== undefined) throw reader.problem;
  return draft;
}

/** @throws PosternError INVALID_REQUEST for bytes that are no message; what is wrong with the question is returned. */
export function decodeStreamCheckRequest(bytes: Buffer): StreamQuestion {
  const reader = new Reader(bytes, 'postern.v1.StreamCheckRequest');
  let idLow = 0;
  let idHigh = 0;
  let draft: CheckDraft | undefined;
  while (reader.pos < reader.end) {
    const field = reader.tag();
    if (field === streamId) {
      idLow = reader.varint();
      idHigh = reader.high;
    } else if (field === streamCheck) {
      draft ??= { query: createQuery(), tenant: '', atLeast: '' };
      readCheck(reader, reader.delimited(), draft, 'check.');
    } else refuseUnknown(reader, field, '');
  }
  return { idLow, idHigh, question: draft, problem: reader.problem };
}

/** @throws PosternError INVALID_REQUEST, TOO_MANY_CHECKS */
export function decodeBatchCheckRequest(bytes: Buffer): BatchQuestion {
  const reader = new Reader(bytes, 'postern.v1.BatchCheckRequest');
  const queries: Query[] = [];
  let tenant = '';
  let mode: BatchMode = 'each';
  let atLeast = '';
  while (reader.pos < reader.end) {
    const field = reader.tag();
    switch (field) {
      case batchChecks:
        // Nothing behind the limit is read.
        if (queries.length === maxBatchChecks) assertBatchSize(maxBatchChecks + 1);
        queries.push(readItem(reader, queries.length));
        break;
      case batchTenant:
        tenant = reader.string();
        break;
      case batchMode: {
        const wire = reader.enumeration();
        mode = batchModeOf(wire) ?? noteProblem(reader, unknownEnum('mode', wire), mode);
        break;
      }
      case batchAtLeast:
        atLeast = reader.string();
        break;
      default:
        refuseUnknown(reader, field, '');
    }
  }
  if (reader.problem !== undefined) throw reader.problem;
  assertBatchSize(queries.length);
  return { queries, tenant, mode, atLeast };
}

const streamId = tag(1, 0);
const streamCheck = tag(2, 2);
const batchChecks = tag(1, 2);
const batchTenant = tag(2, 2);
const batchMode = tag(3, 0);
const batchAtLeast = tag(4, 2);
const subject = tag(1, 2);
const action = tag(2, 2);
const object = tag(3, 2);
const checkTenant = tag(4, 2);
const checkReach = tag(5, 0);
const checkContext = tag(6, 2);
const checkAtLeast = tag(7, 2);
const itemReach = tag(4, 0);
const itemContext = tag(5, 2);
const assertedGroups = tag(1, 2);
const attributes = tag(2, 2);
const activeRoles = tag(3, 2);

function readCheck(reader: Reader, end: number, draft: CheckDraft, prefix: string): void {
  const outerEnd = reader.end;
  reader.end = end;
  const { query } = draft;
  while (reader.pos < end) {
    const field = reader.tag();
    if (field === subject) query.subject = reader.string();
    else if (field === action) query.action = reader.string();
    else if (field === object) query.object = reader.string();
    else if (field === checkTenant) draft.tenant = reader.string();
    else if (field === checkReach) readReach(reader, query, prefix);
    else if (field === checkContext) readContext(reader, query, prefix);
    else if (field === checkAtLeast) draft.atLeast = reader.string();
    else refuseUnknown(reader, field, prefix);
  }
  reader.end = outerEnd;
}

function readItem(reader: Reader, index: number): Query {
  const end = reader.delimited();
  const outerEnd = reader.end;
  reader.end = end;
  const query = createQuery();
  while (reader.pos < end) {
    const field = reader.tag();
    if (field === subject) query.subject = reader.string();
    else if (field === action) query.action = reader.string();
    else if (field === object) query.object = reader.string();
    else if (field === itemReach) readReach(reader, query, itemPrefix(index));
    else if (field === itemContext) readContext(reader, query, itemPrefix(index));
    else refuseUnknown(reader, field, itemPrefix(index));
  }
  reader.end = outerEnd;
  return query;
}

function readReach(reader: Reader, query: QueryDraft, prefix: string): void {
  const wire = reader.enumeration();
  query.reach = reachOf(wire) ?? noteProblem(reader, unknownEnum(`${prefix}reach`, wire), query.reach);
}

function readContext(reader: Reader, query: QueryDraft, prefix: string): void {
  const end = reader.delimited();
  const outerEnd = reader.end;
  reader.end = end;
  // A message that stands twice is merged: its lists are joined.
  const groups = [...query.assertedGroups];
  let roles: string[] | undefined;
  while (reader.pos < end) {
    const field = reader.tag();
    if (field === assertedGroups) groups.push(reader.string());
    else if (field === activeRoles) {
      roles ??= [...(query.activeRoles ?? [])];
      roles.push(reader.string());
    } else if (field === attributes) query.attributes = { ...query.attributes, ...readAttributes(reader, prefix) };
    else refuseUnknown(reader, field, `${prefix}context.`);
  }
  if (groups.length > 0) query.assertedGroups = groups;
  if (roles !== undefined) query.activeRoles = roles;
  reader.end = outerEnd;
}

/** Few questions have any, and JSON in protobuf is intricate: left to generated code. */
function readAttributes(reader: Reader, prefix: string): Attributes {
  try {
    return toJson(StructSchema, fromBinary(StructSchema, reader.embedded())) as Attributes;
  } catch (error) {
    const field = `${prefix}context.attributes`;
    const message = `${field} is not a JSON object: ${messageOf(error)}`;
    return noteProblem(reader, new PosternError('INVALID_CONTEXT', message, { field }), {});
  }
}

/** Reads on behind it, so that the rest is found to be a message or not. */
function refuseUnknown(reader: Reader, field: number, prefix: string): void {
  reader.skip(field);
  noteProblem(reader, unknownField(prefix, field >>> 3), undefined);
}

function noteProblem<T>(reader: Reader, problem: PosternError, value: T): T {
  reader.problem ??= problem;
  return value;
}
