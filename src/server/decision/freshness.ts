/** Finds the view that is to answer, and bounds how long a question may wait for the revision it asks for. */
import type { Pdp, View } from '../../pdp/view.ts';
import { startPatience } from '../patience.ts';
import type { Asked } from '../question.ts';

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
  const { signal, end, release } = startPatience(remainingMs);
  let view: View | Promise<View> | undefined;
  try {
    view = pdp.view(asked.tenant, asked.atLeast, signal);
  } finally {
    if (!(view instanceof Promise)) release();
  }
  if (!(view instanceof Promise)) return view;
  onCancelled(end);
  return view.finally(release);
}
