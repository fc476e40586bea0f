/**
 * A service for callers who are known, for Connect: messages go to the answers that both transports share. Who calls is
 * known before the body of a request is read. TLS ends before this port, so a certificate is never shown here.
 */
import type { DescService, Message } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextKey, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { Credentials, Identity } from '../../authn/identity.ts';
import { PosternError } from '../../model/errors.ts';
import type { AuthenticatedService, ServedService, StreamAnswer, UnaryAnswer } from '../authenticated.ts';
import type { ServerLog } from '../errors.ts';
import { startPatience } from '../patience.ts';
import { toConnectError } from './errors.ts';

/** Set by the gate for each call. */
const identityKey = createContextKey<Identity | undefined>(undefined, { description: 'caller who is known' });

/** Lets through, of the calls of these services, those of somebody who is known. @throws ConnectError */
export function createAuthenticationGate(
  services: readonly AuthenticatedService[],
  log: ServerLog,
): (context: HandlerContext) => Promise<void> {
  const servedByName = new Map(services.map(({ desc, served }) => [desc.typeName, served]));
  return async ({ service, requestHeader, values }) => {
    const served = servedByName.get(service.typeName);
    if (served === undefined) return;
    try {
      values.set(identityKey, await served.authenticate(toCredentials(requestHeader)));
    } catch (error) {
      throw toConnectError(error, log);
    }
  };
}

/** @param ended Aborts when the server shuts down: a stream would go on for ever. */
export function createAuthenticatedService(
  { desc, served, absentMessage }: AuthenticatedService,
  log: ServerLog,
  ended: AbortSignal,
): Partial<ServiceImpl<DescService>> {
  const methods = desc.methods.map(({ localName }) => {
    if (served === undefined) return [localName, refuseWith(absentMessage)];
    const answer = served.unary[localName];
    return answer === undefined
      ? [localName, streamOf(served.streams[localName] as StreamAnswer, served, log, ended)]
      : [localName, unaryOf(answer, log)];
  });
  return Object.fromEntries(methods);
}

function unaryOf(answer: UnaryAnswer, log: ServerLog) {
  return async (request: Message, context: HandlerContext): Promise<object> => {
    const patience = startPatience(context.timeoutMs() ?? Number.POSITIVE_INFINITY);
    context.signal.addEventListener('abort', patience.end, { once: true });
    try {
      return await answer(callerOf(context), request, patience.signal);
    } catch (error) {
      throw toConnectError(error, log);
    } finally {
      patience.release();
    }
  };
}

function streamOf(answer: StreamAnswer, { resume }: ServedService, log: ServerLog, ended: AbortSignal) {
  return async function* (request: Message, context: HandlerContext): AsyncGenerator<object, void> {
    try {
      const signal = AbortSignal.any([context.signal, ended]);
      yield* answer(callerOf(context), toCredentials(context.requestHeader), request, signal);
      if (ended.aborted) throw new PosternError('NOT_READY', `the server is shutting down; ${resume}`);
    } catch (error) {
      throw toConnectError(error, log);
    }
  };
}

function refuseWith(message: string) {
  return () => {
    throw new ConnectError(message, Code.Unimplemented);
  };
}

function toCredentials(headers: Headers): Credentials {
  return { authorization: headers.get('authorization') ?? undefined, certificate: undefined };
}

function callerOf({ service, values }: HandlerContext): Identity {
  const identity = values.get(identityKey);
  if (identity === undefined) throw new Error(`a call of ${service.typeName} came past the gate`);
  return identity;
}
