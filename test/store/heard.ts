// A store listener that remembers what it was told, and waits for it.
import { vi } from 'vitest';
import type { ChangeSet, Revision } from '../../src/model/change.ts';
import type { PosternError } from '../../src/model/errors.ts';
import type { Store, Subscription } from '../../src/store/store.ts';

export type Told =
  | { readonly what: 'connected' }
  | { readonly what: 'disconnected'; readonly reason: string }
  | { readonly what: 'changes'; readonly changeSet: ChangeSet }
  | { readonly what: 'head'; readonly head: Revision }
  | { readonly what: 'problem'; readonly error: PosternError };

export interface Heard extends Subscription {
  readonly told: readonly Told[];
  /** Everything of one sort, in order. */
  all<W extends Told['what']>(what: W): Extract<Told, { what: W }>[];
  /** Waits until at least so many of one sort were told. */
  until(what: Told['what'], count?: number): Promise<void>;
  /** Revision numbers in the order in which they were told. */
  numbers(): number[];
}

export function hear(store: Store, tenant: string): Heard {
  const told: Told[] = [];
  const subscription = store.follow(tenant, {
    onChangeSet: (changeSet) => void told.push({ what: 'changes', changeSet }),
    onHead: (head) => void told.push({ what: 'head', head }),
    onConnected: () => void told.push({ what: 'connected' }),
    onDisconnected: (reason) => void told.push({ what: 'disconnected', reason }),
    onProblem: (error) => void told.push({ what: 'problem', error }),
  });
  const all = <W extends Told['what']>(what: W) =>
    told.filter((each): each is Extract<Told, { what: W }> => each.what === what);
  return {
    told,
    all,
    until: (what, count = 1) =>
      vi.waitFor(
        () => {
          const found = all(what).length;
          if (found < count) throw new Error(`told "${what}" ${found} of ${count} times: ${JSON.stringify(told)}`);
        },
        { timeout: 10_000, interval: 5 },
      ),
    numbers: () =>
      told.flatMap((each) => {
        if (each.what === 'changes') return [each.changeSet.revision.number];
        return each.what === 'head' ? [each.head.number] : [];
      }),
    pulse: subscription.pulse,
    close: () => subscription.close(),
  };
}

/** The same, once following is in force. */
export async function hearConnected(store: Store, tenant: string): Promise<Heard> {
  const heard = hear(store, tenant);
  await heard.until('connected');
  return heard;
}
