/**
 * Stands before the handlers of calls that may take long, and refuses them by their headers where there are too many: a
 * handler is called when the whole message is there. Every other call passes at the cost of a look into a set.
 */
import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { DecisionService } from '../../gen/postern/v1/decision_service_pb.ts';
import type { Admission } from '../admission.ts';
import type { ServerLog } from '../errors.ts';
import { toServiceError } from './errors.ts';

const { batchCheck, listSubjects, listActions } = DecisionService.method;
/** One answer to one question, which may be large. ListObjects is not among them: it waits for its reader most of the time. */
const mayTakeLong = new Set(
  [batchCheck, listSubjects, listActions].map(({ parent, name }) => `/${parent.typeName}/${name}`),
);

export function createInterceptor(admission: Admission, log: ServerLog): ServerInterceptor {
  return ({ path }, call) => {
    // The library calls its methods, whatever its class: wrapping each call would cost every check.
    if (!mayTakeLong.has(path)) return call as ServerInterceptingCall;
    let ended: () => void;
    try {
      admission.enter();
      ended = admission.expectLongWork();
    } catch (error) {
      const { code = status.INTERNAL, details = '', metadata = null } = toServiceError(error, log);
      // The handler is never started, so it is not called; what comes of the message is thrown away.
      return new ServerInterceptingCall(call, { start: () => call.sendStatus({ code, details, metadata }) });
    }
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onCancel: () => ended(),
        }),
      sendMessage: (message, next) => {
        ended();
        next(message);
      },
      sendStatus: (sent, next) => {
        ended();
        next(sent);
      },
    });
  };
}
