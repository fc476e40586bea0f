/**
 * PolicyService for grpc-js. Every call is authenticated before its bytes are read; then messages go to the answers
 * that both transports share. Where administration is off, every method says how to have it.
 */
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Server,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { PolicyService } from '../../gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../../model/errors.ts';
import { type Admission, streamBytes } from '../admission.ts';
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
import type { HandlerDependencies } from './call.ts';
import { toCredentials } from './credentials.ts';
import { decoderOf, encoderOf, toDefinition } from './definition.ts';
import { toServiceError } from './errors.ts';
import { send } from './list-objects.ts';
import type { OpenStreams } from './stream-check.ts';

/** The name that health checks and reflection know the service by. */
export const policyServiceName = PolicyService.typeName;

const { watchChanges: watchMethod } = PolicyService.method;
type WatchCall = ServerWritableStream<Buffer, ResponseOf<'watchChanges'>>;

/** @param policy Undefined adds a service whose every method is UNIMPLEMENTED, and says how to have it. */
export function addPolicyService(
  server: Server,
  policy: PolicyParts | undefined,
  { log, admission }: Pick<HandlerDependencies, 'log' | 'admission'>,
  open: OpenStreams,
): void {
  const definition: ServiceDefinition = Object.fromEntries(
    PolicyService.methods.map((method) => [method.localName, toDefinition(method, encoderOf(method.output))]),
  );
  server.addService(definition, policy === undefined ? createRefusals() : createHandlers(policy, log, admission, open));
}

function createHandlers(
  policy: PolicyParts,
  log: ServerLog,
  admission: Admission,
  open: OpenStreams,
): Record<string, UntypedHandleCall> {
  const answers = createAnswers(policy.administration);
  const handlers: Record<string, UntypedHandleCall> = {
    watchChanges: createWatchHandler(policy, log, admission, open),
  };
  for (const name of Object.keys(answers) as UnaryName[]) {
    handlers[name] = createUnaryHandler(name, answers[name] as Answer<typeof name>, policy, log, admission);
  }
  return handlers;
}

function createUnaryHandler<M extends UnaryName>(
  name: M,
  answer: Answer<M>,
  { authenticate }: PolicyParts,
  log: ServerLog,
  admission: Admission,
): handleUnaryCall<Buffer, ResponseOf<M>> {
  const decode = decoderOf(PolicyService.method[name].input, (message) => message as RequestOf<M>);
  return (call, callback) => {
    try {
      admission.enter();
      call.once('cancelled', admission.hold(call.request.length));
    } catch (error) {
      callback(toServiceError(error, log));
      return;
    }
    const patience = startPatience(Number(call.getDeadline()) - Date.now());
    call.once('cancelled', patience.end);
    authenticate(toCredentials(call))
      .then((caller) => answer(caller, decode(call.request), patience.signal))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error, log)),
      )
      .finally(patience.release);
  };
}

function createWatchHandler(
  policy: PolicyParts,
  log: ServerLog,
  admission: Admission,
  open: OpenStreams,
): handleServerStreamingCall<Buffer, ResponseOf<'watchChanges'>> {
  const decode = decoderOf(watchMethod.input, (message) => message);
  return (call) => {
    const controller = new AbortController();
    const finish = (error?: unknown) => {
      if (controller.signal.aborted) return;
      open.delete(drain);
      controller.abort();
      if (call.cancelled) return;
      if (error === undefined) call.end();
      else call.emit('error', toServiceError(error, log));
    };
    const drain = () => finish(shuttingDown());
    call.once('cancelled', () => finish());
    open.add(drain);
    run(call, controller.signal).then(() => finish(), finish);
  };

  async function run(call: WatchCall, signal: AbortSignal): Promise<void> {
    admission.enter();
    call.once('cancelled', admission.hold(streamBytes));
    const credentials = toCredentials(call);
    const caller = await policy.authenticate(credentials);
    for await (const message of watchChanges(policy, caller, credentials, decode(call.request), signal)) {
      if (signal.aborted) return;
      await send(call, message);
    }
  }
}

/** What ends a watch that would go on, where the server does not. */
function shuttingDown(): PosternError {
  return new PosternError('NOT_READY', 'the server is shutting down; watch again, since the last revision that came');
}

function createRefusals(): Record<string, UntypedHandleCall> {
  const refusal = () =>
    Object.assign(new Error(notServedMessage), { code: status.UNIMPLEMENTED, details: notServedMessage });
  const refuse: handleUnaryCall<Buffer, never> = (_call, callback) => callback(refusal());
  const end: handleServerStreamingCall<Buffer, never> = (call) => void call.emit('error', refusal());
  return Object.fromEntries(
    PolicyService.methods.map((method) => [method.localName, method === watchMethod ? end : refuse]),
  );
}
