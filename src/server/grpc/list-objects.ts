/**
 * ListObjects over gRPC: one part at a time, each made when the one before is on
 * its way, so that a slow reader costs no memory and other calls get their turn.
 */
import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import { listBytes } from '../admission.ts';
import { answerObjects } from '../decision/answers.ts';
import type { ListObjectsQuestion, ObjectsPart } from '../question.ts';
import { type HandlerDependencies, isGone, toCall, viewFor } from './call.ts';
import { toServiceError } from './errors.ts';

export function createListObjectsHandler(
  { pdp, log, longWork, admission }: HandlerDependencies,
  decode: (bytes: Buffer) => ListObjectsQuestion,
): handleServerStreamingCall<Buffer, ObjectsPart> {
  return (call) => {
    run(call).catch((error: unknown) => {
      if (!call.cancelled) call.emit('error', toServiceError(error, log));
    });
  };

  async function run(call: ServerWritableStream<Buffer, ObjectsPart>): Promise<void> {
    admission.enter();
    admission.enterLongWork();
    call.once('cancelled', admission.hold(listBytes));
    const question = decode(call.request);
    const view = await viewFor(pdp, question, call);
    const parts = answerObjects(view, question, toCall(call, 'list_objects'));
    const gone = () => isGone(call);
    let sent: Promise<void> | undefined;
    try {
      for (;;) {
        const part = await longWork.advance<ObjectsPart, void>(parts, gone);
        // One part is made while one is sent.
        await sent;
        if (gone()) return;
        if (part.done === true) break;
        sent = send(call, part.value);
      }
    } finally {
      parts.return();
    }
    call.end();
  }
}

/**
 * Resolves when the message is on its way, or will never be: what a stream buffers by itself is a number of messages,
 * whatever their size.
 */
export function send<Message>(call: ServerWritableStream<Buffer, Message>, message: Message): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('close', done);
      resolve();
    };
    call.once('close', done);
    call.write(message, done);
  });
}
