/**
 * The life of a unary call, once for all of them: decode, find the view, ask,
 * answer. Nothing is awaited unless the question asks for a revision to come, or its answer takes long.
 */
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import type { Source } from '../../decision-log/log.ts';
import type { Steps } from '../../engine/steps.ts';
import type { Call, View } from '../../pdp/view.ts';
import type { Asked } from '../question.ts';
import { type HandlerDependencies, isGone, toCall, viewFor, viewOrHold } from './call.ts';
import { toServiceError } from './errors.ts';

/**
 * @param decode Throws PosternError for bytes that are no request.
 * @param ask Gives what the method's serializer encodes.
 */
export function createUnaryHandler<Question extends Asked, Answer>(
  dependencies: HandlerDependencies,
  source: Source,
  decode: (bytes: Buffer) => Question,
  ask: (view: View, question: Question, call: Call) => Answer,
): handleUnaryCall<Buffer, Answer> {
  const { admission, log } = dependencies;
  return (call, callback) => {
    try {
      admission.enter();
      const question = decode(call.request);
      const view = viewOrHold(dependencies, question, call, call.request.length);
      if (!(view instanceof Promise)) {
        // Who has gone away is not answered, and leaves no record of an answer.
        if (!isGone(call)) callback(null, ask(view, question, toCall(call, source)));
        return;
      }
      view
        .then((ready) => isGone(call) || callback(null, ask(ready, question, toCall(call, source))))
        .catch((error: unknown) => callback(toServiceError(error, log)));
    } catch (error) {
      callback(toServiceError(error, log));
    }
  };
}

/**
 * The same for answers that are made in steps, between which others get their turn. The call is in progress until the
 * answer has been read.
 * @param isLong Whether the answer takes more than one step.
 */
export function createSteppedHandler<Question extends Asked, Answer>(
  { pdp, log, longWork, admission }: HandlerDependencies,
  source: Source,
  decode: (bytes: Buffer) => Question,
  isLong: (question: Question) => boolean,
  ask: (view: View, question: Question, call: Call) => Steps<Answer>,
): handleUnaryCall<Buffer, Answer> {
  return (call, callback) => {
    run(call)
      .then((answer) => isGone(call) || callback(null, answer))
      .catch((error: unknown) => isGone(call) || callback(toServiceError(error, log)));
  };

  async function run(call: ServerUnaryCall<Buffer, Answer>): Promise<Answer> {
    admission.enter();
    call.once('cancelled', admission.hold(call.request.length));
    const question = decode(call.request);
    if (isLong(question)) admission.enterLongWork();
    const view = await viewFor(pdp, question, call);
    return longWork.finish(ask(view, question, toCall(call, source)), () => isGone(call));
  }
}
