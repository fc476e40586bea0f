/** Failures as google.rpc messages, which every transport carries. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
  type Status,
  StatusSchema,
} from '../../gen/google/rpc/status_pb.ts';
import { errorDomain, type Failure, retryAfterSeconds } from '../errors.ts';

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

/** When to ask again, or undefined where that is not known. */
export function toRetryInfo({ code }: Pick<Failure, 'code'>): MessageInitShape<typeof RetryInfoSchema> | undefined {
  return code === 'OVERLOADED' ? { retryDelay: { seconds: BigInt(retryAfterSeconds), nanos: 0 } } : undefined;
}

export function toStatusMessage(failure: Failure): Status {
  const badRequest = toBadRequest(failure);
  const retryInfo = toRetryInfo(failure);
  return create(StatusSchema, {
    code: failure.status.grpc,
    message: failure.message,
    details: [
      anyPack(ErrorInfoSchema, create(ErrorInfoSchema, toErrorInfo(failure))),
      ...(badRequest === undefined ? [] : [anyPack(BadRequestSchema, create(BadRequestSchema, badRequest))]),
      ...(retryInfo === undefined ? [] : [anyPack(RetryInfoSchema, create(RetryInfoSchema, retryInfo))]),
    ],
  });
}
