/**
 * DecisionService for grpc-js: which codec and which handler each method has.
 * Check, BatchCheck, StreamCheck and the parts of ListObjects use the codecs of
 * src/server/wire; the others, which are rare and varied, use generated code.
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition, Server } from '@grpc/grpc-js';
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
import { messageOf, PosternError } from '../../model/errors.ts';
import { answerBatch, answerCheck } from '../decision/answers.ts';
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
import { createListObjectsHandler } from './list-objects.ts';
import { createStreamCheckHandler, type OpenStreams } from './stream-check.ts';
import { createUnaryHandler } from './unary.ts';

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
    batchCheck: createUnaryHandler(dependencies, 'batch', decodeBatchCheckRequest, answerBatch),
    streamCheck: createStreamCheckHandler(dependencies, open),
    listObjects: createListObjectsHandler(dependencies, decoderOf(ListObjectsRequestSchema, toListObjectsQuestion)),
    listSubjects: createUnaryHandler(
      dependencies,
      'list_subjects',
      decoderOf(ListSubjectsRequestSchema, toListSubjectsQuestion),
      (view, { query, type, page }, call) => fromSubjectList(view, view.listSubjects(query, type, page, call)),
    ),
    listActions: createUnaryHandler(
      dependencies,
      'list_actions',
      decoderOf(ListActionsRequestSchema, toListActionsQuestion),
      (view, { query }, call) => fromActionList(view, view.listActions(query, call)),
    ),
    explain: createUnaryHandler(
      dependencies,
      'explain',
      decoderOf(ExplainRequestSchema, (request) => toInnerQuestion(request.check)),
      (view, { query }, call) => fromExplanation(view, view.explain(query, call)),
    ),
  });
}

function toDefinition<Answer>(
  method: (typeof DecisionService)['methods'][number],
  responseSerialize: (answer: Answer) => Buffer,
): MethodDefinition<Buffer, Answer> {
  const { methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: methodKind === 'bidi_streaming' || methodKind === 'client_streaming',
    responseStream: methodKind === 'bidi_streaming' || methodKind === 'server_streaming',
    // What grpc-js answers for an error thrown here hides it behind INTERNAL; the handlers decode.
    requestDeserialize: (bytes) => bytes,
    responseSerialize,
    requestSerialize: (bytes) => bytes,
    responseDeserialize: () => {
      throw new Error('only a client reads answers');
    },
  };
}

function decoderOf<Desc extends DescMessage, Question>(
  schema: Desc,
  toQuestion: (message: MessageShape<Desc>) => Question,
): (bytes: Buffer) => Question {
  return (bytes) => {
    let message: MessageShape<Desc>;
    try {
      message = fromBinary(schema, bytes, { readUnknownFields: false });
    } catch (error) {
      throw new PosternError(
        'INVALID_REQUEST',
        `the request is not a ${schema.typeName}: ${messageOf(error)}; encode it with the published proto`,
      );
    }
    return toQuestion(message);
  };
}

function encoderOf<Desc extends DescMessage>(schema: Desc): (answer: MessageInitShape<Desc>) => Buffer {
  return (answer) => {
    const bytes = toBinary(schema, create(schema, answer));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}
