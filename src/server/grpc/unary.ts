/**
 * The life of a unary call, once for all of them: decode, find the view, ask,
 * answer. Nothing is awaited unless the question asks for a revision to come, or its answer takes long.
 */
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import type { Source } from '../../decision-log/log.ts';
import type { Steps } from '../../engine/steps.ts';
import type { Call, View } from '../../pdp/view.ts';
import type { Asked } from '../question.ts';
import { type HandlerDependencies, toCall, viewFor } from './call.ts';
import { toServiceError } from './errors.ts';

/**
 * @param decode Throws PosternError for bytes that are no request.
 * @param ask Gives what the method's serializer encodes.
 */
export function createUnaryHandler<Question extends Asked, Answer>(
  { pdp, log }: HandlerDependencies,
  source: Source,
  decode: (bytes: Buffer) => Question,
  ask: (view: View, question: Question, call: Call) => Answer,
): handleUnaryCall<Buffer, Answer> {
  return (call, callback) => {
    try {
      const question = decode(call.request);
      const view = viewFor(pdp, question, call);
      if (!(view instanceof Promise)) {
        callback(null, ask(view, question, toCall(call, source)));
        return;
      }
      view
        // Who has gone away is not answered, and leaves no record of an answer.
        .then((ready) => call.cancelled || callback(null, ask(ready, question, toCall(call, source))))
        .catch((error: unknown) => callback(toServiceError(error, log)));
    } catch (error) {
      callback(toServiceError(error, log));
    }
  };
}

/** The same for answers that are made in steps, between which others get their turn. */
export function createSteppedHandler<Question extends Asked, Answer>(
  { pdp, log, longWork }: HandlerDependencies,
  source: Source,
  decode: (bytes: Buffer) => Question,
  ask: (view: View, question: Question, call: Call) => Steps<Answer>,
): handleUnaryCall<Buffer, Answer> {
  return (call, callback) => {
    run(call)
      .then((answer) => call.cancelled || callback(null, answer))
      .catch((error: unknown) => call.cancelled || callback(toServiceError(error, log)));
  };

  async function run(call: ServerUnaryCall<Buffer, Answer>): Promise<Answer> {
    const question = decode(call.request);
    const view = await viewFor(pdp, question, call);
    return longWork.finish(ask(view, question, toCall(call, source)), () => call.cancelled);
  }
}
