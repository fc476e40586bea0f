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
  {
    key: 'snapshot-dir',
    kind: 'string',
    placeholder: 'directory',
    sentence:
      'Save the graphs of Redis here, and start from them while Redis is away; each sidecar needs a directory of its own.',
  },
  {
    key: 'snapshot-interval',
    kind: 'duration',
    default: '5m',
    min: '1s',
    max: '24h',
    sentence:
      'How often a graph that has changed is saved in --snapshot-dir; one that has not, after twelve times that.',
  },
] as const satisfies readonly OptionSpec[];
