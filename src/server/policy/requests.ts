/**
 * Messages of requests to what administration takes. Every function refuses a request with all of its problems at
 * once; what only the graph can judge is left to administration.
 * @throws PosternError INVALID_REQUEST with problems, as every function here
 */
import type { DescMessage, Message, MessageShape } from '@bufbuild/protobuf';
import type { Administration, CommitRequest, ReadOptions } from '../../admin/api.ts';
import {
  CommitRequestSchema,
  CreateTenantRequestSchema,
  DeleteTenantRequestSchema,
  type ListOptions,
} from '../../gen/postern/v1/policy_service_pb.ts';
import { maxNoteBytes } from '../../model/limits.ts';
import { toChanges } from './changes.ts';
import { inspect } from './inspect.ts';
import { createProblems, type Problems } from './problems.ts';

/** The message, if all of it is known and legible. */
export function toInspected<T extends Message>(desc: DescMessage, message: T): T {
  const problems = createProblems();
  inspect(desc, message, '', problems);
  problems.refuse();
  return message;
}

/** @throws PosternError LIMIT_EXCEEDED also */
export function toCommitRequest(message: MessageShape<typeof CommitRequestSchema>): CommitRequest {
  const { tenant, expected, why, dryRun, onBehalfOf, allowNoAdministrator } = message;
  return withoutProblems(CommitRequestSchema, message, (problems) => {
    const changes = toChanges(message.changes, problems);
    checkWhy(why, problems);
    return { tenant, changes, expected, why, dryRun, onBehalfOf, allowNoAdministrator };
  });
}

/** @throws PosternError LIMIT_EXCEEDED also */
export function toCreateTenantRequest(
  message: MessageShape<typeof CreateTenantRequestSchema>,
): Parameters<Administration['createTenant']>[1] {
  const { tenant, why, dryRun } = message;
  return withoutProblems(CreateTenantRequestSchema, message, (problems) => {
    const changes = toChanges(message.changes, problems);
    checkWhy(why, problems);
    return { tenant, changes, why, dryRun };
  });
}

export function toDeleteTenantRequest(
  message: MessageShape<typeof DeleteTenantRequestSchema>,
): Parameters<Administration['deleteTenant']>[1] {
  const { tenant, expected, why } = message;
  return withoutProblems(DeleteTenantRequestSchema, message, (problems) => {
    checkWhy(why, problems);
    return { tenant, expected, why };
  });
}

/** What every list takes; absence asks for the first page of the only tenant. */
export function toReadOptions(options: ListOptions | undefined): ReadOptions {
  const { tenant = '', pageSize = 0, pageToken = '', atLeast = '', onBehalfOf = '' } = options ?? {};
  return { tenant, page: { size: pageSize, token: pageToken }, atLeast, onBehalfOf };
}

function withoutProblems<T>(desc: DescMessage, message: Message, translate: (problems: Problems) => T): T {
  const problems = createProblems();
  const translated = translate(problems);
  inspect(desc, message, '', problems);
  problems.refuse();
  return translated;
}

function checkWhy(why: string, problems: Problems): void {
  if (Buffer.byteLength(why) > maxNoteBytes) problems.add('why', `is longer than ${maxNoteBytes} bytes; shorten it`);
}
