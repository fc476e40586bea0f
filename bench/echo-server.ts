/**
 * What Check is measured against: bare grpc-js that decodes the same request
 * and encodes the same answer with the generated code, and does nothing else.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { Mode, Reason } from '../src/gen/postern/v1/decision_pb.ts';
import {
  type CheckRequest,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from '../src/gen/postern/v1/decision_service_pb.ts';

const echo: handleUnaryCall<CheckRequest, CheckResponse> = (_call, callback) => {
  callback(
    null,
    create(CheckResponseSchema, {
      decision: {
        allowed: true,
        reason: Reason.ALLOWED,
        binding: '["group:team3","editor","folder:f3","allow"]',
        decisionId: '01K8Z3W5Q2N8E7R6T5Y4V3B2A1',
        enforcedAllowed: true,
      },
      revision: '0123456789abcdef.1',
      mode: Mode.ENFORCE,
    }),
  );
};

const server = new Server();
server.addService(
  {
    Check: {
      path: '/postern.v1.DecisionService/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: CheckRequest) => Buffer.from(toBinary(CheckRequestSchema, message)),
      requestDeserialize: (bytes: Buffer) => fromBinary(CheckRequestSchema, bytes),
      responseSerialize: (message: CheckResponse) => Buffer.from(toBinary(CheckResponseSchema, message)),
      responseDeserialize: (bytes: Buffer) => fromBinary(CheckResponseSchema, bytes),
    },
  },
  { Check: echo },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${port}\n`);
});
