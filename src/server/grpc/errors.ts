/** Failures as grpc-js sends them: a status with a google.rpc.Status in its trailer. */
import { toBinary } from '@bufbuild/protobuf';
import { Metadata, type ServerErrorResponse } from '@grpc/grpc-js';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import { toStatusMessage } from '../decision/status.ts';
import { type Failure, type ServerLog, toFailure } from '../errors.ts';

/** What a handler hands to grpc-js for anything thrown. */
export function toServiceError(error: unknown, log: ServerLog): ServerErrorResponse {
  const failure = toFailure(error, log);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeStatus(failure));
  // An Error, because a stream emits it; its stack is never sent.
  return Object.assign(new Error(failure.message), {
    code: failure.status.grpc,
    details: failure.message,
    metadata,
  });
}

/** A google.rpc.Status, for the trailer or for one message of a stream. */
export function encodeStatus(failure: Failure): Buffer {
  const bytes = toBinary(StatusSchema, toStatusMessage(failure));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
