/**
 * A service whose every call is made by somebody who is known, as both transports serve it: PolicyService and
 * DecisionLogService. What is shown and who that is comes from authn; answers translate, and decide nothing.
 */
import type { DescService, Message } from '@bufbuild/protobuf';
import type { Authenticate, Credentials, Identity } from '../authn/identity.ts';

/** Answers one call of somebody who is known: a message of the method's output. @throws PosternError */
export type UnaryAnswer = (caller: Identity, request: Message, signal: AbortSignal) => Promise<object>;

/**
 * Messages until the signal aborts, or longer than the credentials count. @throws PosternError
 * @param credentials Made the caller; they are looked at again while the stream is open.
 */
export type StreamAnswer = (
  caller: Identity,
  credentials: Credentials,
  request: Message,
  signal: AbortSignal,
) => AsyncIterable<object>;

export interface AuthenticatedService {
  readonly desc: DescService;
  /** Undefined where it is not served. */
  readonly served: ServedService | undefined;
  /** What every call is told where it is not served. */
  readonly absentMessage: string;
}

export interface ServedService {
  readonly authenticate: Authenticate;
  /** By the local names of methods, as the two below. */
  readonly unary: Readonly<Record<string, UnaryAnswer>>;
  readonly streams: Readonly<Record<string, StreamAnswer>>;
  /** What to do where a stream ends because the server does: "watch again". */
  readonly resume: string;
}
