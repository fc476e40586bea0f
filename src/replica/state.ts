/** How a replica stands to its store, and what it goes through: for logs, metrics and those who have to say why. */
import type { Revision } from '../model/change.ts';
import type { PosternError } from '../model/errors.ts';

/** How a replica stands to its store. */
export type ReplicaState =
  /** No snapshot yet: the first load is under way, or the store has no history of this tenant. */
  | { readonly kind: 'loading'; readonly reason: string }
  /** The snapshot is the store's newest, as far as anyone has said. */
  | { readonly kind: 'current' }
  /** The snapshot answers, but may be behind: the store is away or what it holds is refused. */
  | { readonly kind: 'behind'; readonly reason: string }
  | { readonly kind: 'closed' };

/** What happened, for logs and metrics. */
export type ReplicaEvent =
  | { readonly kind: 'loaded'; readonly revision: Revision; readonly tookMs: number }
  | { readonly kind: 'applied'; readonly revision: Revision; readonly changes: number; readonly delayMs: number }
  /** The graph was read from disk; `ageMs` is how long ago it was last known to be the newest. */
  | { readonly kind: 'restored'; readonly revision: Revision; readonly ageMs: number; readonly tookMs: number }
  /** The graph was saved on disk. */
  | { readonly kind: 'saved'; readonly revision: Revision }
  /** Changes were folded into the graph that the snapshot stands on; nothing else has changed. */
  | { readonly kind: 'folded'; readonly revision: Revision; readonly changes: number }
  /** Folding or saving failed; it is tried again later. */
  | { readonly kind: 'upkeep-failed'; readonly error: PosternError }
  | { readonly kind: 'problem'; readonly error: PosternError }
  /** The store has no policy of this tenant: it was emptied, or nobody has written one yet. */
  | { readonly kind: 'missing'; readonly held: Revision | undefined }
  /** The snapshot is the store's newest again, without a change. */
  | { readonly kind: 'current'; readonly revision: Revision }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'connected' };
