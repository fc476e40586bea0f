/** What every gRPC handler knows of its call: who, which trace, until when. */
import type { Deadline, Metadata } from '@grpc/grpc-js';
import type { Source } from '../../decision-log/log.ts';
import type { Call, Pdp, View } from '../../pdp/view.ts';
import { waitForView } from '../decision/freshness.ts';
import type { ServerLog } from '../errors.ts';
import type { Asked } from '../question.ts';
import { traceIdOf } from '../trace.ts';

export interface HandlerDependencies {
  readonly pdp: Pdp;
  readonly log: ServerLog;
}

/** What the calls of every kind have in common. */
export interface ServerCall {
  readonly metadata: Metadata;
  getPeer(): string;
  getDeadline(): Deadline;
  once(event: 'cancelled', listener: () => void): unknown;
}

export function toCall(call: ServerCall, source: Source): Call {
  const peer = call.getPeer();
  const [header] = call.metadata.get('traceparent');
  return {
    source,
    // A Unix socket has no peer address.
    caller: peer === 'unknown' ? 'unix' : peer,
    traceId: traceIdOf(typeof header === 'string' ? header : undefined),
  };
}

/** The view that is to answer; a promise only where a revision has to be waited for. */
export function viewFor(pdp: Pdp, asked: Asked, call: ServerCall): View | Promise<View> {
  if (asked.atLeast === '') return pdp.view(asked.tenant, '');
  const remainingMs = Number(call.getDeadline()) - Date.now();
  return waitForView(pdp, asked, remainingMs, (listener) => call.once('cancelled', listener));
}
