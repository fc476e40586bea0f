/** The options of `postern serve` about following a store; part of the table in options.ts. */
import type { OptionSpec } from './option-spec.ts';

export const followingOptions = [
  {
    key: 'compare-interval',
    kind: 'duration',
    default: '30s',
    min: '1s',
    max: '1h',
    sentence: 'How often the revision is compared with that of Redis, in case a message was lost.',
  },
  {
    key: 'max-staleness',
    kind: 'duration',
    default: '0s',
    min: '0s',
    max: '168h',
    sentence: 'How long ago a policy may have last been known to be the newest before --when-stale applies; 0 is ever.',
  },
  {
    key: 'when-stale',
    kind: 'choice',
    choices: ['refuse', 'answer'],
    default: 'refuse',
    sentence: 'Past --max-staleness: refuse what is asked (UNAVAILABLE) and be not ready, or answer, and log it.',
  },
] as const satisfies readonly OptionSpec[];
