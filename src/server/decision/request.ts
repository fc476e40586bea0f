/**
 * Generated messages to questions: for every RPC over HTTP, and over gRPC for
 * those whose requests are decoded by generated code.
 */

import type { Message } from '@bufbuild/protobuf';
import type { QueryContext } from '../../gen/postern/v1/decision_pb.ts';
import type {
  BatchCheckRequest,
  CheckRequest,
  ListActionsRequest,
  ListObjectsRequest,
  ListSubjectsRequest,
} from '../../gen/postern/v1/decision_service_pb.ts';
import type { Attributes } from '../../model/condition.ts';
import { PosternError } from '../../model/errors.ts';
import type { Query, Reach } from '../../model/query.ts';
import {
  assertBatchSize,
  type BatchQuestion,
  batchModeOf,
  type CheckQuestion,
  createQuery,
  itemPrefix,
  type ListActionsQuestion,
  type ListObjectsQuestion,
  type ListSubjectsQuestion,
  reachOf,
  unknownEnum,
  unknownField,
} from '../question.ts';

/** What Check and the items of a batch have in common. */
interface Questioned extends Pick<Message, '$unknown'> {
  readonly subject: string;
  readonly action: string;
  readonly object: string;
  readonly reach: number;
  readonly context?: QueryContext | undefined;
}

/** @throws PosternError INVALID_REQUEST, as every function here, for a field or an enum number that is not known. */
export function toCheckQuestion(request: CheckRequest, prefix = ''): CheckQuestion {
  return { query: toQuery(request, prefix), tenant: request.tenant, atLeast: request.atLeast };
}

/** The question inside another message. @throws PosternError INVALID_REQUEST where there is none. */
export function toInnerQuestion(
  outer: Pick<Message, '$unknown'> & { readonly check?: CheckRequest | undefined },
): CheckQuestion {
  assertKnown(outer, '');
  if (outer.check === undefined) throw missingCheck();
  return toCheckQuestion(outer.check, 'check.');
}

/** The error for a message whose `check` is not set. */
export function missingCheck(): PosternError {
  return new PosternError('INVALID_REQUEST', 'check is not set; put the question there', { field: 'check' });
}

/** @throws PosternError TOO_MANY_CHECKS also */
export function toBatchQuestion(request: BatchCheckRequest): BatchQuestion {
  assertKnown(request, '');
  assertBatchSize(request.checks.length);
  const mode = batchModeOf(request.mode);
  if (mode === undefined) throw unknownEnum('mode', request.mode);
  const queries = request.checks.map((item, index) => toQuery(item, itemPrefix(index)));
  return { queries, mode, tenant: request.tenant, atLeast: request.atLeast };
}

export function toListObjectsQuestion(request: ListObjectsRequest): ListObjectsQuestion {
  const { tenant, atLeast, type, pageSize, pageToken } = request;
  const query = toQuery({ ...request, object: '' }, '');
  return { query, type, page: { size: pageSize, token: pageToken }, tenant, atLeast };
}

/** @throws PosternError INVALID_CONTEXT also */
export function toListSubjectsQuestion(request: ListSubjectsRequest): ListSubjectsQuestion {
  const { tenant, atLeast, type, action, object, pageSize, pageToken, context } = request;
  assertKnown(request, '');
  assertKnown(context, 'context.');
  if (context !== undefined && context.assertedGroups.length > 0) throw noSubjectAsks('context.asserted_groups');
  if (context !== undefined && context.activeRoles.length > 0) throw noSubjectAsks('context.active_roles');
  return {
    query: {
      action,
      object,
      reach: toReach(request.reach, ''),
      attributes: context?.attributes as Attributes | undefined,
    },
    type,
    page: { size: pageSize, token: pageToken },
    tenant,
    atLeast,
  };
}

function noSubjectAsks(field: string): PosternError {
  return new PosternError('INVALID_CONTEXT', `${field} has no place here: no subject is asking`, { field });
}

export function toListActionsQuestion(request: ListActionsRequest): ListActionsQuestion {
  const { tenant, atLeast } = request;
  return { query: toQuery({ ...request, action: '' }, ''), tenant, atLeast };
}

/** @throws PosternError INVALID_REQUEST for a message with a field that this version does not know */
function assertKnown(message: Pick<Message, '$unknown'> | undefined, prefix: string): void {
  const first = message?.$unknown?.[0];
  if (first !== undefined) throw unknownField(prefix, first.no);
}

function toQuery(request: Questioned, prefix: string): Query {
  assertKnown(request, prefix);
  assertKnown(request.context, `${prefix}context.`);
  const query = createQuery(request.subject, request.action, request.object);
  query.reach = toReach(request.reach, prefix);
  if (request.context !== undefined) {
    const { assertedGroups, activeRoles } = request.context;
    query.assertedGroups = assertedGroups;
    // An empty list is how the wire says that all roles are active.
    query.activeRoles = activeRoles.length === 0 ? undefined : activeRoles;
    // Generated code gives a Struct as the JSON that it means.
    query.attributes = request.context.attributes as Attributes | undefined;
  }
  return query;
}

function toReach(wire: number, prefix: string): Reach {
  const reach = reachOf(wire);
  if (reach === undefined) throw unknownEnum(`${prefix}reach`, wire);
  return reach;
}
