/**
 * The one table from error codes to what each transport says: gRPC status,
 * HTTP status, exit code of the command line. Every adapter and the CLI read it;
 * nothing else decides a status. A failure is never turned into an answer.
 */
import { type ErrorCode, type ErrorMetadata, type FieldProblem, PosternError } from '../model/errors.ts';
import { fitTrailer } from './fit-trailer.ts';

/** `domain` of every google.rpc.ErrorInfo that Postern sends. */
export const errorDomain = 'postern';

/** Canonical status codes, as gRPC and Connect number them. */
const invalidArgument = 3;
const notFound = 5;
const alreadyExists = 6;
const permissionDenied = 7;
const resourceExhausted = 8;
const failedPrecondition = 9;
const aborted = 10;
const outOfRange = 11;
const internal = 13;
const unavailable = 14;
const dataLoss = 15;
const unauthenticated = 16;
const cancelled = 1;

export interface Status {
  /** Canonical status code; the same number in gRPC and in Connect. */
  readonly grpc: number;
  /** Status of an HTTP response, as the Connect protocol maps the canonical code. */
  readonly http: number;
  /** Exit code of the CLI: 2 wrong input, 3 refused (an invalid policy, a limit, not permitted), 4 unavailable (worth a retry), 5 conflict, 6 internal. 1 is a denial. */
  readonly exit: number;
}

const malformed: Status = { grpc: invalidArgument, http: 400, exit: 2 };
const overLimit: Status = { grpc: resourceExhausted, http: 429, exit: 3 };
const conflict: Status = { grpc: aborted, http: 409, exit: 5 };
/** What was asked contradicts the graph: sending it again will not help. HTTP 400, as the Connect protocol has it. */
const contradicted: Status = { grpc: failedPrecondition, http: 400, exit: 3 };
const retry: Status = { grpc: unavailable, http: 503, exit: 4 };

/** What each code becomes on the wire and at the prompt. */
export const statuses: Readonly<Record<ErrorCode, Status>> = {
  INVALID_SUBJECT: malformed,
  INVALID_ACTION: malformed,
  INVALID_OBJECT: malformed,
  INVALID_TYPE: malformed,
  INVALID_TENANT: malformed,
  INVALID_CONTEXT: malformed,
  INVALID_REQUEST: malformed,
  INVALID_PAGE_TOKEN: malformed,
  INVALID_REVISION_TOKEN: malformed,
  CONDITION_FAILED: malformed,
  // At the prompt a file that is refused is not a malformed command: scripts want to tell the two apart.
  INVALID_POLICY: { ...malformed, exit: 3 },
  INVALID_OPTION: malformed,
  TOO_MANY_CHECKS: overLimit,
  LIMIT_EXCEEDED: overLimit,
  UNAUTHENTICATED: { grpc: unauthenticated, http: 401, exit: 3 },
  AUTH_UNAVAILABLE: retry,
  NOT_PERMITTED: { grpc: permissionDenied, http: 403, exit: 3 },
  INVALID_CHANGE: { ...malformed, exit: 3 },
  ALREADY_EXISTS: { grpc: alreadyExists, http: 409, exit: 5 },
  NOT_FOUND: { grpc: notFound, http: 404, exit: 3 },
  ROLES_CONFLICT: contradicted,
  LAST_ADMINISTRATOR: contradicted,
  READ_ONLY: contradicted,
  // The same request may be answered a moment later.
  OVERLOADED: { ...overLimit, exit: 4 },
  ASSERTION_NOT_ALLOWED: { grpc: permissionDenied, http: 403, exit: 3 },
  UNKNOWN_TENANT: { grpc: notFound, http: 404, exit: 2 },
  REVISION_CONFLICT: conflict,
  LIST_CHANGED: conflict,
  REVISION_NOT_REACHED: retry,
  NOT_READY: retry,
  STALE: retry,
  LOG_FULL: retry,
  STORE_UNAVAILABLE: retry,
  REVISION_OF_OTHER_EPOCH: { grpc: outOfRange, http: 400, exit: 5 },
  REVISION_LOST: { grpc: outOfRange, http: 400, exit: 5 },
  STORE_CORRUPT: { grpc: dataLoss, http: 500, exit: 6 },
  CANCELLED: { grpc: cancelled, http: 499, exit: 4 },
  INTERNAL: { grpc: internal, http: 500, exit: 6 },
};

/** How long callers are told to wait before they ask an overloaded sidecar again, in seconds. */
export const retryAfterSeconds = 1;

/** What the adapters log with; pino's logger is one. */
export interface ServerLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Counts a request, or a message of a stream, that failed. */
  refused?(code: ErrorCode): void;
}

/** An error as a caller may see it. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly metadata: ErrorMetadata;
  /** As many as can be sent; the metadata `problems` counts all. */
  readonly problems: readonly FieldProblem[];
  readonly status: Status;
}

/**
 * Anything thrown, as a caller may see it. What is not a PosternError is a
 * defect: it is logged whole, and the caller learns nothing but that.
 */
export function toFailure(error: unknown, log: ServerLog): Failure {
  if (error instanceof PosternError && error.code !== 'INTERNAL') {
    log.refused?.(error.code);
    // Half a surrogate pair cannot be written to a header or as UTF-8.
    const { code, message, metadata, problems } = error;
    return { code, ...fitTrailer({ message: message.toWellFormed(), metadata, problems }), status: statuses[code] };
  }
  log.refused?.('INTERNAL');
  log.error({ err: error }, 'a request failed for a reason that is a defect of the server');
  return {
    code: 'INTERNAL',
    message: 'internal error; the log of the server has the details',
    metadata: {},
    problems: [],
    status: statuses.INTERNAL,
  };
}
