/** What grpc-js needs to know of a method, and the codecs of messages that generated code reads and writes. */
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition } from '@grpc/grpc-js';
import { messageOf, PosternError } from '../../model/errors.ts';

export function toDefinition<Answer>(
  method: DescMethod,
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

/** Bytes to a question. The message keeps the fields that this version does not know: whoever reads it refuses them. */
export function decoderOf<Desc extends DescMessage, Question>(
  schema: Desc,
  toQuestion: (message: MessageShape<Desc>) => Question,
): (bytes: Buffer) => Question {
  return (bytes) => {
    let message: MessageShape<Desc>;
    try {
      message = fromBinary(schema, bytes);
    } catch (error) {
      throw new PosternError(
        'INVALID_REQUEST',
        `the request is not a ${schema.typeName}: ${messageOf(error)}; encode it with the published proto`,
      );
    }
    return toQuestion(message);
  };
}

export function encoderOf<Desc extends DescMessage>(schema: Desc): (answer: MessageInitShape<Desc>) => Buffer {
  return (answer) => {
    const bytes = toBinary(schema, create(schema, answer));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}
