/**
 * PolicyService for Connect: messages go to the answers that both transports share. Who calls is known before the
 * body of a request is read. TLS ends before this port, so a certificate is never shown here.
 */
import { Code, ConnectError, createContextKey, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { Credentials, Identity } from '../../authn/identity.ts';
import { PolicyService } from '../../gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../../model/errors.ts';
import type { ServerLog } from '../errors.ts';
import { startPatience } from '../patience.ts';
import {
  type Answer,
  createAnswers,
  notServedMessage,
  type PolicyParts,
  type RequestOf,
  type ResponseOf,
  type UnaryName,
  watchChanges,
} from '../policy/answers.ts';
import { toConnectError } from './errors.ts';

/** Set by the gate for each call. */
const identityKey = createContextKey<Identity | undefined>(undefined, { description: 'caller of PolicyService' });

/** Lets through, of the calls of PolicyService, those of somebody who is known. @throws ConnectError */
export function createPolicyGate(
  policy: PolicyParts | undefined,
  log: ServerLog,
): (context: HandlerContext) => Promise<void> {
  return async ({ service, requestHeader, values }) => {
    if (policy === undefined || service.typeName !== PolicyService.typeName) return;
    try {
      values.set(identityKey, await policy.authenticate(toCredentials(requestHeader)));
    } catch (error) {
      throw toConnectError(error, log);
    }
  };
}

/** @param ended Aborts when the server shuts down: a watch would go on for ever. */
export function createPolicyService(
  policy: PolicyParts,
  log: ServerLog,
  ended: AbortSignal,
): ServiceImpl<typeof PolicyService> {
  const answers = createAnswers(policy.administration);
  const unary = Object.fromEntries(
    (Object.keys(answers) as UnaryName[]).map((name) => [name, unaryOf(answers[name] as Answer<typeof name>)]),
  ) as Omit<ServiceImpl<typeof PolicyService>, 'watchChanges'>;
  return {
    ...unary,
    async *watchChanges(request, context) {
      try {
        const signal = AbortSignal.any([context.signal, ended]);
        yield* watchChanges(policy, callerOf(context), toCredentials(context.requestHeader), request, signal);
        if (ended.aborted) {
          throw new PosternError('NOT_READY', 'the server is shutting down; watch again, since the last revision');
        }
      } catch (error) {
        throw toConnectError(error, log);
      }
    },
  };

  function unaryOf<M extends UnaryName>(
    answer: Answer<M>,
  ): (request: RequestOf<M>, context: HandlerContext) => Promise<ResponseOf<M>> {
    return async (request, context) => {
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
}

/** A service whose every method says how to have it. */
export function createAbsentPolicyService(): Partial<ServiceImpl<typeof PolicyService>> {
  const refuse = () => {
    throw new ConnectError(notServedMessage, Code.Unimplemented);
  };
  return Object.fromEntries(PolicyService.methods.map(({ localName }) => [localName, refuse]));
}

function toCredentials(headers: Headers): Credentials {
  return { authorization: headers.get('authorization') ?? undefined, certificate: undefined };
}

function callerOf({ values }: HandlerContext): Identity {
  const identity = values.get(identityKey);
  if (identity === undefined) throw new Error('a call of PolicyService came past the gate');
  return identity;
}
