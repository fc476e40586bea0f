/**
 * The one error type and its closed catalogue. Every refusal that a caller can
 * see is one of these; the table that maps them to statuses is in the server.
 * Programmer errors are assertions and are not listed here.
 */

/** What went wrong, in one word. Stable: clients and scripts act on it. */
export type ErrorCode =
  | 'INVALID_SUBJECT'
  | 'INVALID_ACTION'
  | 'INVALID_OBJECT'
  | 'INVALID_TYPE'
  | 'INVALID_TENANT'
  | 'INVALID_CONTEXT'
  | 'INVALID_REQUEST'
  | 'CONDITION_FAILED'
  | 'INVALID_PAGE_TOKEN'
  | 'INVALID_REVISION_TOKEN'
  | 'INVALID_POLICY'
  | 'INVALID_OPTION'
  | 'TOO_MANY_CHECKS'
  | 'LIMIT_EXCEEDED'
  | 'ASSERTION_NOT_ALLOWED'
  | 'UNKNOWN_TENANT'
  | 'REVISION_CONFLICT'
  | 'REVISION_NOT_REACHED'
  | 'REVISION_OF_OTHER_EPOCH'
  | 'REVISION_LOST'
  | 'LIST_CHANGED'
  | 'UNAUTHENTICATED'
  | 'AUTH_UNAVAILABLE'
  | 'NOT_PERMITTED'
  | 'INVALID_CHANGE'
  | 'ALREADY_EXISTS'
  | 'NOT_FOUND'
  | 'ROLES_CONFLICT'
  | 'LAST_ADMINISTRATOR'
  | 'READ_ONLY'
  | 'OVERLOADED'
  | 'NOT_READY'
  | 'STALE'
  | 'LOG_FULL'
  | 'STORE_UNAVAILABLE'
  | 'STORE_CORRUPT'
  | 'CANCELLED'
  | 'INTERNAL';

/** Facts about an error for machines; `field` names the offending request field. */
export type ErrorMetadata = Readonly<Record<string, string>>;

/** One of several things that are wrong with a request. */
export interface FieldProblem {
  /** "changes[3].put.binding.role". */
  readonly field: string;
  readonly message: string;
}

/** An error with a code of the catalogue, and a message that says what to do. */
export class PosternError extends Error {
  readonly code: ErrorCode;
  readonly metadata: ErrorMetadata;
  /** Everything that is wrong, where that is more than the message can say. */
  readonly problems: readonly FieldProblem[];

  constructor(
    code: ErrorCode,
    message: string,
    metadata: ErrorMetadata = {},
    cause?: unknown,
    problems: readonly FieldProblem[] = [],
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PosternError';
    this.code = code;
    this.metadata = metadata;
    this.problems = problems;
  }
}

/** Anything thrown as the one error type: what is not one already is a defect, and its cause. */
export function toPosternError(error: unknown): PosternError {
  return error instanceof PosternError ? error : new PosternError('INTERNAL', messageOf(error), {}, error);
}

/** The message of anything thrown, for a log line or another error's text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
