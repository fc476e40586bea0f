/**
 * DecisionService for Connect: messages to questions, questions to the view,
 * answers to messages. What is asked and answered is shared with gRPC.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createContextKey, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { Source } from '../../decision-log/log.ts';
import type { Steps } from '../../engine/steps.ts';
import type {
  DecisionService,
  StreamCheckRequest,
  StreamCheckResponseSchema,
} from '../../gen/postern/v1/decision_service_pb.ts';
import type { Call, Pdp, View } from '../../pdp/view.ts';
import type { Admission } from '../admission.ts';
import { alwaysLong, answerBatch, answerCheck, answerObjects, isLongBatch } from '../decision/answers.ts';
import { waitForView, withinDeadline } from '../decision/freshness.ts';
import {
  toBatchQuestion,
  toCheckQuestion,
  toInnerQuestion,
  toListActionsQuestion,
  toListObjectsQuestion,
  toListSubjectsQuestion,
} from '../decision/request.ts';
import {
  fromActionList,
  fromBatchAnswer,
  fromCheckAnswer,
  fromExplanation,
  fromObjectsPart,
  fromSubjectList,
} from '../decision/response.ts';
import { toStatusMessage } from '../decision/status.ts';
import { type ServerLog, toFailure } from '../errors.ts';
import type { LongWork } from '../long-work.ts';
import type { Asked, ObjectsPart } from '../question.ts';
import { traceIdOf } from '../trace.ts';
import { toConnectError } from './errors.ts';

/** Peer address of the request; set by the server for each. */
export const callerKey = createContextKey('', { description: 'caller' });

export function createDecisionService(
  pdp: Pdp,
  log: ServerLog,
  longWork: LongWork,
  admission: Admission,
): ServiceImpl<typeof DecisionService> {
  return {
    check: unary('check', toCheckQuestion, (view, question, call) =>
      fromCheckAnswer(answerCheck(view, question, call)),
    ),
    batchCheck: stepped('batch', toBatchQuestion, isLongBatch, function* (view, question, call) {
      return fromBatchAnswer(yield* answerBatch(view, question, call));
    }),
    listSubjects: stepped(
      'list_subjects',
      toListSubjectsQuestion,
      alwaysLong,
      function* (view, { query, type, page }, call) {
        return fromSubjectList(view, yield* view.listSubjects(query, type, page, call));
      },
    ),
    listActions: stepped('list_actions', toListActionsQuestion, alwaysLong, function* (view, { query }, call) {
      return fromActionList(view, yield* view.listActions(query, call));
    }),
    explain: unary('explain', toInnerQuestion, (view, { query }, call) =>
      fromExplanation(view, view.explain(query, call)),
    ),
    async *listObjects(request, context) {
      try {
        admission.enterLongWork();
        const question = toListObjectsQuestion(request);
        const view = await viewFor(question, context);
        const parts = answerObjects(view, question, toCall(context, 'list_objects'));
        const gone = () => context.signal.aborted;
        try {
          for (;;) {
            const part = await longWork.advance<ObjectsPart, void>(parts, gone);
            if (part.done === true || gone()) return;
            yield fromObjectsPart(part.value);
          }
        } finally {
          parts.return();
        }
      } catch (error) {
        throw toConnectError(error, log);
      }
    },
    async *streamCheck(requests, context) {
      const call = toCall(context, 'stream');
      for await (const request of requests) {
        yield { id: request.id, result: await answerOne(request, context, call) };
      }
    },
  };

  function unary<Request, Question extends Asked, Response>(
    source: Source,
    toQuestion: (request: Request) => Question,
    ask: (view: View, question: Question, call: Call, context: HandlerContext) => Response | Promise<Response>,
  ): (request: Request, context: HandlerContext) => Promise<Response> {
    return async (request, context) => {
      try {
        const question = toQuestion(request);
        return await ask(await viewFor(question, context), question, toCall(context, source), context);
      } catch (error) {
        throw toConnectError(error, log);
      }
    };
  }

  function stepped<Request, Question extends Asked, Response>(
    source: Source,
    toQuestion: (request: Request) => Question,
    isLong: (question: Question) => boolean,
    ask: (view: View, question: Question, call: Call) => Steps<Response>,
  ): (request: Request, context: HandlerContext) => Promise<Response> {
    return unary(source, toQuestion, (view, question, call, context) => {
      if (isLong(question)) admission.enterLongWork();
      return longWork.finish(ask(view, question, call), () => context.signal.aborted);
    });
  }

  async function answerOne(
    request: StreamCheckRequest,
    context: HandlerContext,
    call: Call,
  ): Promise<NonNullable<MessageInitShape<typeof StreamCheckResponseSchema>['result']>> {
    try {
      const question = toInnerQuestion(request);
      const view = await viewFor(question, context);
      return { case: 'check', value: fromCheckAnswer(answerCheck(view, question, call)) };
    } catch (error) {
      return { case: 'error', value: toStatusMessage(toFailure(error, log)) };
    }
  }

  function viewFor(asked: Asked, context: HandlerContext): View | Promise<View> {
    const view = asked.atLeast === '' && !pdp.mustWait ? pdp.view(asked.tenant, '') : undefined;
    if (view !== undefined && !(view instanceof Promise)) return view;
    const remainingMs = context.timeoutMs() ?? Number.POSITIVE_INFINITY;
    const onCancelled = (listener: () => void) => context.signal.addEventListener('abort', listener, { once: true });
    if (view !== undefined) return withinDeadline(view, remainingMs, onCancelled);
    return waitForView(pdp, asked, remainingMs, onCancelled);
  }
}

function toCall(context: HandlerContext, source: Source): Call {
  return {
    source,
    caller: context.values.get(callerKey),
    traceId: traceIdOf(context.requestHeader.get('traceparent') ?? undefined),
  };
}
