/**
 * StreamCheck over gRPC: one answer a question, in order, each computed in the
 * event that brings the question. Reading stops while the caller does not read,
 * and while a question waits for its revision.
 */
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { PosternError } from '../../model/errors.ts';
import type { Call, View } from '../../pdp/view.ts';
import { streamBytes } from '../admission.ts';
import { answerCheck } from '../decision/answers.ts';
import { missingCheck } from '../decision/request.ts';
import { toFailure } from '../errors.ts';
import type { CheckQuestion } from '../question.ts';
import { decodeStreamCheckRequest, type StreamQuestion } from '../wire/requests.ts';
import type { StreamAnswer } from '../wire/responses.ts';
import { type HandlerDependencies, toCall, viewFor } from './call.ts';
import { encodeStatus, toServiceError } from './errors.ts';

/** The streams that are open, so that a drain can end them between two questions. */
export interface OpenStreams {
  add(end: () => void): void;
  delete(end: () => void): void;
}

export function createStreamCheckHandler(
  { pdp, log, admission }: HandlerDependencies,
  open: OpenStreams,
): handleBidiStreamingCall<Buffer, StreamAnswer> {
  return (call) => {
    try {
      admission.enter();
      call.once('cancelled', admission.hold(streamBytes));
    } catch (error) {
      call.emit('error', toServiceError(error, log));
      return;
    }
    const facts = toCall(call, 'stream');
    /** Reasons not to read: the caller does not drain, a revision is waited for. */
    let full = false;
    let waiting = false;
    let draining = false;
    let ended = false;

    const fail = (error: unknown) => {
      ended = true;
      open.delete(drain);
      if (!call.cancelled) call.emit('error', toServiceError(error, log));
    };
    const drain = () => {
      draining = true;
      if (waiting) return;
      call.pause();
      fail(new PosternError('NOT_READY', 'the server is shutting down; open the stream again and go on there'));
    };
    const readOn = () => {
      if (ended || call.cancelled) return;
      if (draining && !waiting) drain();
      else if (!full && !waiting) call.resume();
    };
    const write = (answer: StreamAnswer) => {
      if (call.write(answer)) return;
      full = true;
      call.pause();
    };

    call.on('drain', () => {
      full = false;
      readOn();
    });
    call.on('data', (bytes: Buffer) => {
      let message: StreamQuestion;
      try {
        message = decodeStreamCheckRequest(bytes);
      } catch (error) {
        // Without its id nobody could tell which question this error is about.
        call.pause();
        fail(error);
        return;
      }
      const view = begin(message);
      if (view === undefined) return;
      if (view instanceof Promise) {
        waiting = true;
        call.pause();
        view
          .then((ready) => call.cancelled || ask(message, ready))
          .catch((error: unknown) => call.cancelled || refuse(message, error))
          .finally(() => {
            waiting = false;
            readOn();
          });
      } else ask(message, view);
    });
    call.on('end', () => {
      open.delete(drain);
      call.end();
    });
    call.on('cancelled', () => open.delete(drain));
    open.add(drain);

    /** The view for a message, or undefined where it is refused already. */
    function begin(message: StreamQuestion): View | Promise<View> | undefined {
      try {
        if (message.problem !== undefined) throw message.problem;
        if (message.question === undefined) throw missingCheck();
        return viewFor(pdp, message.question, call);
      } catch (error) {
        refuse(message, error);
        return undefined;
      }
    }

    function ask(message: StreamQuestion, view: View): void {
      let answer: StreamAnswer;
      try {
        answer = toAnswer(message, view, message.question as CheckQuestion, facts);
      } catch (error) {
        refuse(message, error);
        return;
      }
      write(answer);
    }

    function refuse({ idLow, idHigh }: StreamQuestion, error: unknown): void {
      write({ idLow, idHigh, answer: undefined, error: encodeStatus(toFailure(error, log)) });
    }
  };
}

function toAnswer({ idLow, idHigh }: StreamQuestion, view: View, question: CheckQuestion, call: Call): StreamAnswer {
  return { idLow, idHigh, answer: answerCheck(view, question, call), error: undefined };
}
