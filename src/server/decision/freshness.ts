/** Finds the view that is to answer, and bounds how long a question may wait for its tenant, and for its revision. */
import { PosternError } from '../../model/errors.ts';
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

/**
 * Bounds a view that no revision was asked for, and that has to be waited for all the same: its tenant is not here yet.
 * @param remainingMs Until the deadline; Infinity without one.
 * @param onCancelled Calls back when the caller is gone.
 */
export function withinDeadline(
  view: Promise<View>,
  remainingMs: number,
  onCancelled: (listener: () => void) => void,
): Promise<View> {
  const { signal, end, release } = startPatience(remainingMs);
  onCancelled(end);
  const late = new Promise<never>((_, reject) => {
    const message = 'the tenant was not found, or not loaded, within the deadline; try again, or allow more time';
    const refuse = () => reject(new PosternError('NOT_READY', message, { field: 'tenant' }));
    signal.addEventListener('abort', refuse, { once: true });
  });
  return Promise.race([view, late]).finally(release);
}
