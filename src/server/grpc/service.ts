/**
 * DecisionService for grpc-js: which codec and which handler each method has.
 * Check, BatchCheck, StreamCheck and the parts of ListObjects use the codecs of
 * src/server/wire; the others, which are rare and varied, use generated code.
 */
import type { Server } from '@grpc/grpc-js';
import {
  DecisionService,
  ExplainRequestSchema,
  ExplainResponseSchema,
  ListActionsRequestSchema,
  ListActionsResponseSchema,
  ListObjectsRequestSchema,
  ListSubjectsRequestSchema,
  ListSubjectsResponseSchema,
} from '../../gen/postern/v1/decision_service_pb.ts';
import { alwaysLong, answerBatch, answerCheck, isLongBatch } from '../decision/answers.ts';
import {
  toInnerQuestion,
  toListActionsQuestion,
  toListObjectsQuestion,
  toListSubjectsQuestion,
} from '../decision/request.ts';
import { fromActionList, fromExplanation, fromSubjectList } from '../decision/response.ts';
import { decodeBatchCheckRequest, decodeCheckRequest } from '../wire/requests.ts';
import {
  encodeBatchCheckResponse,
  encodeCheckResponse,
  encodeListObjectsResponse,
  encodeStreamCheckResponse,
} from '../wire/responses.ts';
import type { HandlerDependencies } from './call.ts';
import { decoderOf, encoderOf, toDefinition } from './definition.ts';
import { createListObjectsHandler } from './list-objects.ts';
import { createStreamCheckHandler, type OpenStreams } from './stream-check.ts';
import { createSteppedHandler, createUnaryHandler } from './unary.ts';

/** The name that health checks and reflection know the service by. */
export const decisionServiceName = DecisionService.typeName;

export function addDecisionService(server: Server, dependencies: HandlerDependencies, open: OpenStreams): void {
  const { method } = DecisionService;
  const definition = {
    check: toDefinition(method.check, encodeCheckResponse),
    batchCheck: toDefinition(method.batchCheck, encodeBatchCheckResponse),
    streamCheck: toDefinition(method.streamCheck, encodeStreamCheckResponse),
    listObjects: toDefinition(method.listObjects, encodeListObjectsResponse),
    listSubjects: toDefinition(method.listSubjects, encoderOf(ListSubjectsResponseSchema)),
    listActions: toDefinition(method.listActions, encoderOf(ListActionsResponseSchema)),
    explain: toDefinition(method.explain, encoderOf(ExplainResponseSchema)),
  };
  server.addService(definition, {
    check: createUnaryHandler(dependencies, 'check', decodeCheckRequest, answerCheck),
    batchCheck: createSteppedHandler(dependencies, 'batch', decodeBatchCheckRequest, isLongBatch, answerBatch),
    streamCheck: createStreamCheckHandler(dependencies, open),
    listObjects: createListObjectsHandler(dependencies, decoderOf(ListObjectsRequestSchema, toListObjectsQuestion)),
    listSubjects: createSteppedHandler(
      dependencies,
      'list_subjects',
      decoderOf(ListSubjectsRequestSchema, toListSubjectsQuestion),
      alwaysLong,
      function* (view, { query, type, page }, call) {
        return fromSubjectList(view, yield* view.listSubjects(query, type, page, call));
      },
    ),
    listActions: createSteppedHandler(
      dependencies,
      'list_actions',
      decoderOf(ListActionsRequestSchema, toListActionsQuestion),
      alwaysLong,
      function* (view, { query }, call) {
        return fromActionList(view, yield* view.listActions(query, call));
      },
    ),
    explain: createUnaryHandler(
      dependencies,
      'explain',
      decoderOf(ExplainRequestSchema, toInnerQuestion),
      (view, { query }, call) => fromExplanation(view, view.explain(query, call)),
    ),
  });
}
