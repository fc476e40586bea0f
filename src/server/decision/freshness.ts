/**
 * Finds the view that is to answer, and bounds how long a question may wait for
 * the revision it asks for: until a little before its deadline, so that the
 * caller still hears why, or until the caller goes away.
 */
import type { Pdp, View } from '../../pdp/view.ts';
import type { Asked } from '../question.ts';

/** The longest wait, where the caller set no deadline or a later one, in milliseconds. */
export const maxFreshnessWaitMs = 30_000;
/** What is kept of the deadline to send the refusal, at most, in milliseconds. */
const replyReserveMs = 50;

/**
 * A promise only where a revision has to be waited for.
 * @param remainingMs Until the deadline; Infinity without one.
 * @param onCancelled Calls back when the caller is gone.
 * @throws PosternError what Pdp.view throws
 */
export function waitForView(
  pdp: Pdp,
  asked: Asked,
  remainingMs: number,
  onCancelled: (listener: () => void) => void,
): View | Promise<View> {
  const controller = new AbortController();
  const reserveMs = Math.min(replyReserveMs, remainingMs / 4);
  const end = () => controller.abort();
  const timer = setTimeout(end, Math.max(0, Math.min(remainingMs - reserveMs, maxFreshnessWaitMs)));
  let view: View | Promise<View> | undefined;
  try {
    view = pdp.view(asked.tenant, asked.atLeast, controller.signal);
  } finally {
    if (!(view instanceof Promise)) clearTimeout(timer);
  }
  if (!(view instanceof Promise)) return view;
  onCancelled(end);
  return view.finally(() => clearTimeout(timer));
}
