/** What every gRPC handler knows of its call: who, which trace, until when. */
import type { Deadline, Metadata } from '@grpc/grpc-js';
import type { Source } from '../../decision-log/log.ts';
import type { Call, Pdp, View } from '../../pdp/view.ts';
import { waitForView, withinDeadline } from '../decision/freshness.ts';
import type { ServerLog } from '../errors.ts';
import type { LongWork } from '../long-work.ts';
import type { Asked } from '../question.ts';
import { traceIdOf } from '../trace.ts';

export interface HandlerDependencies {
  readonly pdp: Pdp;
  readonly log: ServerLog;
  readonly longWork: LongWork;
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

/** The view that is to answer; a promise only where a revision has to be waited for, or a tenant looked for. */
export function viewFor(pdp: Pdp, asked: Asked, call: ServerCall): View | Promise<View> {
  const view = asked.atLeast === '' ? pdp.view(asked.tenant, '') : undefined;
  if (view !== undefined && !(view instanceof Promise)) return view;
  const remainingMs = Number(call.getDeadline()) - Date.now();
  const onCancelled = (listener: () => void) => call.once('cancelled', listener);
  if (view !== undefined) return withinDeadline(view, remainingMs, onCancelled);
  return waitForView(pdp, asked, remainingMs, onCancelled);
}
