/** What happens to the decision log that an operator should hear of; describe-event.ts has the words. */
export type LogEvent =
  | { readonly kind: 'dropping'; readonly tenant: string; readonly which: 'newest' | 'oldest' }
  | { readonly kind: 'sink_failed'; readonly tenant: string; readonly message: string }
  | { readonly kind: 'sink_recovered'; readonly tenant: string; readonly attempts: number }
  | { readonly kind: 'refused'; readonly tenant: string; readonly records: number }
  | { readonly kind: 'spool_full'; readonly bytes: number }
  | { readonly kind: 'spool_failed'; readonly tenant: string; readonly message: string }
  | { readonly kind: 'spool_damaged'; readonly tenant: string; readonly damage: string }
  | { readonly kind: 'spool_recovered'; readonly tenant: string }
  | { readonly kind: 'resumed'; readonly tenant: string; readonly lastSeq: number; readonly waitingBytes: number }
  | { readonly kind: 'crashed'; readonly tenant: string; readonly lastSeq: number; readonly cutBytes: number }
  | { readonly kind: 'left_in_spool'; readonly bytes: number }
  | { readonly kind: 'abandoned'; readonly records: number }
  | { readonly kind: 'close_failed'; readonly message: string };
