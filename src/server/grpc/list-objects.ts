/**
 * ListObjects over gRPC: one part at a time, each made when the one before is on
 * its way, so that a slow reader costs no memory and other calls get their turn.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import { answerObjects } from '../decision/answers.ts';
import type { ListObjectsQuestion, ObjectsPart } from '../question.ts';
import { type HandlerDependencies, toCall, viewFor } from './call.ts';
import { toServiceError } from './errors.ts';

export function createListObjectsHandler(
  { pdp, log }: HandlerDependencies,
  decode: (bytes: Buffer) => ListObjectsQuestion,
): handleServerStreamingCall<Buffer, ObjectsPart> {
  return (call) => {
    run(call).catch((error: unknown) => {
      if (!call.cancelled) call.emit('error', toServiceError(error, log));
    });
  };

  async function run(call: ServerWritableStream<Buffer, ObjectsPart>): Promise<void> {
    const question = decode(call.request);
    const view = await viewFor(pdp, question, call);
    for (const part of answerObjects(view, question, toCall(call, 'list_objects'))) {
      if (call.cancelled) return;
      if (!call.write(part)) await drained(call);
      await nextTurn();
    }
    call.end();
  }
}

/** Resolves when the call takes more, or will never take anything again. */
export function drained<Part>(call: ServerWritableStream<Buffer, Part>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      call.off('close', done);
      resolve();
    };
    call.once('drain', done);
    call.once('close', done);
  });
}
