/** Failures as google.rpc messages, which every transport carries. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { BadRequestSchema, ErrorInfoSchema, type Status, StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import { errorDomain, type Failure } from '../errors.ts';

/** The machine-readable cause: the code of the catalogue as `reason`. */
export function toErrorInfo(failure: Pick<Failure, 'code' | 'metadata'>): MessageInitShape<typeof ErrorInfoSchema> {
  return { reason: failure.code, domain: errorDomain, metadata: { ...failure.metadata } };
}

/** What is wrong field by field, or undefined where nothing is. */
export function toBadRequest({
  problems,
}: Pick<Failure, 'problems'>): MessageInitShape<typeof BadRequestSchema> | undefined {
  if (problems.length === 0) return undefined;
  return { fieldViolations: problems.map(({ field, message }) => ({ field, description: message })) };
}

export function toStatusMessage(failure: Failure): Status {
  const badRequest = toBadRequest(failure);
  return create(StatusSchema, {
    code: failure.status.grpc,
    message: failure.message,
    details: [
      anyPack(ErrorInfoSchema, create(ErrorInfoSchema, toErrorInfo(failure))),
      ...(badRequest === undefined ? [] : [anyPack(BadRequestSchema, create(BadRequestSchema, badRequest))]),
    ],
  });
}
