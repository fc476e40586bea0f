/** What every gRPC handler knows of its call: who, which trace, until when. */
import type { Deadline, Metadata } from '@grpc/grpc-js';
import type { Source } from '../../decision-log/log.ts';
import type { Call, Pdp, View } from '../../pdp/view.ts';
import type { Admission } from '../admission.ts';
import { waitForView, withinDeadline } from '../decision/freshness.ts';
import type { ServerLog } from '../errors.ts';
import type { LongWork } from '../long-work.ts';
import type { Asked } from '../question.ts';
import { traceIdOf } from '../trace.ts';

export interface HandlerDependencies {
  readonly pdp: Pdp;
  readonly log: ServerLog;
  readonly longWork: LongWork;
  readonly admission: Admission;
}

/** What the calls of every kind have in common. */
export interface ServerCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
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

/** Whether nobody waits for the answer: the caller went away, or its deadline has passed. */
export function isGone(call: ServerCall): boolean {
  if (call.cancelled) return true;
  const deadline = call.getDeadline();
  return deadline !== Number.POSITIVE_INFINITY && Number(deadline) <= Date.now();
}

/** The view that is to answer; a promise only where a revision has to be waited for, or a tenant looked for. */
export function viewFor(pdp: Pdp, asked: Asked, call: ServerCall): View | Promise<View> {
  const view = asked.atLeast === '' && !pdp.mustWait ? pdp.view(asked.tenant, '') : undefined;
  if (view !== undefined && !(view instanceof Promise)) return view;
  return waitFor(view, pdp, asked, call);
}

/**
 * The same for a call that is in progress only while it waits.
 * @param bytes What was sent.
 * @throws PosternError OVERLOADED where it would have to wait, and too many do
 */
export function viewOrHold(
  { pdp, admission }: HandlerDependencies,
  asked: Asked,
  call: ServerCall,
  bytes: number,
): View | Promise<View> {
  const view = asked.atLeast === '' && !pdp.mustWait ? pdp.view(asked.tenant, '') : undefined;
  if (view !== undefined && !(view instanceof Promise)) return view;
  let release: (() => void) | undefined;
  let waited: View | Promise<View> | undefined;
  try {
    release = admission.hold(bytes);
    waited = waitFor(view, pdp, asked, call);
    return waited instanceof Promise ? waited.finally(release) : waited;
  } finally {
    if (!(waited instanceof Promise)) release?.();
    // The look for a tenant is shared; it may fail when nobody is left who asked.
    if (release === undefined) view?.catch(() => undefined);
  }
}

function waitFor(view: Promise<View> | undefined, pdp: Pdp, asked: Asked, call: ServerCall): View | Promise<View> {
  const remainingMs = Number(call.getDeadline()) - Date.now();
  const onCancelled = (listener: () => void) => call.once('cancelled', listener);
  if (view !== undefined) return withinDeadline(view, remainingMs, onCancelled);
  return waitForView(pdp, asked, remainingMs, onCancelled);
}
