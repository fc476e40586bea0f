/**
 * A service for callers who are known, for grpc-js. Every call is authenticated before its bytes are read; then messages
 * go to the answers that both transports share. Where it is not served, every method says how to have it.
 */
import type { DescMethod } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Server,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { PosternError } from '../../model/errors.ts';
import { type Admission, streamBytes } from '../admission.ts';
import type { AuthenticatedService, ServedService, StreamAnswer, UnaryAnswer } from '../authenticated.ts';
import type { ServerLog } from '../errors.ts';
import { startPatience } from '../patience.ts';
import type { HandlerDependencies } from './call.ts';
import { toCredentials } from './credentials.ts';
import { decoderOf, encoderOf, toDefinition } from './definition.ts';
import { toServiceError } from './errors.ts';
import { send } from './list-objects.ts';
import type { OpenStreams } from './stream-check.ts';

export function addAuthenticatedService(
  server: Server,
  { desc, served, absentMessage }: AuthenticatedService,
  { log, admission }: Pick<HandlerDependencies, 'log' | 'admission'>,
  open: OpenStreams,
): void {
  const definition: ServiceDefinition = Object.fromEntries(
    desc.methods.map((method) => [method.localName, toDefinition(method, encoderOf(method.output))]),
  );
  const handlers = desc.methods.map((method): [string, UntypedHandleCall] => {
    const { localName } = method;
    if (served === undefined) return [localName, createRefusal(method, absentMessage)];
    const answer = served.unary[localName];
    const handler =
      answer === undefined
        ? createStreamHandler(method, served.streams[localName] as StreamAnswer, served, log, admission, open)
        : createUnaryHandler(method, answer, served, log, admission);
    return [localName, handler];
  });
  server.addService(definition, Object.fromEntries(handlers));
}

function createUnaryHandler(
  { input }: DescMethod,
  answer: UnaryAnswer,
  { authenticate }: ServedService,
  log: ServerLog,
  admission: Admission,
): handleUnaryCall<Buffer, object> {
  const decode = decoderOf(input, (message) => message);
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

function createStreamHandler(
  { input }: DescMethod,
  answer: StreamAnswer,
  { authenticate, resume }: ServedService,
  log: ServerLog,
  admission: Admission,
  open: OpenStreams,
): handleServerStreamingCall<Buffer, object> {
  const decode = decoderOf(input, (message) => message);
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
    const drain = () => finish(new PosternError('NOT_READY', `the server is shutting down; ${resume}`));
    call.once('cancelled', () => finish());
    open.add(drain);
    run(call, controller.signal).then(() => finish(), finish);
  };

  async function run(call: ServerWritableStream<Buffer, object>, signal: AbortSignal): Promise<void> {
    admission.enter();
    call.once('cancelled', admission.hold(streamBytes));
    const credentials = toCredentials(call);
    const caller = await authenticate(credentials);
    for await (const message of answer(caller, credentials, decode(call.request), signal)) {
      if (signal.aborted) return;
      await send(call, message);
    }
  }
}

function createRefusal({ methodKind }: DescMethod, message: string): UntypedHandleCall {
  const refusal = () => Object.assign(new Error(message), { code: status.UNIMPLEMENTED, details: message });
  const refuse: handleUnaryCall<Buffer, never> = (_call, callback) => callback(refusal());
  const end: handleServerStreamingCall<Buffer, never> = (call) => void call.emit('error', refusal());
  return methodKind === 'unary' ? refuse : end;
}
